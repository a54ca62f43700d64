"""What people rely on, in both worlds: lines by Nth and by hash, translations, errors, fragments, refusals."""

from __future__ import annotations

from random import Random

import pytest

from compiler.addresses import parse_address
from tests.compiler.simulator.router.agreement import agree
from tests.compiler.simulator.router.octets import echo, error, parts, read, tcp, udp


def number(text: str) -> int:
    return parse_address(text)[0]


def table(body: str, family: str = "ip") -> str:
    return f"table {family} t {{\n{body}\n}}\n"


LINE_BY_MARK = """
 chain line {
  type filter hook forward priority 0; policy accept;
  meta mark 1 ip dscp set cs1
  meta mark 2 ip dscp set cs2
  meta mark 3 ip dscp set cs3
 }
"""
MASQUERADE = table(" chain n {\n  type nat hook postrouting priority srcnat;\n  oifname east0 masquerade\n }")
FORWARD = table(
    " chain n {\n  type nat hook prerouting priority dstnat;\n"
    "  iifname east0 tcp dport 8080 dnat to 10.0.0.9:80\n  iifname east0 udp dport 53 dnat to 10.0.0.9\n }"
)


def out(came, position: int, side: str = "east"):
    """What came out for a packet; there must be one."""
    (octets,) = came[position][side]
    return read(octets)


def test_nth_gives_a_thousand_connections_the_same_lines(kernel):
    text = table(
        " chain p {\n  type filter hook prerouting priority mangle;\n"
        "  ct state new ct mark 0 ct mark set numgen inc mod 3 offset 1\n  meta mark set ct mark\n }" + LINE_BY_MARK
    )
    packets = [("west", udp(f"10.0.{n // 250}.{n % 250 + 1}", 1000 + n, "10.9.0.1", 53)) for n in range(1000)]
    came = agree(kernel, text, packets)
    lines = [out(came, position).traffic_class >> 5 for position in range(1000)]
    assert lines == [position % 3 + 1 for position in range(1000)]


@pytest.mark.parametrize(
    ("family", "hashed"),
    [
        ("ip", "ip saddr . ip daddr"),
        ("ip", "ip saddr . udp sport"),
        ("ip", "ip daddr . udp dport . ip saddr . udp sport"),
        ("ip", "udp dport"),
        ("ip6", "ip6 saddr . ip6 daddr"),
        ("ip6", "ip6 saddr . udp sport"),
    ],
)
def test_the_hash_gives_a_thousand_random_packets_the_same_lines(kernel, family, hashed):
    rule = f"  meta mark set jhash {hashed} mod 3 seed 0xdeadbeef offset 1\n"
    lines = LINE_BY_MARK.replace("ip dscp", f"{family} dscp")
    text = table(f" chain p {{\n  type filter hook prerouting priority mangle;\n{rule} }}{lines}", family)
    chance = Random(hashed)
    form = ("10.0.{}.{}", "10.9.{}.{}") if family == "ip" else ("2001:db8:1::{:x}:{:x}", "2001:db8:9::{:x}:{:x}")

    def address(side: int) -> str:
        return form[side].format(chance.randrange(1, 250), chance.randrange(1, 250))

    packets = [
        ("west", udp(address(0), chance.randrange(1, 65536), address(1), chance.randrange(1, 65536)))
        for _ in range(1000)
    ]
    came = agree(kernel, text, packets)
    classes = [out(came, position).traffic_class >> 5 for position in range(1000)]
    assert all(300 < classes.count(line) < 370 for line in (1, 2, 3))


def test_masquerade_keeps_the_port_while_it_is_free(kernel):
    packets = [("west", udp(f"10.0.0.{n}", 4000 + n, "10.9.0.1", 53)) for n in range(1, 200)]
    came = agree(kernel, MASQUERADE, packets)
    assert [out(came, n - 1).source_port for n in range(1, 200)] == [4000 + n for n in range(1, 200)]
    assert {out(came, n).source for n in range(199)} == {number("198.18.255.5")}


