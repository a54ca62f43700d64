"""What a firewall of chains does: hooks in order, jumps, returns, policies.

Netfilter's rules hold for nftables and RouterOS alike: an accept ends its own
base chain only, a drop ends everything, a chain that falls through returns,
and a base chain that falls through has its policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain as chain_from
from typing import NamedTuple

from compiler.errors import InputErrors, Unmodelled, UsageError
from compiler.fields import Family
from compiler.policy.match import ANY, Match, intersect
from compiler.policy.packet import Path
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from compiler.semantics.machine import Context, ListName, Outcome, Stage, Standing, Step
from compiler.source import Span

__all__ = ["FirewallMachine", "sees_whole_packets"]

_HOOKS: dict[Path, tuple[Hook, ...]] = {
    Path.FORWARD: (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING),
    Path.INPUT: (Hook.PREROUTING, Hook.INPUT),
    Path.OUTPUT: (Hook.OUTPUT, Hook.POSTROUTING),
}
_NO_EGRESS = frozenset({Hook.PREROUTING, Hook.INPUT})
_NO_INGRESS = frozenset({Hook.OUTPUT})
_DECREMENTED = frozenset({Hook.FORWARD, Hook.POSTROUTING})

_OUTCOMES = {
    Verdict.ACCEPT: Outcome.PERMIT,
    Verdict.DROP: Outcome.DENY,
    Verdict.REJECT: Outcome.DENY,
    Verdict.RETURN: Outcome.RETURN,
}


_DEEPEST = 64
"""Jumps in jumps; Linux allows 16 (NFT_JUMP_STACK_SIZE)."""
_MOST_STEPS = 20_000
"""Steps of one chain with all that it calls written out, beyond four times the rules that there are:
two calls in each of twenty chains are a million."""

_END = "the end of the chain: back to the caller"


class _View(NamedTuple):
    """What of a context a chain can tell apart."""

    family: Family
    ingress: str
    egress: str
    noninitial: bool


def sees_whole_packets(chain: Chain, family: Family) -> bool:
    """Whether fragments are put together before the chain.

    Linux delivers IPv4 to itself whole (``ip_local_deliver`` comes before the
    input hook) even without connection tracking, and IPv6 not.
    """
    return chain.sees_reassembled or (chain.hook is Hook.INPUT and family is Family.IPV4)


class FirewallMachine:
    """The machine of a ruleset."""

    def __init__(self, ruleset: Ruleset, bound: str = "exact") -> None:
        if ruleset.for_simulation:
            raise UsageError(f"{ruleset.source}: read for the simulator, with state that no proof models")
        self.source = ruleset.source
        self.features = ruleset.features
        self.dialect = ruleset.dialect
        self._bound = bound
        self._ruleset = ruleset
        # The kernel's fast path of nft payload expressions takes a non-initial fragment's
        # bytes for a transport header (seen on Linux 6.18); the xt matchers of RouterOS do not.
        self._reads_payload = ruleset.dialect == "nftables"
        self._chains = {chain.key: chain for chain in ruleset.chains}
        self._base = sorted((chain for chain in ruleset.chains if chain.hook), key=lambda chain: chain.priority)
        self._check_jumps()
        self._mentions = {key: self._mentioned(chain) for key, chain in self._chains.items()}
        self._bodies: dict[tuple[tuple[str, str], _View], tuple[Step, ...]] = {}
        self._sizes: dict[int, int] = {}
        self._most_steps = _MOST_STEPS + 4 * sum(len(chain.rules) for chain in ruleset.chains)
        self._base_stages: dict[tuple[tuple[str, str], _View, bool, bool], tuple[Stage, ...]] = {}
        self._permitting: dict[tuple[str, str], bool] = {}
        if bound == "exact":
            self._refuse_unmodelled()

    def interfaces(self) -> frozenset[str]:
        """Each interface name or pattern in a rule."""
        names: set[str] = set()
        for chain in self._ruleset.chains:
            for rule in chain.rules:
                for interfaces in (rule.match.ingress, rule.match.egress):
                    if interfaces is not None:
                        names |= interfaces.names
        return frozenset(names)

    def stages(self, context: Context) -> tuple[Stage, ...]:
        """The base chains of the packet's hooks, by priority."""
        stages: tuple[Stage, ...] = ()
        for hook in _HOOKS[context.path]:
            for chain in self._base:
                if chain.hook is hook and context.family in chain.families:
                    stages += self._base_chain(chain, hook, context)
        return stages

    def is_placed(self) -> bool:
        """Whether there is a base chain."""
        return bool(self._base)

    def ways(self, context: Context) -> tuple[tuple[Stage, ...], tuple[Stage, ...]] | None:
        """The base chains that know no egress, and those that know no ingress."""
        parts: tuple[tuple[Stage, ...], tuple[Stage, ...]] = ((), ())
        for hook in _HOOKS[Path.FORWARD]:
            for chain in self._base:
                if chain.hook is not hook or context.family not in chain.families:
                    continue
                ingress, egress = self._mentions[chain.key]
                if ingress and egress and hook not in _NO_EGRESS:
                    return None
                stages = self._base_chain(chain, hook, context)
                out = egress and hook not in _NO_EGRESS
                parts = (parts[0], parts[1] + stages) if out else (parts[0] + stages, parts[1])
        return parts

    def lists(self) -> tuple[ListName, ...]:
        """Chains that stand for lists: no hook, and called by no other list."""
        inner = {(chain.table, rule.target) for chain in self._ruleset.chains if not chain.hook for rule in chain.rules}
        return tuple(
            ListName(chain.name, family, chain.table)
            for chain in self._ruleset.chains
            if not chain.hook and chain.key not in inner
            for family in sorted(chain.families)
        )

    def standing(self, name: ListName) -> Standing:
        """Called by a base chain, or by nothing."""
        called = {
            (chain.table, rule.target)
            for chain in self._base
            for rule in chain.rules
            if rule.target and not rule.disabled
        }
        bound = any(called_name == name.name and name.table in ("", table) for table, called_name in called)
        return Standing.BOUND if bound else Standing.FREE

    def list_stages(self, name: ListName, *, noninitial: bool) -> tuple[Stage, ...]:
        """One chain alone, called by a chain that lets pass what comes back."""
        for chain in self._ruleset.chains:
            named = chain.name == name.name and name.table in ("", chain.table)
            if named and name.family in chain.families and not chain.hook:
                view = _View(name.family, "", "", noninitial)
                return tuple(_split(self._body(chain, view), f"chain {chain.name}", True, _END, False))
        raise UsageError(f"{self.source}: no list {name.name!r}")

    # -- one base chain ------------------------------------------------------

    def _base_chain(self, chain: Chain, hook: Hook, context: Context) -> tuple[Stage, ...]:
        ingress, egress = self._mentions[chain.key]
        view = _View(
            context.family,
            context.ingress if ingress and hook not in _NO_INGRESS else "",
            context.egress if egress and hook not in _NO_EGRESS else "",
            context.noninitial and not sees_whole_packets(chain, context.family),
        )
        decremented = hook in _DECREMENTED and context.path is Path.FORWARD
        whole = context.noninitial and sees_whole_packets(chain, context.family)
        key = (chain.key, view, decremented, whole)
        if key not in self._base_stages:
            steps = self._body(chain, view)
            passes = chain.policy is not Verdict.DROP
            why = f"the policy of chain {chain.name}"
            stages = _split(steps, f"chain {chain.name}", passes, why, decremented)
            self._base_stages[key] = tuple(stage._replace(reassembled=whole) for stage in stages)
        return self._base_stages[key]

    # -- one chain under a view ------------------------------------------------

    def _body(self, chain: Chain, view: _View) -> tuple[Step, ...]:
        key = (chain.key, view)
        if key not in self._bodies:
            body = tuple(_cut(self._steps(chain, view)))
            written_out = sum(1 + self._sizes[id(step.body)] if step.body else 1 for step in body)
            if written_out > self._most_steps:
                raise UsageError(
                    f"{chain.span}: chain {chain.name!r} with all its jumps is more than {self._most_steps:,} rules"
                )
            self._bodies[key] = body
            self._sizes[id(body)] = written_out
        return self._bodies[key]

    def _steps(self, chain: Chain, view: _View) -> Iterator[Step]:
        for rule in chain.rules:
            if rule.disabled or rule.verdict is Verdict.CONTINUE:
                continue
            match = _under(rule.match, view, reads_payload=self._reads_payload)
            if match is None or (rule.unmodelled and not self._kept(chain, rule)):
                continue
            outcome = _OUTCOMES.get(rule.verdict)
            if outcome is not None:
                yield Step(match, outcome, (), rule)
                continue
            body = self._body(self._chains[(chain.table, rule.target)], view)
            if body:
                yield Step(match, Outcome.CALL, body, rule)
            if rule.verdict is Verdict.GOTO:
                yield Step(match, Outcome.RETURN, (), rule)

    def _kept(self, chain: Chain, rule: Rule) -> bool:
        """Whether a rule with unknown clauses stays, as if they always held.

        Lower bound: what lets pass goes, what drops stays; upper: reversed. A
        return is no worse than an accept only where nothing in the chain accepts.
        """
        lower = self._bound == "lower"
        if rule.verdict in (Verdict.DROP, Verdict.REJECT):
            return lower
        if rule.verdict is Verdict.ACCEPT:
            return not lower
        if rule.verdict is Verdict.RETURN and not self._permits(chain):
            return not lower
        clause = rule.unmodelled[0]
        raise InputErrors((Unmodelled(f"a {rule.verdict.value} with {clause.text!r} has no bound", rule.span),))

    def _permits(self, chain: Chain) -> bool:
        if chain.key not in self._permitting:
            self._permitting[chain.key] = False
            self._permitting[chain.key] = any(
                rule.verdict is Verdict.ACCEPT
                or (rule.target and self._permits(self._chains[(chain.table, rule.target)]))
                for rule in chain.rules
                if not rule.disabled
            )
        return self._permitting[chain.key]

    # -- the whole ruleset -----------------------------------------------------

    def _mentioned(self, chain: Chain) -> tuple[bool, bool]:
        """Whether ingress and egress matter to the chain or to what it calls."""
        ingress = egress = False
        seen = {chain.key}
        waiting = [chain]
        while waiting:
            for rule in waiting.pop().rules:
                ingress = ingress or rule.match.ingress is not None
                egress = egress or rule.match.egress is not None
                key = (chain.table, rule.target)
                if rule.target and key in self._chains and key not in seen:
                    seen.add(key)
                    waiting.append(self._chains[key])
        return ingress, egress

    def _check_jumps(self) -> None:
        """Each jump has a chain, and no chain comes back to itself (the kernel refuses both), or goes too deep."""
        depths: dict[tuple[str, str], int] = {}
        for chain in self._ruleset.chains:
            for jumps, span, name in self._depths(chain, depths):
                if jumps > _DEEPEST:
                    raise UsageError(f"{span}: the jump to chain {name!r} is nested more than {_DEEPEST} deep")

    def _depths(self, start: Chain, depths: dict[tuple[str, str], int]) -> Iterator[tuple[int, Span, str]]:
        """The jumps of ``start`` and below, each with how deep it leads: walked without recursion."""
        above: list[tuple[Chain, Iterator[Rule]]] = [(start, iter(start.rules))]
        on_the_way = {start.key}
        while above:
            chain, rules = above[-1]
            for rule in rules:
                if not rule.target:
                    continue
                key = (chain.table, rule.target)
                if key not in self._chains:
                    raise UsageError(f"{rule.span}: a jump to chain {rule.target!r}, which does not exist")
                if key in on_the_way:
                    raise UsageError(f"{rule.span}: the jump to chain {rule.target!r} makes a loop")
                if key not in depths:
                    # The rule is looked at again when its chain's own depth is known.
                    above[-1] = (chain, chain_from([rule], rules))
                    above.append((self._chains[key], iter(self._chains[key].rules)))
                    on_the_way.add(key)
                    break
                yield depths[key] + 1, rule.span, rule.target
                depths[chain.key] = max(depths.get(chain.key, 0), depths[key] + 1)
            else:
                depths.setdefault(chain.key, 0)
                on_the_way.discard(chain.key)
                above.pop()

    def _refuse_unmodelled(self) -> None:
        errors = tuple(
            Unmodelled(f"{clause.text!r} is not modelled", clause.span)
            for chain in self._ruleset.chains
            for rule in chain.rules
            if not rule.disabled
            for clause in rule.unmodelled
        )
        if errors:
            raise InputErrors(errors)


