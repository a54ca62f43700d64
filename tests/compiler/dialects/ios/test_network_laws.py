"""A network written as text reads back as itself; ``no`` takes back; mutated texts are read or refused with a place."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compiler.addresses import format_address
from compiler.dialects.ios.network import read_network
from compiler.errors import InputErrors
from compiler.fields import TCP, UDP, Family
from compiler.policy.network import (
    DynamicTranslation,
    Interface,
    InterfaceAddress,
    NatSide,
    Network,
    NextHop,
    Prefix,
    Route,
    RouteKind,
    RouteMap,
    RouteMapEntry,
    StaticTranslation,
)
from compiler.policy.stateful import AddressRange
from compiler.source import NOWHERE

CORPUS = Path(__file__).parents[3] / "corpus" / "ios" / "networks"

# -- a small writer ---------------------------------------------------------------------


def mask(length):
    return format_address(0xFFFFFFFF ^ ((1 << 32 - length) - 1), 32)


def four(value):
    return format_address(value, 32)


def six(value):
    return format_address(value, 128)


def interface_lines(interface):
    yield f"interface {interface.name}"
    if interface.comment:
        yield f" description {interface.comment}"
    fours = [one for one in interface.addresses if one.family is Family.IPV4]
    for index, one in enumerate(fours):
        yield f" ip address {four(one.address)} {mask(one.length)}" + (" secondary" if index else "")
    for one in interface.addresses[len(fours) :]:
        yield f" ipv6 address {six(one.address)}/{one.length}"
    if not interface.enabled:
        yield " shutdown"
    if interface.mtu != 1500:
        yield f" {'ip mtu' if interface.mtu < 1500 else 'mtu'} {interface.mtu}"
    if interface.nat:
        yield f" ip nat {interface.nat.value}"
    if interface.policy:
        yield f" ip policy route-map {interface.policy}"
    if not interface.unreachables:
        yield " no ip unreachables"


def route_line(route):
    if route.prefix.family is Family.IPV4:
        words = ["ip route", four(route.prefix.value), mask(route.prefix.length)]
    else:
        words = ["ipv6 route", f"{six(route.prefix.value)}/{route.prefix.length}"]
    if route.kind is RouteKind.BLACKHOLE:
        words.append("Null0")
    for hop in route.next_hops:
        words.append(hop.interface)
        words.append("" if hop.address is None else format_address(hop.address, route.prefix.family.width))
    if route.distance != 1:
        words.append(str(route.distance))
    if route.comment:
        words.append(f"name {route.comment}")
    if route.permanent:
        words.append("permanent")
    return " ".join(filter(None, words))


def map_lines(found):
    for entry in found.entries:
        yield f"route-map {found.name} {'permit' if entry.permits else 'deny'} {entry.sequence}"
        for head, values in (
            ("match ip address", entry.lists),
            ("match interface", entry.egress),
            ("set ip next-hop", map(four, entry.next_hops)),
            ("set interface", entry.interfaces),
            ("set ip default next-hop", map(four, entry.default_next_hops)),
            ("set default interface", entry.default_interfaces),
        ):
            tail = " ".join(values)
            if tail:
                yield f" {head} {tail}"


def static_line(found):
    side = "outside" if found.outside else "inside"
    ends = [(four(found.local), found.local_port)]
    place = f"interface {found.interface}" if found.interface else four(found.global_address)
    ends.append((place, found.global_port))
    if found.outside:
        ends.reverse()
    ported = found.protocol is not None
    text = " ".join(f"{place} {port}" if ported else place for place, port in ends)
    head = {TCP: "tcp ", UDP: "udp "}.get(found.protocol, "network " if found.length < 32 else "")
    tail = f" /{found.length}" if found.length < 32 else ""
    return f"ip nat {side} source static {head}{text}{tail}{'' if found.alias else ' no-alias'}"


def network_text(network, step):
    lines = [f"hostname {network.hostname}"] if network.hostname else []
    for interface in network.interfaces:
        lines += interface_lines(interface)
    lines += [f"ip name-server {four(one)}" for one in network.name_servers]
    for index, found in enumerate(network.dynamic_translations):
        if found.pool:
            ends = f"{four(found.pool.first)} {four(found.pool.last)}"
            lines.append(f"ip nat pool P{index} {ends} prefix-length 24")
        what = f"list {found.access_list}" if found.access_list else f"route-map {found.route_map}"
        to = f"interface {found.interface}" if found.interface else f"pool P{index}"
        lines.append(f"ip nat inside source {what} {to}{' overload' if found.overload else ''}")
    lines += map(static_line, network.static_translations)
    lines += map(route_line, network.routes)
    for found in network.route_maps:
        lines += map_lines(found)
    return step.join(line if step == "\n" else line.strip() for line in lines) + "\n"


# -- random networks --------------------------------------------------------------------

NAMES = ["GigabitEthernet0/0", "GigabitEthernet0/1", "GigabitEthernet0/1.20", "Serial0/0/0", "Vlan7", "Loopback3"]
words = st.text("abcdefgXYZ09-_", min_size=1, max_size=8).filter(lambda text: text[0].isalpha())
lists = st.lists(st.sampled_from(["1", "101", "OFFICE", "SERVERS"]), max_size=3, unique=True).map(tuple)
hosts = st.integers(0x0B000001, 0x7E000000)
hops = st.lists(hosts, max_size=3).map(tuple)


@st.composite
def interfaces(draw, maps):
    found = []
    for index, name in enumerate(draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))):
        base = 0x0A000000 + index * 0x100
        hosts_here = draw(st.lists(st.integers(1, 254), max_size=3, unique=True))
        addresses = [InterfaceAddress(Family.IPV4, base + host, 24) for host in hosts_here]
        for host in draw(st.lists(st.integers(1, 2**64 - 1), max_size=2, unique=True)):
            addresses.append(InterfaceAddress(Family.IPV6, 0x20010DB8 << 96 | index << 64 | host, 64))
        found.append(
            Interface(
                name,
                tuple(addresses),
                draw(st.booleans()) or name == "GigabitEthernet0/1",
                draw(st.sampled_from([1500, 1400, 68, 9000])),
                draw(st.sampled_from([None, NatSide.INSIDE, NatSide.OUTSIDE])),
                draw(st.sampled_from(["", *maps])),
                draw(st.booleans()),
                draw(st.sampled_from(["", "to the centre", "x, y  z!"])),
            )
        )
    assume(all(one.mtu <= 1500 or one.name != "GigabitEthernet0/1" for one in found))  # its subinterface has it too
    return tuple(found)


@st.composite
def routes(draw, names):
    family = draw(st.sampled_from(Family))
    length = draw(st.integers(0, family.width))
    value = draw(st.integers(0, 2**family.width - 1)) >> family.width - length << family.width - length
    host = hosts if family is Family.IPV4 else st.integers(0x20020000 << 96, 0x20030000 << 96)
    if draw(st.integers(0, 4)) == 0:
        kind, next_hops = RouteKind.BLACKHOLE, ()
    else:
        address, name = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
        hop = NextHop(draw(host) if address else None, draw(st.sampled_from(names)) if name else "")
        kind, next_hops = RouteKind.UNICAST, (hop,)
    distance = draw(st.integers(1, 255))
    return Route(
        Prefix(family, value, length),
        next_hops,
        distance=distance,
        kind=kind,
        enabled=distance < 255,
        comment=draw(st.sampled_from(["", "backup"])),
        permanent=draw(st.booleans()),
    )


@st.composite
def statics(draw, names):
    form = draw(st.sampled_from(["host", "port", "network", "interface"]))
    local, other = draw(hosts), draw(hosts)
    outside = form != "interface" and draw(st.booleans())
    alias = draw(st.booleans())
    if form == "network":
        length = draw(st.integers(8, 31))
        cut = 32 - length
        return StaticTranslation(local >> cut << cut, other >> cut << cut, length=length, outside=outside, alias=alias)
    name = draw(st.sampled_from(names)) if form == "interface" else ""
    found = StaticTranslation(local, None if name else other, name, outside=outside, alias=alias)
    if form == "port" or (form == "interface" and draw(st.booleans())):
        ports = st.integers(1, 65535)
        protocol = draw(st.sampled_from([TCP, UDP]))
        found = replace(found, protocol=protocol, local_port=draw(ports), global_port=draw(ports))
    return found


@st.composite
def networks(draw):
    policies = draw(st.lists(words, max_size=2, unique=True))
    ports = draw(interfaces(policies))
    names = [one.name for one in ports]
    some = st.lists(st.sampled_from(names), max_size=2).map(tuple)

    def route_map(name, *, policy):
        sequences = sorted(draw(st.lists(st.integers(0, 65535), min_size=1, max_size=3, unique=True)))
        entries = []
        for sequence in sequences:
            entry = RouteMapEntry(sequence, draw(st.booleans()), draw(lists))
            if policy:
                sets = [draw(one) for one in (hops, some, hops, some)]
                entry = RouteMapEntry(sequence, entry.permits, entry.lists, *sets)
            else:
                entry = replace(entry, egress=draw(some))
            entries.append(entry)
        return RouteMap(name, tuple(entries))

    def dynamic(name, *, mapped):
        pool, out = None, draw(st.sampled_from(["", *names]))
        if not out:
            first, last = sorted(draw(st.tuples(st.integers(1, 254), st.integers(1, 254))))
            pool = AddressRange(Family.IPV4, 0xC6336400 + first, 0xC6336400 + last)
        return DynamicTranslation("" if mapped else name, name if mapped else "", pool, out, draw(st.booleans()))

    maps = [route_map(name, policy=True) for name in policies]
    dynamics = [dynamic(name, mapped=False) for name in draw(st.lists(words, max_size=2, unique=True))]
    for name in draw(st.lists(words.map("nat-".__add__), max_size=2, unique=True)):
        maps.append(route_map(name, policy=False))
        dynamics.append(dynamic(name, mapped=True))
    fixed = st.lists(
        statics(names), max_size=4, unique_by=lambda s: (s.outside, s.protocol, s.global_address, s.global_port)
    )
    return Network(
        "random",
        "ios",
        draw(st.one_of(st.just(""), words)),
        interfaces=ports,
        routes=tuple(draw(st.lists(routes(names), max_size=5, unique_by=lambda r: (r.prefix, r.next_hops)))),
        route_maps=tuple(maps),
        static_translations=tuple(draw(fixed)),
        dynamic_translations=tuple(dynamics),
        name_servers=tuple(draw(st.lists(hosts, max_size=3, unique=True))),
    )


def placeless(network):
    """The same with no places, which the random network has not either."""

    def strip(values):
        return tuple(replace(value, span=NOWHERE) for value in values)

    maps = tuple(replace(found, entries=strip(found.entries)) for found in strip(network.route_maps))
    return replace(
        network,
        interfaces=strip(network.interfaces),
        routes=strip(network.routes),
        route_maps=maps,
        static_translations=strip(network.static_translations),
        dynamic_translations=strip(network.dynamic_translations),
    )


@settings(max_examples=200)
@given(networks())
def test_written_and_read_again(network):
    assert placeless(read_network(network_text(network, "\n"), "random")) == network


@settings(max_examples=100)
@given(networks())
def test_printed_or_typed_makes_no_difference(network):
    typed = "\r\n".join(line.strip() for line in network_text(network, "\n").split("\n"))
    assert placeless(read_network(typed, "random")) == network


@settings(max_examples=50)
@given(networks())
def test_all_is_taken_back(network):
    text = network_text(network, "\n")
    wanted = [line for line in text.splitlines() if line.startswith(("ip route", "ipv6 route", "ip nat", "ip name"))]
    taken = [f"no {line}" for line in wanted if " pool P" not in line or "inside source" in line]
    found = read_network(text + "\n".join(taken) + "\n", "random")
    assert (found.routes, found.static_translations, found.dynamic_translations, found.name_servers) == ((), (), (), ())


# -- removal, replacement ---------------------------------------------------------------


def addresses(text):
    (interface,) = read_network(text, "r1").interfaces
    return [four(one.address) for one in interface.addresses]


HEAD = "interface Gi0/0\n ip address 10.0.0.1 255.0.0.0\n ip address 10.0.0.2 255.0.0.0 secondary\n"


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("", ["10.0.0.1", "10.0.0.2"]),
        (" ip address 10.0.0.3 255.0.0.0\n", ["10.0.0.3", "10.0.0.2"]),
        (" ip address 10.0.0.2 255.0.0.0\n", ["10.0.0.2"]),
        (" no ip address 10.0.0.2 255.0.0.0 secondary\n", ["10.0.0.1"]),
        (" no ip address\n", []),
        (" ip address dhcp\n", []),
        ("default interface Gi0/0\n", []),
    ],
)
def test_addresses_come_and_go(lines, left):
    assert addresses(HEAD + lines) == left


def test_lines_of_an_interface_are_taken_back():
    lines = ["mtu 9000", "ip mtu 1400", "ip nat inside", "ip policy route-map X", "description y", "shutdown"]
    text = "".join(f" {line}\n" for line in ["no ip unreachables", *lines])
    text += "".join(f" no {line}\n" for line in lines) + " ip unreachables\n"
    (interface,) = read_network(f"interface Gi0/0\n{text}", "r1").interfaces
    assert replace(interface, span=NOWHERE) == Interface("GigabitEthernet0/0")


def test_a_route_of_the_same_next_hop_is_replaced():
    text = "ip route 10.0.0.0 255.0.0.0 192.0.2.1\nip route 10.0.0.0 255.0.0.0 192.0.2.1 200 name late\n"
    (route,) = read_network(text, "r1").routes
    assert (route.distance, route.comment, route.span.line) == (200, "late", 2)


def test_the_second_translation_of_a_list_replaces_the_first():
    ports = "interface Gi0/0\ninterface Gi0/1\n"
    lines = "".join(f"ip nat inside source list 1 interface Gi0/{port} overload\n" for port in (0, 1))
    (found,) = read_network(ports + lines, "r1").dynamic_translations
    assert found.interface == "GigabitEthernet0/1"


def test_route_maps_are_taken_back():
    text = "route-map X permit 10\n match ip address 1\nroute-map X permit 20\n set ip next-hop 10.0.0.1\n"
    (found,) = read_network(text + "no route-map X permit 10\n", "r1").route_maps
    assert [entry.sequence for entry in found.entries] == [20]
    (found,) = read_network(text + " no set ip next-hop\n", "r1").route_maps
    assert found.entries[1].next_hops == ()
    assert read_network(text + "no route-map X\n", "r1").route_maps == ()


def test_an_interface_below_one_that_is_down_is_down():
    text = "interface Gi0/0.5\n ip address 10.0.0.1 255.0.0.0\ninterface Gi0/0\n mtu 9000\n shutdown\n"
    assert [(one.enabled, one.mtu) for one in read_network(text, "r1").interfaces] == [(False, 9000), (False, 9000)]


def test_ports_in_the_hash():
    text = "ip cef load-sharing algorithm include-ports source destination\n"
    assert read_network(text, "r1").multipath_policy == "l4"
    assert read_network(text + "no ip cef load-sharing algorithm\n", "r1").multipath_policy == "l3"


# -- mutated texts ----------------------------------------------------------------------

TEXTS = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.cfg"))]
WORDS = sorted({word for text in TEXTS for word in text.split()} | {"", "-1", "no", "/33", "::", "\x00", "٣", "1.2.3"})


@settings(max_examples=300)
@given(st.sampled_from(TEXTS), st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(WORDS)), max_size=6))
def test_mutated_configurations_are_read_or_refused(text, edits):
    lines = text.split("\n")
    for place, word in edits:
        at = place % len(lines)
        parts = lines[at].split(" ")
        parts[place // len(lines) % len(parts)] = word
        lines[at] = " ".join(parts)
    try:
        read_network("\n".join(lines), "fuzz")
    except InputErrors as errors:
        for error in errors.errors:
            assert 1 <= error.span.line <= len(lines)
            assert 1 <= error.span.column <= len(lines[error.span.line - 1]) + 2
            assert error.message
