"""What must never get a routing mark: the router itself, its networks, and answers from outside."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.behaviour import MULTICAST, PRIVATE
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Edit, Lint
from compiler.balancing.lints.roles import Inside
from compiler.balancing.lints.rows import MANGLE, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import network_of
from compiler.balancing.walking import Beyond, Passage, Walked
from compiler.fields import Family
from compiler.policy.network import Prefix
from compiler.policy.stateful import State

__all__ = ["check_answers", "check_local"]


def check_local(subject: Subject) -> Iterator[Lint]:
    """New connections from inside to the router, to its networks, and to groups."""
    if not subject.behaviour.known:
        return
    for inside in subject.roles.inside:
        own, nets, groups = _marked_targets(subject, inside)
        if not own and not nets and not groups:
            continue
        row = _first_marking(subject, inside.interface)
        if row is None:
            continue
        said = []
        if own:
            told = ", ".join(format_address(one.value, 32) for one in own)
            worse = " (the router cannot be reached from there: no DNS, no Winbox)" if subject.version != 6 else ""
            said.append(f"the router's own {told}{worse}")
        if nets:
            said.append("the connected " + ", ".join(_told(one) for one in nets))
        if groups:
            said.append("multicast and broadcast")
        message = f"traffic from {inside.interface} to {'; to '.join(said)} is marked and sent out by an uplink"
        severity = (
            Severity.ERROR if own and subject.version != 6 else Severity.WARNING if own or nets else Severity.NOTE
        )
        yield lint(
            "local-traffic-marked",
            subject.place(row),
            message,
            tuple(_exceptions(subject, row, inside, bool(own), nets, groups)),
            severity=severity,
        )


def _marked_targets(subject: Subject, inside: Inside) -> tuple[list[Prefix], list[Prefix], bool]:
    """Own addresses, connected networks, and whether groups: all that is sent away by a mark."""
    behaviour = subject.behaviour
    assert behaviour.network is not None  # the behaviour is known
    ports = behaviour.network.interfaces
    every = [one for port in ports for one in port.addresses if one.family is Family.IPV4]
    own = [Prefix(Family.IPV4, one.address, 32) for one in every]
    mine = set(inside.networks)
    nets = [net for net in dict.fromkeys(network_of(one) for one in every) if net not in mine and net.length < 32]
    version6 = subject.version == 6
    own_marked = [one for one in own if _is_sent(subject, inside, [one], [])]
    nets_marked = [one for one in nets if _is_sent(subject, inside, [one], own)]
    groups = _is_sent(subject, inside, [MULTICAST], []) and not version6
    if version6 and not nets_marked:
        own_marked = []  # the local table comes first there: such marks have no effect
    return own_marked, nets_marked, groups


def _is_sent(subject: Subject, inside: Inside, targets: list[Prefix], but: list[Prefix]) -> bool:
    behaviour = subject.behaviour
    region = behaviour.to(targets) & behaviour.from_networks([*inside.networks, *PRIVATE])
    if but:
        region = region & ~behaviour.to(but)
    for atom in behaviour.atoms(region):
        start = Passage(inside.interface, state=State.NEW, connection="", routing="")
        try:
            walked = behaviour.walk(atom, start)
        except Beyond:
            return False
        if any(_leads_away(subject, one, targets[0]) for one in walked):
            return True
    return False


def _leads_away(subject: Subject, walked: Walked, target: Prefix) -> bool:
    """Whether the mark's table sends it elsewhere than the main table would."""
    table = str(walked.routing)
    network = subject.behaviour.network
    if not table or network is None:
        return False
    if subject.version == 6:  # rules come before the marks there
        for rule in network.rules:
            to = rule.destination
            if rule.enabled and rule.mark is None and rule.table == "main" and to is not None and _within(target, to):
                return False
    routes = [route for route in network.routes if route.table == table and route.enabled]
    if any(route.prefix.length and _within(target, route.prefix) for route in routes):
        return False
    return bool(routes)


def _within(inner: Prefix, outer: Prefix) -> bool:
    return inner.length >= outer.length and outer.contains(inner.value)


def _first_marking(subject: Subject, interface: str) -> Row | None:
    """The first rule of prerouting that may mark what comes in there."""
    aliases = {interface} | {alias for alias, name in subject.roles.aliases if name == interface}
    rows = [row for row in subject.of(MANGLE) if row["chain"] == "prerouting"]
    named = [row for row in rows if row["in-interface"] in aliases]
    for row in named or rows:
        if row["action"] in ("mark-connection", "mark-routing", "jump"):
            if row["in-interface"] in subject.roles.uplink_names:
                continue
            return row
    return None


def _exceptions(
    subject: Subject, row: Row, inside: Inside, own: bool, nets: list[Prefix], groups: bool
) -> Iterator[Edit]:
    """Rules in front that let local traffic be, as in MikroTik's own example."""
    where = f"in-interface={inside.interface}"
    if own:
        yield subject.before(row, MANGLE, f"chain=prerouting {where} dst-address-type=local action=accept")
    for net in nets:
        yield subject.before(row, MANGLE, f"chain=prerouting {where} dst-address={_told(net)} action=accept")
    if groups:
        yield subject.before(row, MANGLE, f"chain=prerouting {where} dst-address={_told(MULTICAST)} action=accept")


def _told(net: Prefix) -> str:
    return f"{format_address(net.value, 32)}/{net.length}"


def check_answers(subject: Subject) -> Iterator[Lint]:
    """Answers that come in by an uplink, and are sent out again by their connection's mark."""
    behaviour = subject.behaviour
    if not behaviour.known or not subject.roles.inside:
        return
    networks = [net for one in subject.roles.inside for net in one.networks]
    if not networks:
        return
    given = [row["new-connection-mark"] for row in subject.of(MANGLE) if row["action"] == "mark-connection"]
    told: set[int] = set()
    for uplink in subject.roles.uplink_names:
        for atom in behaviour.atoms(behaviour.to(networks) & behaviour.from_internet()):
            for mark in dict.fromkeys((*given, "")):
                passage = Passage(uplink, state=State.ESTABLISHED, connection=mark, routing="")
                try:
                    walked = behaviour.walk(atom, passage)
                except Beyond:
                    return
                for one in walked:
                    row = behaviour.row_of(one.rule)
                    if not _leads_away(subject, one, networks[0]) or row is None or row.start in told:
                        continue
                    told.add(row.start)
                    message = (
                        f"an answer that comes in by {uplink} to {_told(networks[0])} "
                        f"gets the routing mark {one.routing} and leaves again: the rule asks for no inside interface"
                    )
                    name = subject.roles.inside_names[0]
                    mended = (subject.change(row, {"in-interface": name}),) if len(subject.roles.inside) == 1 else ()
                    hint = "" if mended else f"ask for in-interface-list with {', '.join(subject.roles.inside_names)}"
                    yield lint("marking-without-lan-interface", subject.place(row), message, mended, hint=hint)
