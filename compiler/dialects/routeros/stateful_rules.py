"""From a row of a firewall table to rules that the simulator runs.

Beside the match that proofs know, a rule keeps what else it asks, and then what
it changes, as clauses with meanings. What has no meaning is a fault, even where
a rule only marks or logs; only disabled rules may keep it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from compiler.dialects.routeros.actions import Outcome, Setting, outcome
from compiler.dialects.routeros.faults import MatcherFault, PropertyFault
from compiler.dialects.routeros.lists import AddressLists, InterfaceLists
from compiler.dialects.routeros.matchers import Effect
from compiler.dialects.routeros.rules import RuleReader
from compiler.dialects.routeros.script import Script
from compiler.dialects.routeros.stateful_facts import ACTION_PROPERTIES, SIMULATED_ACTIONS
from compiler.dialects.routeros.stateful_matchers import CONDITIONS, condition
from compiler.dialects.routeros.tables import Item
from compiler.errors import Unmodelled
from compiler.fields import PORT_PROTOCOLS, TCP_ONLY, Family
from compiler.integers import EMPTY, IntegerSet
from compiler.policy.access_list import Clause
from compiler.policy.match import Match
from compiler.policy.ruleset import Hook, Rule
from compiler.policy.stateful import (
    ClampSegment,
    Condition,
    Counter,
    InSet,
    Limit,
    Meaning,
    NumberIn,
    Translate,
)
from compiler.source import Span

__all__ = ["StatefulRuleReader", "Surroundings"]


class Surroundings(NamedTuple):
    """What rules of one table need to know of the rest of the script."""

    hooks: Mapping[str, frozenset[Hook]]
    """The hooks that reach each chain."""
    filled: frozenset[str]
    """The address lists that rules fill."""
    tables: Mapping[str, int] | None
    """The routing tables that RouterOS 7 knows, and the offsets at which they were added."""
    encrypted: bool
    """Whether the router has IPsec."""


class StatefulRuleReader(RuleReader):
    """Reads the rows of one table, ``kind`` being raw, mangle, nat or filter."""

    def __init__(
        self,
        script: Script,
        kind: str,
        family: Family,
        addresses: AddressLists,
        interfaces: InterfaceLists,
        around: Surroundings,
    ) -> None:
        super().__init__(script, kind, family, addresses, interfaces, False)
        self.hooks = around.hooks
        self.filled = around.filled
        self.tables = around.tables
        self.encrypted = around.encrypted
        self._conditions: list[tuple[int, str, Condition]] = []

    def rules(self, item: Item) -> list[Rule]:
        """The rules that a row stands for: one, or several that no packet matches together."""
        properties = item.properties
        action = properties.get("action") or "accept"
        if action not in SIMULATED_ACTIONS[self.kind]:
            expected = ", ".join(sorted(SIMULATED_ACTIONS[self.kind]))
            self._fault(item, f"{action!r} is no action of this table: expected {expected}", "action")
            return []
        disabled = "disabled" in properties and self._yes(item, "disabled")
        doubts: list[tuple[str, str]] = []
        self._conditions = []
        matches = self._matches(item, doubts)
        done = self._outcome(item, action, disabled, doubts)
        if done is None:
            return []
        self._check(item, matches, done, doubts)
        if doubts and not disabled:
            for name, why in doubts:
                self._fault(item, why, name, Unmodelled)
            return []
        log = None
        if action == "log" or ("log" in properties and self._yes(item, "log")):
            log = properties.get("log-prefix", "")
        target = self._target(item) if action == "jump" else ""
        answer = self._answer(item) if action == "reject" else ""
        clauses = self._clauses(item, done, doubts)
        span = Span(self.script.source, item.statement.line)
        comment = properties.get("comment", "")
        sets = self._names(properties)
        return [
            Rule(match, done.verdict, target, log, answer, comment, disabled, *sets, clauses, span) for match in matches
        ]

    def _outcome(self, item: Item, action: str, disabled: bool, doubts: list[tuple[str, str]]) -> Outcome | None:
        chain = item.properties.get("chain", "")
        hooks = self.hooks.get(chain, frozenset())
        setting = Setting(self.family, hooks, self.tables, item.offset("new-routing-mark"))
        try:
            return outcome(action, item.properties, setting)
        except PropertyFault as fault:
            if fault.kind is not Unmodelled:
                self._fault(item, str(fault), fault.name)
                return None
            doubts.append((fault.name, str(fault)))
        # A disabled rule keeps its place and its text; what it would do does not matter.
        return outcome("passthrough", item.properties, setting)

    def _check(self, item: Item, matches: list[Match], done: Outcome, doubts: list[tuple[str, str]]) -> None:
        """What the parts of a rule ask of each other."""
        protocol = matches[0].protocol
        for _, effect in done.effects:
            ports = isinstance(effect, Translate) and effect.ports is not None
            if ports and not (protocol is not None and protocol.issubset(PORT_PROTOCOLS)):
                self._fault(item, "to-ports needs protocol=tcp, udp, udp-lite, sctp or dccp", "to-ports")
            if isinstance(effect, ClampSegment) and not (protocol is not None and protocol.issubset(TCP_ONLY)):
                self._fault(item, "new-mss needs protocol=tcp", "new-mss")
        if item.properties.get("tcp-mss"):
            self._segment(item, done, doubts)
        if len(matches) < 2:
            return
        for _, name, asked in self._conditions:
            counted = isinstance(asked, NumberIn) and isinstance(asked.number, Counter)
            if counted or isinstance(asked, Limit):
                doubts.append((name, f"{name} beside a matcher that is true in two ways is not modelled"))

    def _segment(self, item: Item, done: Outcome, doubts: list[tuple[str, str]]) -> None:
        """``tcp-mss=1301-65535`` before ``new-mss=1300`` says what the action does anyhow: it never raises."""
        text = item.properties["tcp-mss"]
        found = re.fullmatch(r"(\d{1,5})-65535|!0-(\d{1,5})", text, re.ASCII)
        least = int(found[1] or 0) or int(found[2] or 0) + 1 if found else 65536
        sizes = [effect.size for _, effect in done.effects if isinstance(effect, ClampSegment)]
        if not sizes or sizes[0] is None or least > sizes[0] + 1:
            doubts.append(("tcp-mss", f"tcp-mss={text} is not modelled"))

    def _clauses(self, item: Item, done: Outcome, doubts: list[tuple[str, str]]) -> tuple[Clause, ...]:
        properties = item.properties
        meanings: list[tuple[str, str, Meaning | None]] = []
        for _, name, asked in sorted(self._conditions, key=lambda entry: entry[0]):
            meanings.append((name, f"{name}={properties[name]}", asked))
        for name, _ in doubts:
            meanings.append((name, f"{name}={properties.get(name, '')}", None))
        action = properties.get("action", "")
        for name, effect in done.effects:
            text = f"action={action}" + ("" if name == "action" else f" {name}={properties[name]}")
            meanings.append((name, text, effect))
        return tuple(Clause(text, item.span(self.script, name), meaning) for name, text, meaning in meanings)

    def _names(self, properties: dict[str, str]) -> tuple[str, str]:
        source, destination = super()._names(properties)
        return ("" if source in self.filled else source), ("" if destination in self.filled else destination)

    def _asked(self, item: Item, name: str, text: str, doubts: list[tuple[str, str]]) -> Effect | None:
        if name in ACTION_PROPERTIES[self.kind] or name == "tcp-mss":
            return None
        if name == "ipsec-policy" and not self.encrypted:
            return self._unencrypted(item, text)
        listed = name.endswith("address-list")
        if listed and text.removeprefix("!") not in self.filled:
            return super()._asked(item, name, text, doubts)
        if name not in CONDITIONS:
            asked = super()._asked(item, name, text, doubts)
            return _apart(asked) if name == "port" and asked is not None else asked
        try:
            found = self._member(name, text) if listed else condition(name, text)
        except MatcherFault as fault:
            if fault.kind is Unmodelled:
                doubts.append((name, str(fault)))
            else:
                self._fault(item, str(fault), name)
            return None
        self._conditions.append((CONDITIONS[name], name, found))
        return None

    def _member(self, name: str, text: str) -> InSet:
        negated = text.startswith("!")
        listed = text.removeprefix("!")
        if self.addresses.doubt(listed):
            self.addresses.addresses(listed)  # raises: something else fills it too
        table = "ip" if self.family is Family.IPV4 else "ipv6"
        return InSet(table, listed, "source" if name.startswith("src") else "destination", negated)

    def _unencrypted(self, item: Item, text: str) -> Effect | None:
        """Without IPsec each packet has the policy ``none``."""
        direction, _, policy = text.partition(",")
        if direction not in ("in", "out") or policy not in ("none", "ipsec"):
            self._fault(item, f"ipsec-policy={text}: expected in or out, a comma, and none or ipsec", "ipsec-policy")
        return Effect(((("protocol", EMPTY if policy == "ipsec" else None),),))


def _apart(asked: Effect) -> Effect:
    """Alternatives that exclude each other, so that no packet is marked or counted twice."""
    if len(asked.alternatives) < 2:
        return asked
    first, second = asked.alternatives
    (field, values), *_ = first
    assert isinstance(values, IntegerSet)  # port lists are
    return Effect((first, ((field, values.complement(16)), *second)), asked.carrier)