@pytest.mark.parametrize(("port", "low", "high"), [(80, 1, 511), (600, 600, 1023), (5000, 1024, 65535)])
def test_a_taken_port_becomes_another_of_its_class_in_both_worlds(kernel, port, low, high):
    from tests.compiler.simulator.twin import SimulatedRouter

    packets = [("west", udp(f"10.0.0.{n}", port, "10.9.0.1", 53)) for n in (1, 2, 3)]
    kernel.load(MASQUERADE)
    kernel.forget_connections()
    for world in (kernel, SimulatedRouter(MASQUERADE)):
        ports = [out(world.play([one]), 0).source_port for one in packets]
        assert ports[0] == port
        assert len(set(ports)) == 3
        assert all(low <= one <= high for one in ports)


def test_a_forwarded_port_is_answered_from_the_address_that_was_asked(kernel):
    came = agree(
        kernel,
        FORWARD,
        [
            ("east", tcp("203.0.113.5", 3000, "198.18.255.5", 8080, "S")),
            ("west", tcp("10.0.0.9", 80, "203.0.113.5", 3000, "SA", 5000, 1001)),
            ("east", tcp("203.0.113.5", 3000, "198.18.255.5", 8080, "A", 1001, 5001)),
        ],
    )
    asked, answered = out(came, 0, "west"), out(came, 1)
    assert (asked.destination, asked.destination_port) == (number("10.0.0.9"), 80)
    assert (answered.source, answered.source_port) == (number("198.18.255.5"), 8080)


def test_a_hairpin_comes_back_through_the_router(kernel):
    """Asked and answered on one side: both addresses change, and change back."""
    text = table(
        " chain n {\n  type nat hook prerouting priority dstnat;\n  tcp dport 8080 dnat to 10.9.0.2:80\n }\n"
        " chain s {\n  type nat hook postrouting priority srcnat;\n  ip daddr 10.9.0.2 snat to 198.18.255.5\n }"
    )
    came = agree(
        kernel,
        text,
        [
            ("west", tcp("10.0.0.3", 3000, "198.18.255.1", 8080, "S")),
            ("east", tcp("10.9.0.2", 80, "198.18.255.5", 3000, "SA", 5000, 1001)),
        ],
    )
    assert out(came, 0).source == number("198.18.255.5")
    back = out(came, 1, "west")
    assert (back.source, back.source_port, back.destination) == (number("198.18.255.1"), 8080, number("10.0.0.3"))


@pytest.mark.parametrize(("kind", "code", "rest"), [(3, 1, 0), (3, 3, 0), (3, 4, 1500), (11, 0, 0), (12, 0, 0)])
@pytest.mark.parametrize("cut", [28, 200])
def test_errors_about_masqueraded_packets_find_the_client(kernel, kind, code, rest, cut):
    sent = udp("10.0.0.3", 4000, "10.9.0.1", 53, b"question")
    outside = udp("198.18.255.5", 4000, "10.9.0.1", 53, b"question")
    report = error("10.9.0.7", "198.18.255.5", kind, code, outside[:cut], rest)
    came = agree(kernel, MASQUERADE, [("west", sent), ("east", report)])
    told = out(came, 1, "west")
    assert told.destination == number("10.0.0.3")
    assert (told.quoted.source, told.quoted.source_port) == (number("10.0.0.3"), 4000)


@pytest.mark.parametrize("side", ["client", "server"])
def test_errors_about_forwarded_ports_have_the_right_quotes(kernel, side):
    asked = udp("203.0.113.5", 3000, "198.18.255.5", 53, b"question")
    inside = udp("203.0.113.5", 3000, "10.0.0.9", 53, b"question")
    answer = udp("10.0.0.9", 53, "203.0.113.5", 3000, b"answer")
    seen = udp("198.18.255.5", 53, "203.0.113.5", 3000, b"answer")
    if side == "server":
        packets = [("east", asked), ("west", error("10.0.0.9", "203.0.113.5", 3, 3, inside))]
        told = out(agree(kernel, FORWARD, packets), 1)
        assert told.source == number("198.18.255.5")
        assert told.quoted.destination == number("198.18.255.5")
    else:
        packets = [("east", asked), ("west", answer), ("east", error("203.0.113.5", "198.18.255.5", 3, 3, seen))]
        told = out(agree(kernel, FORWARD, packets), 2, "west")
        assert told.destination == number("10.0.0.9")
        assert told.quoted.source == number("10.0.0.9")


