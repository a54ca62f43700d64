"""The kernel is the second witness: what a Match says of a packet is what nft does with it."""

from __future__ import annotations

import random

import pytest

from compiler.addresses import AddressSet, Wildcard
from compiler.dialects.nftables.adapt import adapt
from compiler.dialects.nftables.exposure import exposed_chains
from compiler.dialects.nftables.reader import read
from compiler.dialects.nftables.writer import write
from compiler.fields import Family
from compiler.integers import IntegerSet, bit_pattern
from compiler.lowering.options import Options
from compiler.policy.match import ANY, Match, layer4
from compiler.policy.packet import Packet, matches
from compiler.policy.ruleset import Chain, Hook, Rule, Ruleset, Verdict
from tests.compiler.dialects.nftables.kernel import KernelRouter, why_not
from tests.compiler.dialects.nftables.packets import PORTS, craft

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"no kernel router: {why_not()}")

BASE = {Family.IPV4: (0x0A000000, 0x0A000100), Family.IPV6: (0x20010DB8 << 96, (0x20010DB8 << 96) + (1 << 64))}
FLAG_SETS = (
    IntegerSet.values(0x02),
    bit_pattern(0x02, 0x12, 8),
    bit_pattern(0, 0x14, 8).complement(8),
    IntegerSet.range(3, 200),
)


@pytest.fixture(scope="module")
def router():
    with KernelRouter() as one:
        yield one


def random_packet(chance: random.Random, family: Family) -> Packet:
    source, destination = BASE[family]
    protocol = chance.choice([1, 6, 6, 6, 17, 17, 47, 58, 89, 132])
    return Packet(
        family,
        source + chance.randrange(256),
        destination + chance.randrange(256),
        protocol,
        source_port=chance.choice([0, 1, 53, 1024, 65535, chance.randrange(65536)]),
        destination_port=chance.choice([0, 22, 80, 81, 443, 65535, chance.randrange(65536)]),
        tcp_flags=chance.randrange(256),
        icmp_type=chance.choice([0, 3, 8, 128, 135]),
        icmp_code=chance.randrange(4),
        traffic_class=chance.choice([0, 0, 1, 2, 3, 4, 0x28, 0xB8, chance.randrange(256)]),
        ttl=chance.choice([2, 3, 64, 128, 255]),
        noninitial=chance.random() < 0.2,
        ingress="west0",
        egress="east0",
    )


def random_match(chance: random.Random, family: Family) -> Match:
    source, destination = BASE[family]
    fields: dict[str, object] = {}
    if chance.random() < 0.4:
        mask = chance.getrandbits(8)
        fields["source"] = AddressSet.wildcard(Wildcard.of(source | chance.getrandbits(8), mask, family.width))
    if chance.random() < 0.3:
        low = destination + chance.randrange(200)
        ranges = [(low, low + chance.randrange(120)), (destination, destination + 9)]
        fields["destination"] = AddressSet.of(family.width, ranges)
    if chance.random() < 0.2:
        fields["ttl"] = IntegerSet.of([(2, 3), (64, 64 + chance.randrange(100))])
    if chance.random() < 0.3:
        low = chance.randrange(200)
        octets = IntegerSet.of([(low, low + chance.randrange(50)), (0, chance.randrange(4))])
        dscp = IntegerSet.of((low >> 2 << 2, high | 3) for low, high in octets.intervals)
        fields["traffic_class"] = chance.choice([octets, dscp, IntegerSet.values(4), IntegerSet.values(0, 4)])
    kind = chance.choice(["any", "protocol", "fragment", "ports", "ports", "tcp", "icmp"])
    if kind == "protocol":
        fields["protocol"] = chance.choice([IntegerSet.values(6), IntegerSet.values(6, 17), IntegerSet.range(20, 90)])
    elif kind == "fragment":
        fields["noninitial"] = chance.random() < 0.5
    elif kind == "ports":
        fields["protocol"] = IntegerSet.values(*chance.choice([(6,), (17,), (6, 17), tuple(PORTS)]))
        fields["destination_port"] = chance.choice(
            [IntegerSet.values(80), IntegerSet.of([(22, 81), (65535, 65535)]), IntegerSet.values(80).complement(16)]
        )
    elif kind == "tcp":
        fields["tcp_flags"] = chance.choice(FLAG_SETS)
    elif kind == "icmp":
        fields["protocol"] = IntegerSet.values(chance.choice([1, 58]))
        fields["icmp_type"] = chance.choice([IntegerSet.values(8, 128), IntegerSet.range(3, 130)])
    return layer4(Match(**fields))  # type: ignore[arg-type]


