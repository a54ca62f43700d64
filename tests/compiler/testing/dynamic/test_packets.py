"""Words about packets where a device keeps state or translates: tried, and a failure shows the plainest packet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UsageError
from compiler.symbolic.space import space
from compiler.testing.answer import PropertyFailed, Sureness
from compiler.testing.dynamic import returning, trying
from compiler.testing.dynamic.candidates import candidates, region_of
from compiler.testing.dynamic.trying import exactly
from compiler.testing.dynamic.world import NetworkWorld
from compiler.testing.headers import packets
from compiler.testing.networks.claims import begins, is_there
from compiler.testing.networks.deciding import Field
from tests.compiler.testing.dynamic.networks import FIREWALL, office
from tests.compiler.testing.networks.stars import stars

WORLD = "198.51.100.0/24"


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    """Forty packets find what is seeded here."""
    for module in (trying, returning):
        monkeypatch.setattr(module, "MOST", 40)


def failed(ask):
    with pytest.raises(PropertyFailed) as caught:
        ask()
    return caught.value.answer


def test_what_holds_is_tested_and_says_why():
    verify = office().verify()
    for answer in (
        verify.reachable("client", WORLD, "tcp/443"),
        verify.reachable(WORLD, "mail", "tcp/25"),  # by the address that the router translates
        verify.unreachable(WORLD, "client"),
        verify.via("client", WORLD, "r", "tcp/80"),
        verify.returns("client", WORLD, "tcp/80"),
        verify.returns(WORLD, "mail", "tcp/25"),
    ):
        assert answer.sureness is Sureness.TESTED
        assert "packets" in answer.decided
        assert "not proved, as" in answer.decided


def test_a_packet_that_does_not_arrive_is_plain():
    answer = failed(lambda: office().verify().reachable("client", WORLD, "tcp/80,443,8080"))
    assert answer.witness.packet == "tcp 10.0.0.3:1025 > 198.51.100.1:8080 flags=syn"
    assert [hop.node for hop in answer.witness.path] == ["client", "s", "r"]
    assert "policy of chain fw" in answer.said


def test_a_door_left_open_is_found():
    answer = failed(lambda: office().verify().unreachable(WORLD, "mail"))
    assert answer.witness.packet == "tcp 198.51.100.1:1025 > 192.0.2.2:25 flags=syn"
    rules = [rule for hop in answer.witness.path for rule in hop.rules]
    assert any("dnat to 10.0.0.2" in rule.text and rule.span.line == 10 for rule in rules)
    assert any("destination 192.0.2.2:25 becomes 10.0.0.2:25" in rule.did for rule in rules)


def test_an_answer_that_is_stopped_is_shown_with_its_way():
    model = office(FIREWALL.replace("ct state established,related accept", ""))
    assert model.verify().reachable("client", WORLD, "tcp/80").held
    answer = failed(lambda: model.verify().returns("client", WORLD, "tcp/80"))
    assert answer.said.startswith("the answer does not reach the sender")
    assert "answers tcp 198.51.100.1:80 > 192.0.2.2:1025 flags=syn,ack" in str(answer.witness.path)
    repeated = model.follow("client", answer.witness.packet)
    assert "it comes to r:wan" in repeated


def test_who_cannot_send_is_told():
    with pytest.raises(UsageError, match="'nobody' is no sender; there are mail, client, r:wan"):
        office().follow("nobody", "tcp 10.0.0.3:1025 > 198.51.100.1:80")


STATELESS = """\
hostname e
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.255.0
interface GigabitEthernet0/2
 ip address 10.2.0.1 255.255.255.0
 ip access-group 102 in
access-list 102 permit tcp any eq 80 any established
"""


def test_answers_of_stateless_devices_are_proved():
    from compiler.testing.networks.model import network

    model = (
        network()
        .host("a", "10.1.0.2/24", gateway="10.1.0.1")
        .host("b", "10.2.0.2/24", gateway="10.2.0.1")
        .router("e", text=STATELESS)
        .cable("a", "e:GigabitEthernet0/1")
        .cable("b", "e:GigabitEthernet0/2")
    )
    assert model.verify().returns("a", "b", "tcp/80").sureness is Sureness.PROVED
    answer = failed(lambda: model.verify().returns("a", "b", "tcp/81"))
    assert answer.sureness is Sureness.PROVED
    assert answer.witness.packet.startswith("tcp 10.2.0.2:81 > 10.1.0.2:")
    assert not model.verify().ask_returns("a", "b", "icmp/echo").held


@settings(max_examples=10, deadline=None)
@given(stars(), st.data())
def test_the_simulator_and_the_sets_agree_packet_by_packet(star, data):
    """Where next hops share the traffic a packet may have several ends; the simulator's is one of them."""
    model, headers = star.model, packets(service="tcp")
    source, destination = data.draw(st.sampled_from(model.hosts)), data.draw(st.sampled_from(model.hosts))
    pairs = [pair for begin in begins(headers, (source,), (destination,)) for pair in begin.pairs()]
    field = Field(model)
    for pair in pairs:
        delivered = lost = space(pair.family).empty
        for arrival in field.arrivals(headers, pair):
            if is_there(pair, arrival):
                delivered = delivered | arrival.region
            else:
                lost = lost | arrival.region
        region = region_of(headers, source, destination, pair.family)
        for packet in candidates(model, region, pair.family, 8):
            journey = NetworkWorld(model).send(source.name, packet)
            arrived = journey.arrived is not None and journey.arrived.node == destination.name
            possible = delivered if arrived else lost
            assert (possible & space(pair.family).encode(exactly(packet))).satisfiable(), packet