def test_the_routers_own_errors_about_a_forwarded_port_come_from_the_address_that_was_asked(kernel):
    packets = [("east", tcp("10.0.0.3", 3000, "198.18.255.5", 8080, "S", ttl=1))]
    told = out(agree(kernel, FORWARD, packets), 0, "west")
    assert (told.icmp_type, told.source) == (11, number("198.18.255.5"))
    assert told.quoted.destination == number("198.18.255.5")


@pytest.mark.parametrize("mtu", [68, 420, 1300])
@pytest.mark.parametrize("backwards", [False, True])
def test_fragments_are_translated_and_cut_as_they_came(kernel, mtu, backwards):
    pieces = parts(udp("10.0.0.3", 4000, "10.9.0.1", 53, bytes(range(256)) * 8), mtu, 60_000 + mtu + backwards)
    pieces = pieces[::-1] if backwards else pieces
    came = agree(kernel, MASQUERADE, [("west", piece) for piece in pieces])
    assert [len(one["east"]) for one in came] == [0] * (len(pieces) - 1) + [len(pieces)]
    sizes = [len(octets) for octets in came[-1]["east"]]
    assert max(sizes) <= mtu
    assert read(came[-1]["east"][0]).source_port == 4000


_ANSWERS = {
    "ip": ["reject", *(f"reject with icmp type {one}" for one in ("host-unreachable", "net-prohibited"))],
    "ip6": ["reject", *(f"reject with icmpv6 type {one}" for one in ("no-route", "admin-prohibited"))],
    "inet": [f"reject with icmpx type {one}" for one in ("port-unreachable", "no-route", "admin-prohibited")],
}


@pytest.mark.parametrize(("family", "answer"), [(family, one) for family in _ANSWERS for one in _ANSWERS[family]])
@pytest.mark.parametrize("hook", ["forward", "input"])
def test_refusals_are_the_same_octet_for_octet(kernel, family, answer, hook):
    text = table(f" chain f {{\n  type filter hook {hook} priority 0;\n  {answer}\n }}", family)
    packets = []
    if family != "ip6":
        target = "10.9.0.1" if hook == "forward" else "198.18.255.1"
        packets += [("west", udp("10.0.0.3", 4000, target, 53, b"x" * 900)), ("west", echo("10.0.0.3", target, 5))]
    if family != "ip":
        target = "2001:db8:9::1" if hook == "forward" else "2001:db8:ffff:1::1"
        packets += [
            ("west", udp("2001:db8:1::3", 4000, target, 53, b"x" * 1400)),
            ("west", echo("2001:db8:1::3", target, 5)),
        ]
    came = agree(kernel, text, packets)
    assert all(len(one["west"]) == 1 and not one["east"] for one in came)


@pytest.mark.parametrize("family", ["ip", "ip6"])
def test_resets_are_the_same_octet_for_octet(kernel, family):
    text = table(
        " chain f {\n  type filter hook forward priority 0;\n  meta l4proto tcp reject with tcp reset\n }", family
    )
    client, server = ("10.0.0.3", "10.9.0.1") if family == "ip" else ("2001:db8:1::3", "2001:db8:9::1")
    segments = [("S", 0, b""), ("A", 77, b""), ("PA", 77, b"abc"), ("FA", 77, b""), ("S", 0, b"data"), ("R", 0, b"")]
    packets = [("west", tcp(client, 4000, server, 22, flags, 1000, ack, data)) for flags, ack, data in segments]
    came = agree(kernel, text, packets)
    assert [len(one["west"]) for one in came] == [1, 1, 1, 1, 1, 0]
    assert out(came, 0, "west").acknowledgement == 1001
    assert out(came, 1, "west").sequence == 77


