"""The product's proof, its plain interpreter, its sets, and the judge say the same of every device and packet."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.analysis.compilation import compile_tree
from compiler.analysis.equivalence.proof import prove
from compiler.dialects import read
from compiler.errors import GerbangError
from compiler.fields import Family
from compiler.lowering.options import Fragments, Options
from compiler.policy.packet import Packet as TheirPacket
from compiler.policy.packet import Path
from compiler.semantics.decision import context_of
from compiler.semantics.lower import machine
from compiler.symbolic.evaluate import passing
from compiler.symbolic.space import space
from tests.deciding import decide
from tests.verification.generate import NAMES, configuration
from tests.verification.judge import OTHER, Judge, meaning
from tests.verification.packets import Packet

PATHS = {"forward": Path.FORWARD, "input": Path.INPUT, "output": Path.OUTPUT}
TARGETS = ("nftables", "routeros", "ios")
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))

ALPHABET = {
    "source": (0x0A000002, 0x0A000000, 0x0A000003, 0xAC100600, 0xAC100E07, 0x0A000104, 0x80000000, 0, 0xFFFFFFFF),
    "destination": (0x0A000002, 0x0A000003, 0x0A000100, 0x0A000509, 0xAC100601, 0x0A000A03, 0),
    "protocol": (6, 17, 1, 89, 47, 0, 132),
    "source_port": (0, 20, 21, 22, 80, 1023, 1024, 65535),
    "destination_port": (80, 21, 20, 22, 53, 0, 1023, 1024, 65534, 65535),
    "flags": (0x02, 0x10, 0x12, 0x04, 0, 0xFF, 0x01),
    "icmp_type": (8, 3, 0, 11),
    "icmp_code": (0, 1, 4, 13),
    "traffic_class": (0, 184, 160, 8, 2, 3, 104, 187),
    "ttl": (64, 1, 0, 5, 9, 10, 200, 201, 255),
    "noninitial": (False, True),
}


def make(draw_choice, interfaces) -> Packet:
    """A packet out of the alphabet, in a context that exists."""
    values = {name: draw_choice(choices) for name, choices in ALPHABET.items()}
    if values["protocol"] not in (6, 17, 132):
        values |= {"source_port": 0, "destination_port": 0}
    if values["protocol"] != 6:
        values["flags"] = 0
    if values["protocol"] != 1:
        values |= {"icmp_type": 0, "icmp_code": 0}
    path = draw_choice(("forward", "input", "output"))
    ingress, egress = draw_choice(interfaces), draw_choice(interfaces)
    return Packet(
        4, **values, path=path, ingress="" if path == "output" else ingress, egress="" if path == "input" else egress
    )


def theirs(packet: Packet) -> TheirPacket:
    """The judge's packet as the product's."""
    return TheirPacket(
        Family(packet.family),
        packet.source,
        packet.destination,
        packet.protocol,
        packet.source_port,
        packet.destination_port,
        packet.flags,
        packet.icmp_type,
        packet.icmp_code,
        packet.traffic_class,
        packet.ttl,
        noninitial=packet.noninitial,
        ingress=packet.ingress,
        egress=packet.egress,
        path=PATHS[packet.path],
    )


def in_sets(device, packet: Packet) -> bool:
    """Whether the product's sets let the packet pass: the packet as a set of one, through every stage."""
    family_space = space(Family(packet.family))
    values = {
        "source": packet.source,
        "destination": packet.destination,
        "protocol": packet.protocol,
        "source_port": packet.source_port,
        "destination_port": packet.destination_port,
        "tcp_flags": packet.flags,
        "icmp_type": packet.icmp_type,
        "icmp_code": packet.icmp_code,
        "traffic_class": packet.traffic_class,
        "ttl": packet.ttl,
        "ttl_out": max(packet.ttl - 1, 0),
    }
    region = family_space.full
    for name, value in values.items():
        first, width = family_space.layout[name]
        for bit in range(width):
            literals = family_space._positive if value >> (width - 1 - bit) & 1 else family_space._negative
            region = region & literals[first + bit]
    for stage in device.stages(context_of(theirs(packet))):
        region = passing(stage, region, family_space)
    return bool(region.satisfiable())


def _names(text: str, target: str) -> dict[str, str]:
    return {name: there for name, there in NAMES.items() if f"interface {name}\n" in text and target != "ios"}


@st.composite
def configurations(draw, **options):
    """A router whose every choice shrinks to the simplest."""
    return configuration(lambda choices: draw(st.sampled_from(choices)), entries=4, **options)


