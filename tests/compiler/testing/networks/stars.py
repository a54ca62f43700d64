"""Random star networks: a router in the middle, up to two more, hosts behind switches, up to three lines to outside."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from compiler.fields import Family
from compiler.placed.addresses import address, prefix
from compiler.policy.network import NextHop, Route, RouteKind
from compiler.testing.networks.model import NetworkModel, network

__all__ = ["Star", "stars"]

LINES = 3


@dataclass(frozen=True)
class Star:
    """A network, and the addresses that its packets go to."""

    model: NetworkModel
    family: Family
    destinations: tuple[int, ...]


def _net(family: Family, number: int) -> str:
    return f"10.{number}.0." if family is Family.IPV4 else f"2001:db8:{number:x}::"


def _length(family: Family) -> int:
    return 24 if family is Family.IPV4 else 64


PORT = {"ios": "GigabitEthernet0/{}", "nftables": "eth{}", "routeros": "ether{}"}


@st.composite
def rules(draw: st.DrawFn, family: Family, count: int) -> list[tuple[bool, str, str, str, str]]:
    """Whether it permits, protocol, source, destination, port; ``""`` is any."""
    nets = ["", *(f"{_net(family, number)}{host}" for number in (1, 2, 3) for host in ("0", "2"))]
    found = []
    for _ in range(count):
        protocol = draw(st.sampled_from(["", "tcp", "udp"]))
        port = draw(st.sampled_from(["", "80", "443"])) if protocol else ""
        source, destination = draw(st.sampled_from(nets)), draw(st.sampled_from(nets))
        found.append((draw(st.booleans()), protocol, source, destination, port))
    return found


def _is_network(text: str) -> bool:
    return text.endswith((".0", ":0"))


def _ios(name: str, family: Family, lists: dict[int, list], ends: dict[int, str], ways: dict[int, str]) -> str:
    lines = [f"hostname {name}"]
    for number in ends:
        lines.append(f"interface {PORT['ios'].format(number)}")
        if number in lists:
            four, way = family is Family.IPV4, ways[number]
            lines.append(f" ip access-group {100 + number} {way}" if four else f" ipv6 traffic-filter L{number} {way}")
    for number, entries in lists.items():
        if family is Family.IPV6:
            lines.append(f"ipv6 access-list L{number}")
        for permits, protocol, source, destination, port in entries:
            words = ["permit" if permits else "deny", protocol or ("ip" if family is Family.IPV4 else "ipv6")]
            for one in (source, destination):
                if not one:
                    words.append("any")
                elif family is Family.IPV6:
                    words.append(f"{one[:-1]}/64" if _is_network(one) else f"host {one}")
                else:
                    words.append(f"{one} 0.0.0.255" if _is_network(one) else f"host {one}")
            words += ["eq", port] if port else []
            prefix = f"access-list {100 + number} " if family is Family.IPV4 else " "
            lines.append(prefix + " ".join(words))
    return "\n".join(lines) + "\n"


def _nft(family: Family, entries: list, policy: str) -> str:
    lines = []
    for permits, protocol, source, destination, port in entries:
        words = []
        ip = "ip" if family is Family.IPV4 else "ip6"
        for word, one in (("saddr", source), ("daddr", destination)):
            if one:
                words.append(f"{ip} {word} {one[:-1] + '/64' if _is_network(one) and ip == 'ip6' else one}")
                if _is_network(one) and ip == "ip":
                    words[-1] += "/24"
        if protocol:
            words.append(f"{protocol} dport {port}" if port else f"meta l4proto {protocol}")
        lines.append("    " + " ".join([*words, "accept" if permits else "drop"]))
    body = "\n".join(lines)
    return (
        f"table inet filter {{\n  chain forward {{\n    type filter hook forward priority 0; policy {policy};\n{body}\n"
        f"  }}\n  chain input {{\n    type filter hook input priority 0; policy accept;\n{body}\n  }}\n}}\n"
    )


def _routeros(family: Family, entries: list) -> str:
    lines = ["/ip firewall filter" if family is Family.IPV4 else "/ipv6 firewall filter"]
    length = _length(family)
    for chain in ("forward", "input"):
        for permits, protocol, source, destination, port in entries:
            words = [f"add chain={chain} action={'accept' if permits else 'drop'}"]
            for word, one in (("src-address", source), ("dst-address", destination)):
                if one:
                    held = one[:-1] if family is Family.IPV6 and _is_network(one) else one
                    words.append(f"{word}={held}/{length if _is_network(one) else family.width}")
            words += [f"protocol={protocol}"] if protocol else []
            words += [f"dst-port={port}"] if port else []
            lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


@st.composite
def _text(draw: st.DrawFn, name: str, family: Family, dialect: str, ends: dict[int, str]) -> str:
    entries = draw(rules(family, draw(st.integers(0, 3))))
    if not entries:
        return ""
    if dialect == "nftables":
        return _nft(family, entries, draw(st.sampled_from(["accept", "drop"])))
    if dialect == "routeros":
        return _routeros(family, entries)
    numbers = draw(st.lists(st.sampled_from(sorted(ends)), min_size=1, max_size=2, unique=True))
    lists = {number: entries if number == numbers[0] else draw(rules(family, 2)) for number in numbers}
    return _ios(name, family, lists, ends, {number: draw(st.sampled_from(["in", "out"])) for number in numbers})


@st.composite
def _routes(draw: st.DrawFn, family: Family, gateways: list[str]) -> tuple[Route, ...]:
    """Overlapping, equal-cost, disabled, blackhole, and to gateways that nobody has."""
    length = _length(family)
    whole = "0.0.0.0/0" if family is Family.IPV4 else "::/0"
    nets = [whole, *(f"{_net(family, number)}{'0' if family is Family.IPV4 else ''}/{length}" for number in (1, 2, 3))]
    nets += [f"{_net(family, 2)}2/{family.width}", f"{_net(family, 7)}{'0' if family is Family.IPV4 else ''}/{length}"]
    found = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([RouteKind.UNICAST] * 4 + [RouteKind.BLACKHOLE, RouteKind.UNREACHABLE]))
        hops = tuple(
            NextHop(address(one)[1]) for one in draw(st.lists(st.sampled_from(gateways), min_size=1, max_size=2))
        )
        route = Route(prefix(draw(st.sampled_from(nets))), hops if kind is RouteKind.UNICAST else ())
        found.append(
            replace(route, kind=kind, distance=draw(st.sampled_from([1, 1, 2])), enabled=draw(st.integers(0, 5)) > 0)
        )
    return tuple(found)


@st.composite
def stars(draw: st.DrawFn) -> Star:
    """The middle is ``r1``; ``r2`` and ``r3`` hang on it. Network 10+n joins r1 and rn, 20+k is the line k outside."""
    family = draw(st.sampled_from(list(Family)))
    length, routers, lines = _length(family), draw(st.integers(1, 3)), draw(st.integers(0, LINES))
    made = network()
    destinations = []
    for number in range(1, routers + 1):
        dialect = draw(st.sampled_from(["", "ios", "nftables", "routeros"]))
        port = PORT[dialect or "nftables"]
        ends = {0: f"{_net(family, number)}1/{length}"}
        gateways = [f"{_net(family, number)}9", f"{_net(family, number)}2"]
        joined = range(2, routers + 1) if number == 1 else [number]
        for other in joined:
            ends[other] = f"{_net(family, 10 + other)}{1 if number == 1 else 2}/{length}"
            gateways.append(f"{_net(family, 10 + other)}{2 if number == 1 else 1}")
        for line in range(lines if number == 1 else 0):
            ends[4 + line] = f"{_net(family, 20 + line)}1/{length}"
            gateways.append(f"{_net(family, 20 + line)}2")
        text = draw(_text(f"r{number}", family, dialect, ends)) if dialect else ""
        made = made.router(f"r{number}", text=text, ports={port.format(end): one for end, one in ends.items()})
        routes = draw(_routes(family, gateways))
        *before, last = made.routers
        if draw(st.integers(0, 3)) == 3:
            routes = (
                *routes,
                Route(prefix("0.0.0.0/0" if family is Family.IPV4 else "::/0"), (NextHop(address(gateways[-1])[1]),)),
            )
        last = replace(last, network=replace(last.network, routes=routes))
        made = replace(made, routers=(*before, last))
        made = made.switch(f"s{number}").cable(f"s{number}", f"r{number}:{port.format(0)}")
        for host in range(2, 2 + draw(st.integers(1, 2))):
            gateway = draw(st.sampled_from([f"{_net(family, number)}1"] * 4 + [f"{_net(family, number)}9", ""]))
            made = made.host(f"h{number}{host}", f"{_net(family, number)}{host}/{length}", gateway=gateway or ())
            made = made.cable(f"h{number}{host}", f"s{number}")
        for one in ("1", "2", "3", "9"):
            destinations.append(address(f"{_net(family, number)}{one}")[1])
        if number > 1:
            first = next(one for one in made.routers[0].network.interfaces if one.name.endswith(str(number)))
            made = made.cable(f"r1:{first.name}", f"r{number}:{port.format(number)}")
    for number in (7, 20, 21, 12):
        destinations += [address(f"{_net(family, number)}{one}")[1] for one in ("1", "2", "7")]
    strange = ("127.0.0.1", "240.0.0.1", "0.0.0.1") if family is Family.IPV4 else ("::1", "fe00::1")
    destinations += [address(one)[1] for one in strange]
    return Star(made, family, tuple(destinations))
