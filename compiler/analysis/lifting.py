"""From a firewall of chains to access lists, so that it can be compiled further.

Only a firewall that does what bound lists do can be lifted: for each interface
at most one list on the way in (for forwarded packets and for packets to the
router alike), one on the way out, and nothing else. Anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from compiler.analysis.equivalence.comparison import Comparison
from compiler.analysis.equivalence.contexts import OTHER
from compiler.errors import CannotSay, Refusal
from compiler.fields import Family
from compiler.policy.access_list import AccessList, Action, Binding, Device, Direction, Entry, ListKind
from compiler.policy.match import ANY
from compiler.policy.packet import Path
from compiler.policy.ruleset import Rule, Ruleset
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context, ListName, Machine, Outcome, Stage, Standing
from compiler.semantics.router import RouterMachine
from compiler.source import NOWHERE

__all__ = ["lift"]

_Halves = tuple[tuple[Stage, ...], tuple[Stage, ...]]
"""What packets meet that are no later fragments, and what later fragments meet."""


def lift(ruleset: Ruleset) -> Device:
    """The device whose bound lists do what the ruleset does. Raises CannotSay."""
    unmodelled = any(rule.unmodelled for chain in ruleset.chains for rule in chain.rules)
    firewall = machine(ruleset, bound="lower" if unmodelled else "exact")
    lifting = _Lifting(ruleset, firewall)
    if any(chain.hook for chain in ruleset.chains if chain.rules or chain.policy.value == "drop"):
        lifting.bound()
    else:
        lifting.unbound()
    if lifting.refusals:
        raise CannotSay("a list of interfaces", tuple(lifting.refusals))
    return Device(
        ruleset.source,
        tuple(lifting.lists.values()),
        tuple(lifting.bindings),
        features=ruleset.features,
        lines=ruleset.lines,
    )


class _Lifting:
    """The lists found so far, by what they do."""

    def __init__(self, ruleset: Ruleset, firewall: Machine) -> None:
        self._ruleset = ruleset
        self._firewall = firewall
        self.lists: dict[tuple[int, ...], AccessList] = {}
        self.bindings: list[Binding] = []
        self.refusals: list[Refusal] = []

    def unbound(self) -> None:
        """Each chain that nothing calls is a list."""
        for name in self._firewall.lists():
            self._chain_alone(name)

    def _chain_alone(self, name: ListName) -> None:
        halves = (
            self._firewall.list_stages(name, noninitial=False),
            self._firewall.list_stages(name, noninitial=True),
        )
        self._list(halves, name)

    def bound(self) -> None:
        """Each interface's way in and way out."""
        names = sorted(self._firewall.interfaces())
        for name in names:
            if name.endswith("*"):
                self._refuse(f"interface pattern {name}", "lists are bound to interfaces by their whole names")
        for family in Family:
            if any(self._halves(family, path, OTHER, OTHER) != ((), ()) for path in Path):
                self._refuse(
                    f"{family.name}: rules that hold on every interface",
                    "an access list is bound to named interfaces; tie the rules to interfaces first",
                )
                continue
            self._family(family, names)
        for free in self._firewall.lists():
            if self._firewall.standing(free) is Standing.FREE:
                self._chain_alone(free)

    def _family(self, family: Family, names: list[str]) -> None:
        inward = {name: self._halves(family, Path.FORWARD, name, OTHER) for name in names}
        outward = {name: self._halves(family, Path.FORWARD, OTHER, name) for name in names}
        for name in names:
            if self._halves(family, Path.INPUT, name, "") != inward[name]:
                self._refuse(
                    f"what comes in at {name}", "packets to the router and forwarded packets are treated differently"
                )
            if self._halves(family, Path.OUTPUT, "", name) != ((), ()):
                self._refuse(f"what the router itself sends out at {name}", "access lists never see it")
            for other in names:
                both = self._halves(family, Path.FORWARD, name, other)
                parts = tuple(inward[name][half] + outward[other][half] for half in (0, 1))
                if both != parts:
                    self._refuse(f"{name} to {other}", "the rule depends on both interfaces at once")
        for direction, table in ((Direction.IN, inward), (Direction.OUT, outward)):
            for name, halves in table.items():
                access_list = self._list(halves, self._name(halves, family))
                if access_list is not None:
                    self.bindings.append(Binding(name, direction, family, access_list.name))

    def _halves(self, family: Family, path: Path, ingress: str, egress: str) -> _Halves:
        first, later = (
            self._firewall.stages(Context(family, path, ingress, egress, noninitial)) for noninitial in (False, True)
        )
        return first, later

    def _name(self, halves: _Halves, family: Family) -> ListName:
        stages = halves[0] or halves[1]
        name = stages[0].name.removeprefix("chain ").removesuffix("-fragments") if stages else ""
        return ListName(name, family)

    def _list(self, halves: _Halves, name: ListName) -> AccessList | None:
        if halves == ((), ()):
            return None
        if any(len(half) > 1 for half in halves):
            self._refuse(f"chain {name.name}", "two lists in a row on one interface; IOS has one")
            return None
        if any(step.match.looks_at_layer4 for stage in halves[1] for step in stage.steps):
            self._refuse(
                f"chain {name.name}",
                "later fragments reach a rule that looks at layer 4, and nft reads their payload there; "
                "decide them first (ip frag-off & 0x1fff != 0 …)",
            )
            return None
        key = tuple(id(stage) for half in halves for stage in half)
        if key not in self.lists:
            if any(step.outcome is Outcome.CALL for half in halves for stage in half for step in stage.steps):
                self._refuse(f"chain {name.name}", "a jump that comes back under a condition")
                return None
            self.lists[key] = self._entries(halves, name)
        return self.lists[key]

    def _entries(self, halves: _Halves, name: ListName) -> AccessList:
        """The list of the first half; with entries for fragments before it where the halves differ."""
        title = self._free_name(re.sub(r"[^\w.-]", "_", name.name.removeprefix("acl-")))
        whole = AccessList(title, name.family, ListKind.EXTENDED, _numbered(_of(halves[0], fragments=False)))
        probe = RouterMachine(Device(self._ruleset.source, (whole,)))
        later = probe.list_stages(ListName(title, name.family), noninitial=True)
        context = Context(name.family, Path.FORWARD, "", "", True)
        if not Comparison().witnesses(halves[1], later, context):
            return whole
        entries = (*_of(halves[1], fragments=True), *_of(halves[0], fragments=False))
        return AccessList(title, name.family, ListKind.EXTENDED, _numbered(entries))

    def _free_name(self, title: str) -> str:
        taken = {access_list.name for access_list in self.lists.values()}
        name, number = title, 2
        while name in taken:
            name = f"{title}-{number}"
            number += 1
        return name

    def _refuse(self, what: str, why: str) -> None:
        refusal = Refusal(what, why)
        if refusal not in self.refusals:
            self.refusals.append(refusal)


def _of(stages: tuple[Stage, ...], *, fragments: bool) -> Iterator[Entry]:
    """The entries of one stage, its default spoken out."""
    for step in stages[0].steps if stages else ():
        origin = step.origin if isinstance(step.origin, Rule) else None
        yield Entry(
            Action.PERMIT if step.outcome is Outcome.PERMIT else Action.DENY,
            (step.match,),
            fragments=fragments,
            log="log" if origin is not None and origin.log is not None else "",
            span=origin.span if origin is not None else NOWHERE,
        )
    if stages and stages[0].steps and stages[0].steps[-1].match == ANY:
        return
    passes = stages[0].default if stages else True
    yield Entry(Action.PERMIT if passes else Action.DENY, (ANY,), fragments=fragments)


def _numbered(entries: Iterator[Entry] | tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(replace(entry, sequence=number * 10) for number, entry in enumerate(entries, 1))