def test_what_is_not_tracked_is_not_translated(kernel):
    text = MASQUERADE + table(
        " chain r {\n  type filter hook prerouting priority raw;\n  udp dport 53 notrack\n }\n"
        " chain f {\n  type filter hook forward priority 0;\n  ct state untracked udp dport 53 accept\n"
        "  ct state new accept\n  drop\n }",
        "ip6",
    ).replace("ip6 t", "ip u")
    came = agree(
        kernel,
        text,
        [("west", udp("10.0.0.3", 4000, "10.9.0.1", port)) for port in (53, 54)],
    )
    assert [out(came, n).source for n in (0, 1)] == [number("10.0.0.3"), number("198.18.255.5")]


STATES = table(
    " chain f {\n  type filter hook forward priority 0; policy accept;\n  ct state invalid ip dscp set cs7\n"
    "  ct state new ip dscp set cs1\n  ct state established ip dscp set cs2\n  ct state related ip dscp set cs3\n }"
)
INVALID, NEW, ESTABLISHED = 7, 1, 2


def states(kernel, packets) -> list[int]:
    came = agree(kernel, STATES, packets)
    return [read((one["east"] + one["west"])[0]).traffic_class >> 5 for one in came]


def client(flags: str, sequence: int = 1000, acknowledgement: int = 0, data: bytes = b""):
    return "west", tcp("10.0.0.3", 4000, "10.9.0.1", 80, flags, sequence, acknowledgement, data)


def server(flags: str, sequence: int = 5000, acknowledgement: int = 0, data: bytes = b""):
    return "east", tcp("10.9.0.1", 80, "10.0.0.3", 4000, flags, sequence, acknowledgement, data)


OPEN = [client("S"), server("SA", 5000, 1001), client("A", 1001, 5001)]
CLOSED = [
    *OPEN,
    client("FA", 1001, 5001),
    server("A", 5001, 1002),
    server("FA", 5001, 1002),
    client("A", 1002, 5002),
]


def test_a_connection_from_its_opening_to_its_end(kernel):
    assert states(kernel, CLOSED) == [NEW] + [ESTABLISHED] * 6


def test_a_syn_after_the_end_begins_a_new_connection(kernel):
    """TIME_WAIT: RFC 9293, 3.6.1 lets the same ports be used again."""
    assert states(kernel, [*CLOSED, client("S", 900_000)])[-1] == NEW


def test_a_reset_needs_the_right_number(kernel):
    """RFC 5961: one that is too old is not of the connection."""
    packets = [*OPEN, server("PA", 5001, 1001, b"hello"), client("A", 1001, 5006)]
    assert states(kernel, [*packets, server("RA", 4000, 1001)])[-1] == INVALID
    assert states(kernel, [*packets, server("RA", 5006, 1001), client("A", 1001, 5006)])[-2:] == [ESTABLISHED] * 2


def test_a_refused_syn_leaves_nothing_behind(kernel):
    assert states(kernel, [client("S"), server("RA", 0, 1001), server("SA", 5000, 1001)]) == [NEW, ESTABLISHED, INVALID]


def test_segments_outside_the_window_are_invalid(kernel):
    far = [client("PA", 1001 + 70_000, 5001, b"x"), server("A", 5001, 1001 + 70_000)]
    assert states(kernel, [*OPEN, *far])[-2:] == [INVALID, INVALID]


@pytest.mark.parametrize("flags", ["", "F", "SF", "SR", "FSRPAU", "PU"])
def test_nonsense_is_invalid(kernel, flags):
    assert states(kernel, [client(flags)]) == [INVALID]


def test_a_connection_in_full_swing_is_picked_up(kernel):
    assert states(kernel, [client("A", 9, 9), server("A", 9, 9)]) == [NEW, ESTABLISHED]


def test_only_an_answer_to_what_was_asked_is_established(kernel):
    packets = [("west", echo("10.0.0.3", "10.9.0.1", 5)), ("east", echo("10.9.0.1", "10.0.0.3", 5, reply=True))]
    packets.append(("east", echo("10.9.0.1", "10.0.0.3", 6, reply=True)))
    assert states(kernel, packets) == [NEW, ESTABLISHED, INVALID]


