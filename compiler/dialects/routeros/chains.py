"""The rows of one table -> its chains; and what chains must not do."""

from __future__ import annotations

from compiler.dialects.routeros.facts import BASE_CHAINS
from compiler.dialects.routeros.rules import RuleReader
from compiler.dialects.routeros.tables import Item
from compiler.errors import InputError, Unmodelled
from compiler.policy.ruleset import Chain, Hook, Rule, Verdict

__all__ = ["chains_of"]


def chains_of(
    table: str, items: list[Item], reader: RuleReader, tracking: bool
) -> tuple[list[Chain], list[InputError]]:
    """The chains of a table, base chains first, and the faults found on the way.

    Filter chains stand behind connection tracking, which reassembles packets
    unless it is switched off; with its default ``auto`` it runs as soon as a
    filter rule exists. Raw chains stand before it. A jump to a chain without
    rules comes straight back: such chains are empty here.
    """
    rows: dict[str, list[tuple[Rule, Item]]] = {}
    for item in items:
        rows.setdefault(item.properties["chain"], []).extend((rule, item) for rule in reader.rules(item))
    for target in [rule.target for chain in rows.values() for rule, _ in chain if rule.target]:
        rows.setdefault(target, [])
    kind = reader.kind
    base = dict(BASE_CHAINS[kind])
    faults = [*reader.faults, *_direction_faults(rows, reader), *_loop_faults(rows, reader)]
    chains = []
    for name in [*(name for name in base if name in rows), *(name for name in rows if name not in base)]:
        rules = tuple([rule for rule, _ in rows[name]])
        hook = Hook(name) if name in base else None
        families = frozenset({reader.family})
        reassembled = kind == "filter" and tracking
        chains.append(Chain(table, name, rules, families, hook, base.get(name, 0), Verdict.ACCEPT, reassembled))
    return chains, faults


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


def _direction_faults(rows: dict[str, list[tuple[Rule, Item]]], reader: RuleReader) -> list[InputError]:
    """No egress is known before routing and on the way in, no ingress on the way out."""
    faults = []
    for base in ("prerouting", "input", "output"):
        side = "in" if base == "output" else "out"
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