def guarded(match: Match, family: Family, verdict: Verdict = Verdict.DROP) -> Ruleset:
    """One rule; fragments are sorted out first, as lists do it."""
    table = "ip gerbang" if family is Family.IPV4 else "ip6 gerbang"
    rules = [Rule(match, verdict)]
    if match.noninitial is False:
        rules.insert(0, Rule(Match(noninitial=True), Verdict.ACCEPT))
    chain = Chain(table, "early", tuple(rules), frozenset({family}), Hook.PREROUTING, -450)
    return Ruleset("generated", "nftables", (chain,))


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("seed", range(40))
def test_a_written_rule_takes_the_packets_of_its_match(router, family, seed):
    chance = random.Random(seed * 2 + int(family))
    match = random_match(chance, family)
    adapted, refusals = adapt(guarded(match, family), Options())
    assert refusals == ()
    text = write(adapted)
    router.load(text)
    packets = [random_packet(chance, family) for _ in range(150)]
    shapes = [(chance.random() < 0.2, chance.random() < 0.2) for _ in packets]
    frames = [
        craft(one, more_fragments=more, options=extra) for one, (more, extra) in zip(packets, shapes, strict=True)
    ]
    expected = [not matches(match, packet) for packet in packets]
    passed = router.verdicts(frames, "west")
    wrong = [packet for packet, got, wanted in zip(packets, passed, expected, strict=True) if got != wanted]
    assert not wrong, f"{text}\n{wrong[0]}"


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("seed", range(10))
def test_what_is_read_from_the_listing_decides_like_the_kernel(router, family, seed):
    chance = random.Random(1000 + seed)
    table = "ip gerbang" if family is Family.IPV4 else "ip6 gerbang"
    first = Rule(Match(noninitial=True), Verdict.ACCEPT)
    verdicts = [Verdict.ACCEPT, Verdict.DROP, Verdict.RETURN, Verdict.CONTINUE]
    body = [Rule(random_match(chance, family), chance.choice(verdicts)) for _ in range(12)]
    chain = Chain(table, "early", (first, *body), frozenset({family}), Hook.PREROUTING, -450, Verdict.DROP)
    adapted, _ = adapt(Ruleset("generated", "nftables", (chain,)), Options())
    router.load(write(adapted))
    listed = read(router.listing(), "listed").chains[0]
    packets = [random_packet(chance, family) for _ in range(150)]
    passed = router.verdicts([craft(packet) for packet in packets], "west")
    for packet, got in zip(packets, passed, strict=True):
        taken = [rule.verdict for rule in listed.rules if matches(rule.match, packet)]
        decided = next((verdict for verdict in taken if verdict is not Verdict.CONTINUE), Verdict.DROP)
        # A return from a base chain is its policy.
        assert got == (decided is Verdict.ACCEPT), f"{packet}\n{router.listing()}"