def _under(match: Match, view: _View, *, reads_payload: bool) -> Match | None:
    """The match with the view applied: what remains to be asked of the packet, or None.

    With ``reads_payload`` a layer-4 condition is asked of the first bytes of a
    non-initial fragment, whatever they are.
    """
    family, noninitial, ingress, egress = match.family, match.noninitial, match.ingress, match.egress
    if family is None and noninitial is None and ingress is None and egress is None:
        return match
    if family is not None and family is not view.family:
        return None
    payload = reads_payload and view.noninitial and match.looks_at_layer4
    if noninitial is not None and noninitial is not view.noninitial and not payload:
        return None
    if ingress is not None and not ingress.contains(view.ingress):
        return None
    if egress is not None and not egress.contains(view.egress):
        return None
    return Match._make((None, *match[1:13], None, None, None))


def _cut(steps: Iterator[Step]) -> Iterator[Step]:
    """Steps up to the first that decides everything."""
    for step in steps:
        yield step
        if step.outcome is not Outcome.CALL and step.match == ANY:
            return


def _may_permit(steps: tuple[Step, ...]) -> bool:
    return any(
        step.outcome is Outcome.PERMIT or (step.outcome is Outcome.CALL and _may_permit(step.body)) for step in steps
    )


def _split(steps: tuple[Step, ...], name: str, default: bool, default_why: str, decremented: bool) -> Iterator[Stage]:
    """A chain as stages: each leading call of a list is a stage of its own.

    Only where nothing in the list accepts: an accept would end the whole chain.
    """
    start = 0
    while start < len(steps):
        step = steps[start]
        if step.outcome is not Outcome.CALL or step.match != ANY or _may_permit(step.body):
            break
        called = f"chain {step.origin.target}" if isinstance(step.origin, Rule) else name
        yield from _split(step.body, called, True, _END, decremented)
        start += 1
    rest = tuple(_flatten(steps[start:], default))
    if default and all(step.outcome is Outcome.PERMIT for step in rest):
        return
    yield Stage(name, rest, default, default_why, decremented)


def _flatten(steps: tuple[Step, ...], default: bool) -> Iterator[Step]:
    """Calls written out where that changes nothing; a return is the stage's default."""
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        if step.outcome is Outcome.RETURN:
            yield step._replace(outcome=Outcome.PERMIT if default else Outcome.DENY)
        elif step.outcome is Outcome.CALL and (last or not _returns(step.body)):
            for inner in _flatten(step.body, default):
                both = inner.match if step.match == ANY else intersect(step.match, inner.match)
                if both is not None:
                    yield inner._replace(match=both)
        else:
            yield step


def _returns(steps: tuple[Step, ...]) -> bool:
    return any(
        step.outcome is Outcome.RETURN or (step.outcome is Outcome.CALL and _returns(step.body)) for step in steps
    )
