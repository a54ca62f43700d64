"""The rows of one table -> its chains; and what chains must not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compiler.dialects.routeros.facts import BASE_CHAINS
from compiler.dialects.routeros.rules import RuleReader
from compiler.dialects.routeros.tables import Item
from compiler.errors import InputError, Unmodelled
from compiler.policy.ruleset import Chain, ChainKind, Hook, Rule, Verdict

__all__ = ["chains_of"]


def chains_of(
    table: str,
    items: list[Item],
    reader: RuleReader,
    tracking: bool,
    bases: Mapping[str, tuple[Hook, int]] | None = None,
    kind_of: Callable[[Hook | None], ChainKind] = lambda _hook: ChainKind.FILTER,
) -> tuple[list[Chain], list[InputError]]:
    """The chains of a table, base chains first, and the faults found on the way.

    Filter chains stand behind connection tracking, which reassembles packets
    unless it is switched off; with its default ``auto`` it runs as soon as a
    filter rule exists. Raw chains stand before it. A jump to a chain without
    rules comes straight back: such chains are empty here. ``bases`` are the
    built-in chains; without them those that proofs know.
    """
    rows: dict[str, list[tuple[Rule, Item]]] = {}
    for item in items:
        rows.setdefault(item.properties["chain"], []).extend((rule, item) for rule in reader.rules(item))
    for target in [rule.target for chain in rows.values() for rule, _ in chain if rule.target]:
        rows.setdefault(target, [])
    kind = reader.kind
    if bases is None:
        bases = {name: (Hook(name), priority) for name, priority in BASE_CHAINS[kind]}
        sides = {"prerouting": "out", "input": "out", "output": "in"}
    else:
        sides = {name: _SIDES[hook] for name, (hook, _) in bases.items() if hook in _SIDES}
    faults = [*reader.faults, *_direction_faults(rows, reader, sides), *_loop_faults(rows, reader)]
    chains = []
    for name in [*(name for name in bases if name in rows), *(name for name in rows if name not in bases)]:
        rules = tuple([rule for rule, _ in rows[name]])
        hook, priority = bases.get(name, (None, 0))
        chains.append(
            Chain(
                table,
                name,
                rules,
                frozenset({reader.family}),
                hook,
                priority,
                Verdict.ACCEPT,
                kind != "raw" and tracking,
                kind=kind_of(hook),
            )
        )
    return chains, faults


_SIDES = {Hook.PREROUTING: "out", Hook.INPUT: "out", Hook.OUTPUT: "in", Hook.POSTROUTING: "in"}
"""The side on which no interface is known where a hook stands."""


def _jumps(rows: dict[str, list[tuple[Rule, Item]]], name: str) -> list[tuple[str, Item]]:
    return [(rule.target, item) for rule, item in rows.get(name, ()) if rule.target and not rule.disabled]


def _reached(rows: dict[str, list[tuple[Rule, Item]]], name: str) -> list[str]:
    found, waiting = {name: None}, [name]
    while waiting:
        for target, _ in _jumps(rows, waiting.pop()):
            if target not in found:
                found[target] = None
                waiting.append(target)
    return list(found)


def _direction_faults(
    rows: dict[str, list[tuple[Rule, Item]]], reader: RuleReader, sides: Mapping[str, str]
) -> list[InputError]:
    """No egress is known before routing and on the way in, no ingress on the way out."""
    faults = []
    for base, side in sides.items():
        names = (f"{side}-interface", f"{side}-interface-list")
        for name in _reached(rows, base) if base in rows else ():
            for rule, item in rows[name]:
                # ``all`` leaves the field of a match free, but no interface is here for it to match.
                unread = {clause.text.partition("=")[0] for clause in rule.unmodelled}
                used = next((word for word in names if item.properties.get(word) and word not in unread), "")
                if rule.disabled or not used:
                    continue
                message = f"{used} cannot match in chain {base}"
                if name != base:
                    message += f", which reaches {name} by jumps"
                faults.append(item.fault(reader.script, message, used, Unmodelled))
    return faults


def _loop_faults(rows: dict[str, list[tuple[Rule, Item]]], reader: RuleReader) -> list[InputError]:
    """Jumps that come back to a chain they started from."""
    done: set[str] = set()
    for start in rows:
        if start in done:
            continue
        path = [start]
        branches = [iter(_jumps(rows, start))]
        while branches:
            step = next(branches[-1], None)
            if step is None:
                branches.pop()
                done.add(path.pop())
            elif step[0] in path:
                return [
                    step[1].fault(reader.script, f"the jump to {step[0]} closes a circle", "jump-target", Unmodelled)
                ]
            elif step[0] not in done:
                path.append(step[0])
                branches.append(iter(_jumps(rows, step[0])))
    return []