def base_packet(family: Family, **fields: object) -> Packet:
    source, destination = BASE[family]
    return Packet(family, source + 1, destination + 1, 6, ingress="west0", egress="east0", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", list(Family))
def test_protocol_and_addresses_take_every_fragment(router, family):
    word = "ip" if family is Family.IPV4 else "ip6"
    shapes = [(False, False), (True, False), (False, True), (True, True)]
    frames = [craft(base_packet(family, noninitial=noninitial), more_fragments=more) for noninitial, more in shapes] + [
        craft(base_packet(family), options=True)
    ]
    for condition in ("meta l4proto tcp", f"{word} saddr {'10.0.0.0/24' if word == 'ip' else '2001:db8::/64'}"):
        hook = "type filter hook prerouting priority -450"
        router.load(f"table {word} t {{\n chain c {{\n {hook}\n {condition} drop\n }}\n}}\n")
        assert router.verdicts(frames, "west") == [False] * 5


@pytest.mark.parametrize("family", list(Family))
def test_loads_that_the_fast_path_does_not_take_miss_non_initial_fragments(router, family):
    word = "ip" if family is Family.IPV4 else "ip6"
    frames = [craft(base_packet(family, noninitial=True)), craft(base_packet(family))]
    router.load(
        f"table {word} t {{\n chain c {{\n type filter hook prerouting priority -450\n @th,0,24 >= 0 drop\n }}\n}}\n"
    )
    assert router.verdicts(frames, "west") == [True, False]


@pytest.mark.parametrize("family", list(Family))
def test_sorted_out_fragments_never_reach_a_port(router, family):
    """Whatever the kernel reads from fragments (see ``exposure``), a goto in front keeps them away."""
    match = layer4(Match(protocol=IntegerSet.values(6), destination_port=IntegerSet.range(0, 65534)))
    adapted, _ = adapt(guarded(match, family), Options())
    router.load(write(adapted))
    frames = [craft(base_packet(family, noninitial=True)), craft(base_packet(family, destination_port=5))]
    assert router.verdicts(frames, "west") == [True, False]


@pytest.mark.parametrize(
    ("rule", "reassembled"),
    [("ct state invalid counter", True), ("counter", False), ("oifname nowhere masquerade", True)],
)
def test_connection_tracking_reassembles_before_later_chains(router, rule, reassembled):
    kind = "type nat hook postrouting priority 100" if "masquerade" in rule else "type filter hook input priority 0"
    text = (
        f"table ip other {{\n chain c {{\n {kind}\n {rule}\n }}\n}}\n"
        "table ip t {\n chain c {\n type filter hook forward priority 0\n ip frag-off & 0x1fff != 0 drop\n }\n}\n"
    )
    chains = {chain.key: chain for chain in read(text, "text", unmodelled="bound").chains}
    assert chains[("ip t", "c")].sees_reassembled is reassembled
    router.load(text)
    first = craft(base_packet(Family.IPV4, noninitial=True))
    # A lone fragment is kept back where packets are put together, and dropped by the rule where not.
    whole = craft(base_packet(Family.IPV4))
    assert router.verdicts([first, whole], "west") == [False, True]
    router.load(text.replace("!= 0 drop", "!= 0 accept"))
    assert router.verdicts([first], "west") == [not reassembled]


def test_the_ttl_in_the_forward_hook_is_one_less(router):
    frames = [craft(base_packet(Family.IPV4, ttl=ttl)) for ttl in (64, 65)]
    for hook, expected in (("prerouting", [False, True]), ("forward", [True, False])):
        router.load(f"table ip t {{\n chain c {{\n type filter hook {hook} priority 0\n ip ttl 64 drop\n }}\n}}\n")
        assert router.verdicts(frames, "west") == expected


def test_refused_packets_do_not_pass_whatever_the_answer(router):
    for answer in ("icmp admin-prohibited", "tcp reset", ""):
        adapted, _ = adapt(
            Ruleset(
                "generated",
                "nftables",
                (
                    Chain(
                        "ip gerbang",
                        "early",
                        (Rule(ANY, Verdict.REJECT, answer=answer),),
                        frozenset({Family.IPV4}),
                        Hook.PREROUTING,
                        -450,
                    ),
                ),
            ),
            Options(),
        )
        router.load(write(adapted))
        assert router.verdicts([craft(base_packet(Family.IPV4))], "west") == [False]


def test_namespaces_are_removed_after_a_failure():
    import subprocess

    def fail() -> None:
        with KernelRouter() as one:
            made.append(one.router)
            raise KeyError("inside")

    made: list[str] = []
    with pytest.raises(KeyError):
        fail()
    assert made[0] not in subprocess.run(("ip", "netns", "list"), capture_output=True, text=True, check=True).stdout


def test_our_lists_are_never_exposed_to_the_fast_path():
    """The rule that sorts fragments out stands first, also behind a jump."""
    match = layer4(Match(protocol=IntegerSet.values(6), destination_port=IntegerSet.values(80)))
    adapted, _ = adapt(guarded(match, Family.IPV4), Options())
    assert exposed_chains(read(write(adapted), "text").chains) == ()
    bare = Ruleset("generated", "nftables", (Chain("ip t", "c", (Rule(match, Verdict.DROP),)),))
    assert exposed_chains(bare.chains) == bare.chains