@pytest.mark.parametrize("target", TARGETS)
@settings(SETTINGS, max_examples=25)
@given(data=st.data())
def test_what_is_proved_equal_is_equal_over_all_packets(target, data):
    text = data.draw(configurations(ecn=target != "routeros"))
    names = _names(text, target)
    compilation = compile_tree(
        read(text, "source", dialect="ios"), target, Options(interfaces=names, fragments=Fragments.UNTRACKED)
    )
    assert compilation.report is not None
    assert compilation.report.holds
    assert Judge(meaning(text, "ios"), names).difference(meaning(compilation.text, target)) is None


@settings(SETTINGS, max_examples=40)
@given(data=st.data())
def test_two_devices_are_proved_equal_exactly_when_they_are(data):
    first = data.draw(configurations())
    lines = first.split("\n")
    movable = [position for position, line in enumerate(lines) if line.startswith((" permit", " deny"))]
    one, other = data.draw(st.sampled_from(movable)), data.draw(st.sampled_from(movable))
    lines[one], lines[other] = lines[other], lines[one]
    second = "\n".join(lines)
    try:
        trees = read(first, "first", dialect="ios"), read(second, "second", dialect="ios")
    except GerbangError:
        return  # the swap put an extended entry into a standard list, or one body twice into a list
    report = prove(machine(trees[0]), machine(trees[1]))
    found = Judge(meaning(first, "ios")).difference(meaning(second, "ios"))
    assert report.claims[0].holds == (found is None), found


@pytest.mark.parametrize("target", TARGETS)
@settings(SETTINGS, max_examples=25)
@given(data=st.data())
def test_sets_interpreter_and_judge_agree_on_every_packet(target, data):
    text = data.draw(configurations(ecn=target != "routeros"))
    names = _names(text, target)
    tree = read(text, "source", dialect="ios")
    options = Options(interfaces=names, fragments=Fragments.UNTRACKED)
    emitted = compile_tree(tree, target, options, prove=False).text
    judge, other = Judge(meaning(text, "ios"), names), meaning(emitted, target)
    source, compiled = machine(tree), machine(read(emitted, "emitted", dialect=target))
    interfaces = [*sorted(other.interfaces), OTHER]
    for _ in range(20):
        packet = make(lambda choices: data.draw(st.sampled_from(choices)), interfaces)
        mine = judge.verdicts(other, packet)
        renamed = judge.renamed(packet)
        assert mine == (decide(source, theirs(renamed)), decide(compiled, theirs(packet)))
        assert mine == (in_sets(source, renamed), in_sets(compiled, packet))
        assert mine[0] == mine[1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("target", TARGETS)
def test_long_lists_agree_packet_by_packet(target, seed):
    rng = random.Random(seed)
    text = configuration(rng.choice, entries=60, ecn=target != "routeros")
    names = _names(text, target)
    tree = read(text, "source", dialect="ios")
    compilation = compile_tree(tree, target, Options(interfaces=names, fragments=Fragments.UNTRACKED))
    judge, other = Judge(meaning(text, "ios"), names), meaning(compilation.text, target)
    source, compiled = machine(tree), machine(read(compilation.text, "emitted", dialect=target))
    interfaces = [*sorted(other.interfaces), OTHER]
    for _ in range(400):
        packet = make(rng.choice, interfaces)
        verdicts = {
            *judge.verdicts(other, packet),
            decide(source, theirs(judge.renamed(packet))),
            decide(compiled, theirs(packet)),
        }
        assert len(verdicts) == 1, packet


def test_the_judge_sees_a_difference():
    text = configuration(random.Random(1).choice)
    judge = Judge(meaning(text, "ios"))
    other = meaning(text.replace("deny", "permit"), "ios")
    found = judge.difference(other)
    assert found is not None
    assert judge.verdicts(other, found) in ((True, False), (False, True))
    assert judge.difference(meaning(text, "ios")) is None


def test_the_judge_knows_fragments():
    """Cisco's rules, said once more by hand: a permit with ports lets later fragments pass, a deny skips them."""
    base = "interface e0\n ip access-group X in\nip access-list extended X\n "
    fragment = Packet(4, 1, 2, 6, noninitial=True, ingress="e0", path="input")
    whole = replace(fragment, noninitial=False)
    for body, of_fragment, of_whole in (
        ("permit tcp any any eq 80", True, False),
        ("deny tcp any any eq 80\n permit ip any any", True, True),
        ("deny ip any any fragments\n permit ip any any", False, True),
        ("permit ip any any fragments", True, False),
    ):
        device = meaning(base + body + "\n", "ios")
        assert (device.passes(fragment), device.passes(whole)) == (of_fragment, of_whole)