def test_of_two_chains_of_one_priority_the_newer_runs_first(kernel):
    text = table(
        " chain a {\n  type filter hook forward priority 0;\n  ip dscp set cs1\n }\n"
        " chain b {\n  type filter hook forward priority 0;\n  ip dscp set cs2\n }"
    )
    assert out(agree(kernel, text, [client("S")]), 0).traffic_class >> 5 == 1


FTP = table(
    ' ct helper h {\n  type "ftp" protocol tcp\n }\n'
    ' chain p {\n  type filter hook prerouting priority -150;\n  tcp dport 21 ct helper set "h"\n }\n'
    " chain f {\n  type filter hook forward priority 0; policy drop;\n  tcp dport 21 accept\n"
    "  ct state established,related accept\n }\n"
    " chain n {\n  type nat hook postrouting priority srcnat;\n  ip saddr 10.0.0.0/24 snat to 192.0.2.10\n }"
)


def test_an_announced_data_connection_comes_in_through_translation(kernel):
    line = b"PORT 10,0,0,3,17,112\r\n"  # port 4464
    control = [
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "S")),
        ("east", tcp("10.9.0.1", 21, "192.0.2.10", 4000, "SA", 5000, 1001)),
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "A", 1001, 5001)),
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "PA", 1001, 5001, b"USER x\r\n")),
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "PA", 1009, 5001, line)),
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "PA", 1009 + len(line), 5001, b"LIST\r\n")),
        ("east", tcp("10.9.0.1", 21, "192.0.2.10", 4000, "A", 5001, 1017 + len(line))),
        ("east", tcp("10.9.0.1", 20, "192.0.2.10", 4464, "S", 7000)),
        ("west", tcp("10.0.0.3", 4464, "10.9.0.1", 20, "SA", 8000, 7001)),
        ("east", tcp("10.9.0.1", 20, "192.0.2.10", 4465, "S", 7000)),
    ]
    came = agree(kernel, FTP, control)
    assert out(came, 4).data == b"PORT 192,0,2,10,17,112\r\n"
    assert out(came, 5).sequence == 1009 + len(line) + 2
    assert out(came, 6, "west").acknowledgement == 1015 + len(line)
    assert (out(came, 7, "west").destination, out(came, 8).source) == (number("10.0.0.3"), number("192.0.2.10"))
    assert not came[9]["west"]


@pytest.mark.parametrize(
    "answer",
    [b"227 Entering Passive Mode (10,9,0,1,156,64)\r\n", b"229 Entering Extended Passive Mode (|||40000|)\r\n"],
)
def test_passive_data_connections_are_related(kernel, answer):
    control = [
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "S")),
        ("east", tcp("10.9.0.1", 21, "192.0.2.10", 4000, "SA", 5000, 1001)),
        ("west", tcp("10.0.0.3", 4000, "10.9.0.1", 21, "A", 1001, 5001)),
        ("east", tcp("10.9.0.1", 21, "192.0.2.10", 4000, "PA", 5001, 1001, b"220 x\r\n")),
        ("east", tcp("10.9.0.1", 21, "192.0.2.10", 4000, "PA", 5008, 1001, answer)),
        ("west", tcp("10.0.0.3", 4001, "10.9.0.1", 40_000, "S")),
        ("west", tcp("10.0.0.3", 4002, "10.9.0.1", 40_001, "S")),
    ]
    came = agree(kernel, FTP, control)
    assert out(came, 5).destination_port == 40_000
    assert not came[6]["east"]


def test_an_exchange_tells_both_sides_of_both_worlds(kernel):
    from tests.compiler.simulator.twin import SimulatedRouter

    text = table(" chain f {\n  type filter hook forward priority 0;\n  udp dport 53 reject\n }")
    packets = [udp("10.0.0.3", 4000, "10.9.0.1", port) for port in (53, 54)]
    kernel.load(text)
    for world in (kernel, SimulatedRouter(text)):
        (refused, nothing), (silence, passed) = world.exchange(packets, "west")
        assert (nothing, silence) == (None, None)
        assert read(refused).icmp_type == 3
        assert read(passed).destination_port == 54
