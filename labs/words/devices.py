"""Words about devices and links: drops, counters of rules, captures, hops, octets of links."""

from __future__ import annotations

from compiler.addresses import format_address
from compiler.placed.quantities import format_octets
from compiler.policy.ruleset import Ruleset
from compiler.testing.dynamic.shares import uneven
from labs.observation import Observation
from labs.topology import Lab
from labs.words.showing import counted, plain_address, several
from labs.words.word import ArgumentKind, Arguments, Judged, Parameter, Word, matching

__all__ = ["WORDS"]


def _judge_count(found: int, arguments: Arguments, said: str) -> Judged:
    exact, low, high = (arguments.integer(name) for name in ("exactly", "at_least", "at_most"))
    if exact is None and low is None and high is None:
        low = 1
    held = (exact is None or found == exact) and (low is None or found >= low) and (high is None or found <= high)
    bounds = (("exactly", exact), ("at least", low), ("at most", high))
    expected = " and ".join(f"{word} {value:,}" for word, value in bounds if value is not None)
    return Judged(held, f"{said}; expected {expected}")


def _dropped(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    node, reason = arguments.text("node"), arguments.text("reason")
    own = [drop for drop in observation.drops if drop.node == node]
    found = [drop for drop in own if reason in drop.reason]
    said = f"{node} dropped {counted(sum(drop.packets for drop in found), 'packet')}"
    said += f" for {reason!r}" if reason else ""
    shown = found or own
    if shown:
        listed = [f"{drop.packets:,} {drop.reason}{f' at {drop.place}' if drop.place else ''}" for drop in shown]
        said += f" ({several(listed)})"
    return _judge_count(sum(drop.packets for drop in found), arguments, said)


def _matches(lab: Lab, observation: Observation, arguments: Arguments) -> Judged:
    node, rule = arguments.text("node"), arguments.text("rule")
    own = [count for count in observation.rules if count.node == node]
    found = [count for count in own if count.place == rule or _ends(count.place, rule)]
    if not found:
        reason = _why_uncounted(lab, node, rule) if observation.world == "kernel" else ""
        if reason:
            return Judged(False, f"the kernel does not count it: {reason}", unknown=True)
        places = several([count.place for count in own]) or "none"
        return Judged(False, f"no rule of {node} stands at {rule!r}; those that are counted: {places}")
    packets = sum(count.packets for count in found)
    return _judge_count(packets, arguments, f"{found[0].place} of {node} matched {counted(packets, 'packet')}")


def _why_uncounted(lab: Lab, name: str, rule: str) -> str:
    """Why the kernel has no counter of a rule that is there; empty when it is not there."""
    node = lab.node(name)
    configuration = node.configuration if node is not None else None
    if configuration is None or configuration.policy is None:
        return ""
    if configuration.dialect != "nftables" or not isinstance(configuration.policy, Ruleset):
        return f"the rules of {name} are {configuration.dialect}, and are compiled to nftables without counters"
    places = [str(one.span) for chain in configuration.policy.chains for one in chain.rules]
    if any(place == rule or _ends(place, rule) for place in places):
        return f"the rule at {rule!r} of {name} has no 'counter'"
    return ""


def _ends(place: str, rule: str) -> bool:
    """Whether ``balance.nft:12:3``, ``balance.nft:12`` or ``12`` names the place ``labs/x/balance.nft:12:3``."""
    without_column, _, _ = place.rpartition(":")
    if rule.isdecimal():  # a line: alone it is never a column
        return without_column.rpartition(":")[2] == rule
    return any(one == rule or one.endswith(f"/{rule}") for one in (place, without_column))


def _captured(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    link = arguments.text("link")
    found = sum(count.frames for count in observation.links if count.link == link)
    if link not in {name for name, _ in observation.captures}:
        return Judged(False, f"{link} was not captured: run with --capture {link}")
    return _judge_count(found, arguments, f"{counted(found, 'frame')} captured on {link}")


def _carried(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    link, way = arguments.text("link"), arguments.text("direction", "both")
    found = sum(count.octets for count in observation.links if count.link == link and way in ("both", count.direction))
    return _judge_count(found, arguments, f"{link} carried {format_octets(found)}")


def _links_split(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    """The octets of several links agree within a share of their mean."""
    way = arguments.text("direction", "both")
    octets = dict.fromkeys(arguments.texts("links"), 0)
    for count in observation.links:
        if count.link in octets and way in ("both", count.direction):
            octets[count.link] += count.octets
    total = sum(octets.values())
    shown = ", ".join(f"{name} {format_octets(value)}" for name, value in octets.items())
    if not total:
        return Judged(False, f"nothing went over {', '.join(octets)}")
    limit = arguments.number("within") or 0.0
    worst = uneven(octets, dict.fromkeys(octets, 1))[0].off
    return Judged(worst <= limit, f"{shown}: {worst:.2%} from their mean; expected at most {limit:.2%}")


def _hops(_: Lab, observation: Observation, arguments: Arguments) -> Judged:
    """The responders of a traceroute in their order."""
    through = tuple(map(plain_address, arguments.texts("through")))
    pattern = arguments.text("traffic")
    outcomes = matching(observation, pattern)
    wrong, paths = [], []
    for outcome in outcomes:
        path = [record.detail or "*" for record in sorted(outcome.connections, key=lambda record: record.index)]
        reporters = [
            format_address(record.failure.reporter, record.client.family.width)
            if record.failure and record.failure.reporter is not None
            else detail
            for record, detail in zip(sorted(outcome.connections, key=lambda record: record.index), path, strict=True)
        ]
        paths.append(f"{outcome.traffic}: {' > '.join(reporters) or 'no hop answered'}")
        count = arguments.integer("exactly")
        if (through and tuple(reporters) != through) or (count is not None and len(reporters) != count):
            wrong.append(paths[-1])
    expected = f"; expected {' > '.join(through)}" if through else ""
    if not outcomes or wrong:
        return Judged(False, f"{several(wrong) or f'{pattern} traced nothing'}{expected}")
    return Judged(True, several(paths))


_NODE = Parameter(ArgumentKind.NODE, required=True)
_LINK = Parameter(ArgumentKind.LINK, required=True)
_WAY = Parameter(ArgumentKind.TEXT, choices=("both", "up", "down"))


def _counts(kind: ArgumentKind = ArgumentKind.INTEGER) -> dict[str, Parameter]:
    return {"exactly": Parameter(kind), "at_least": Parameter(kind), "at_most": Parameter(kind)}


WORDS: dict[str, Word] = {
    "dropped": Word(
        "a node dropped so many packets, for a reason",
        "node",
        {"node": _NODE, "reason": Parameter(ArgumentKind.TEXT)} | _counts(),
        _dropped,
        frozenset({"drops"}),
    ),
    "matches": Word(
        "a rule of a configuration matched so many packets",
        "node",
        {"node": _NODE, "rule": Parameter(ArgumentKind.TEXT, required=True)} | _counts(),
        _matches,
        frozenset({"rules"}),
    ),
    "captured": Word("so many frames were captured on a link", "link", {"link": _LINK} | _counts(), _captured),
    "carried": Word(
        "a link carried so many octets",
        "link",
        {"link": _LINK, "direction": _WAY} | _counts(ArgumentKind.OCTETS),
        _carried,
    ),
    "balanced": Word(
        "links carried as many octets as each other",
        "links",
        {
            "links": Parameter(ArgumentKind.LINKS, required=True),
            "direction": _WAY,
            "within": Parameter(ArgumentKind.SHARE, required=True),
        },
        _links_split,
    ),
    "hops": Word(
        "a traceroute went by these addresses",
        "traffic",
        {
            "traffic": Parameter(ArgumentKind.TRAFFIC, required=True),
            "through": Parameter(ArgumentKind.ADDRESSES),
            "exactly": Parameter(ArgumentKind.INTEGER),
        },
        _hops,
    ),
}
