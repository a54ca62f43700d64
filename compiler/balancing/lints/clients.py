"""Clients that lie in no network behind the router."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.addresses import format_address
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.lint import Lint
from compiler.balancing.lints.roles import hop_of
from compiler.balancing.lints.rows import MANGLE, NAT, ROUTES, Row
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.values import network_of, parse_prefix
from compiler.dialects.routeros.script import Path
from compiler.policy.network import Prefix
from compiler.source import Span

__all__ = ["check_clients"]

_LISTS: Path = ("ip", "firewall", "address-list")
_OTHER_MENUS = {("queue", "simple"): "target", ("ip", "dhcp-server", "lease"): "address"}


def check_clients(subject: Subject) -> Iterator[Lint]:
    """Hosts that rules, lists, queues and leases name as clients, and that are in no inside network."""
    networks = [net for one in subject.roles.inside for net in one.networks]
    if not networks:
        return
    reached = networks + [
        prefix
        for row in subject.of(ROUTES)
        if (prefix := parse_prefix(row["dst-address"])) is not None
        and prefix.length
        and hop_of(subject.reading, row["gateway"]) not in subject.roles.uplink_names
    ]
    found: dict[tuple[str, Prefix], list[Span]] = {}
    for span, what, client in _clients(subject):
        if client.length < 24:
            continue  # the private networks as a whole, a list of whatever may be inside
        if any(one.contains(client.value) or client.contains(one.value) for one in reached):
            continue
        found.setdefault((what, client), []).append(span)
    for (what, client), spans in found.items():
        at = [one for one in subject.roles.uplinks if one.address and network_of(one.address).contains(client.value)]
        where = f"; it lies in the network of the uplink {at[0].interface}" if at else ""
        told = ", ".join(f"{format_address(net.value, 32)}/{net.length}" for net in networks)
        name = format_address(client.value, 32) + (f"/{client.length}" if client.length < 32 else "")
        others = ", ".join(str(span.line) for span in spans[1:])
        where += f" (lines {others} too)" if others else ""
        message = f"{what} {name} lies in no inside network ({told}){where}"
        yield lint("client-outside-lan", spans[0], message, hint="give the client's address, or a route to its network")


def _clients(subject: Subject) -> Iterator[tuple[Span, str, Prefix]]:
    lists = set()
    for row in subject.of(MANGLE):
        if row["chain"] == "prerouting" and row["in-interface"] not in subject.roles.uplink_names:
            yield from _named(subject, row, "src-address", "the client")
            lists.add(row["src-address-list"])
    for row in subject.of(NAT):
        if row["chain"] == "dstnat" and row["action"] == "dst-nat":
            yield from _named(subject, row, "to-addresses", "the host of a port forward")
        if row["chain"] == "srcnat":
            yield from _named(subject, row, "src-address", "the client")
    for row in subject.of(_LISTS):
        if row["list"] in lists and row["list"]:
            yield from _named(subject, row, "address", f"the client (list {row['list']})")
    yield from _elsewhere(subject)


def _named(subject: Subject, row: Row, name: str, what: str) -> Iterator[tuple[Span, str, Prefix]]:
    prefix = parse_prefix(row[name])
    if prefix is not None:
        yield subject.place(row, name), what, prefix


def _elsewhere(subject: Subject) -> Iterator[tuple[Span, str, Prefix]]:
    script = subject.reading.script
    for statement in script.statements:
        name = _OTHER_MENUS.get(statement.path)
        for word in script.words(statement) if name and statement.command == "add" else ():
            for part in word.value.split(",") if word.name == name and isinstance(word.value, str) else ():
                prefix = parse_prefix(part)
                if prefix is not None and prefix.length:
                    yield script.span(word.start, word.end), f"the client of /{' '.join(statement.path)}", prefix
