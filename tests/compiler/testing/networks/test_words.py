"""The words about networks: what holds is proved, what fails shows the packet, its way, the line and what was dead."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from compiler.cli.main import main
from compiler.errors import UsageError
from compiler.placed.addresses import address
from compiler.policy.network import NextHop
from compiler.testing.answer import Answer, PropertyFailed, Sureness
from compiler.testing.headers import packets
from compiler.testing.networks.model import network
from tests.compiler.testing.networks.drawings import EDGE, edge, square


def failed(ask, *arguments, **words) -> Answer:
    with pytest.raises(PropertyFailed) as raised:
        ask(*arguments, **words)
    assert raised.value.answer.witness is not None
    return raised.value.answer


def nodes(answer: Answer) -> list[str]:
    assert answer.witness is not None
    return [hop.node for hop in answer.witness.path]


def test_what_holds_is_proved():
    asked = edge().verify()
    for answer in (
        asked.reachable("anna", "server", "tcp/80"),
        asked.unreachable("anna", "server", "udp"),
        asked.unreachable("anna", "server", "tcp/81"),
        asked.reachable("anna", "bert"),
        asked.reachable("server", "anna"),
        asked.via("server", "anna", "edge"),
        asked.no_loop(),
        asked.no_shadowed_rule(),
    ):
        assert answer.held
        assert answer.sureness is Sureness.PROVED
        assert answer.witness is None


def test_a_packet_that_is_denied_shows_the_line():
    answer = failed(edge().verify().reachable, "anna", "server", "tcp/80,443")
    assert answer.witness.packet == "tcp 10.1.0.2:1025 > 10.2.0.2:443 flags=syn"
    assert nodes(answer) == ["anna", "edge"]
    hop = answer.witness.path[1]
    assert (hop.ingress, hop.egress) == ("GigabitEthernet0", "GigabitEthernet1")
    (rule,) = hop.rules
    assert (rule.span.line, rule.did) == (11, "denies")
    assert rule.text == "access-list 101 deny ip any 10.2.0.0 0.0.0.255"
    assert answer.said == "does not arrive: denied"


def test_a_packet_that_arrives_shows_its_whole_way():
    answer = failed(edge().verify().unreachable, "10.1.0.2", "10.2.0.2", "tcp")
    assert answer.witness.packet == "tcp 10.1.0.2:1025 > 10.2.0.2:80 flags=syn"
    assert nodes(answer) == ["anna", "edge", "server"]
    assert answer.witness.path[1].rules[0].span.line == 10
    isolated = failed(edge().verify().isolated, "anna", "server", "udp")
    assert isolated.question == "isolated: anna and server, udp"
    assert isolated.witness.packet.startswith("udp 10.2.0.2:")


def test_the_command_repeats_the_decision(tmp_path, capsys):
    path = tmp_path / "edge.cfg"
    path.write_text(EDGE)
    made = network().host("anna", "10.1.0.2/24", gateway="10.1.0.1").host("server", "10.2.0.2/24", gateway="10.2.0.1")
    made = made.router("edge", path).cable("anna", "edge:GigabitEthernet0").cable("server", "edge:GigabitEthernet1")
    answer = failed(made.verify().reachable, "anna", "server", "udp")
    command = shlex.split(answer.witness.command)
    assert command[:2] == ["gerbang", "trace"]
    main(command[1:])
    told = capsys.readouterr().out
    assert "edge.cfg:11" in told
    # A text that is in no file cannot be traced by a command.
    assert "trace" not in failed(edge().verify().reachable, "anna", "server", "udp").witness.command


def test_patterns_and_networks_name_several_ends():
    asked = edge().verify()
    assert asked.unreachable("10.1.0.0/24", "server", "udp").held
    assert asked.unreachable("[ab]*", "server", "udp").held
    answer = failed(asked.unreachable, "*", "*", "udp")
    assert nodes(answer)[0] in ("anna", "bert", "server")


def test_ends_beyond_a_port():
    asked = edge().verify()
    assert asked.reachable("anna", "198.51.100.7", "tcp/443").held
    assert asked.reachable("198.51.100.0/24", "anna").held
    answer = failed(asked.unreachable, "198.51.100.7", "server", "udp/53")
    assert answer.witness.packet == "udp 198.51.100.7:1025 > 10.2.0.2:53"
    assert nodes(answer) == ["198.51.100.7", "edge", "server"]
    assert answer.witness.path[1].ingress == "GigabitEthernet2"
    # The whole Internet is the drawn hosts and whatever is outside; a network of the drawing never is.
    outside = failed(asked.unreachable, "0.0.0.0/0", "server", "udp/53")
    assert nodes(outside) == ["0.0.0.0/0", "edge", "server"]
    assert asked.for_all(packets(source="10.1.0.0/24", protocol="udp")).unreachable("0.0.0.0/0", "server").held
    assert nodes(failed(asked.unreachable, "any", "server", "udp/53"))[0] == "any"
    # The router's own address comes from nowhere (RFC 1812, 5.3.8).
    own = packets(source="192.0.2.1")
    assert asked.for_all(own).unreachable("192.0.2.0/30", "server").held


def test_failures_are_tried_the_fewest_first():
    asked = square().verify()
    assert asked.reachable("left-host", "right-host").held
    assert asked.under(failures=1, among=("north", "south", "left-north")).reachable("left-host", "right-host").held
    answer = failed(asked.under(failures=2).reachable, "left-host", "right-host", "tcp")
    assert answer.said.endswith("while left is dead")
    two = failed(asked.under(failures=2, among=("north", "south")).reachable, "left-host", "right-host", "tcp")
    assert two.said.endswith("while north, south are dead")
    assert nodes(two) == ["left-host", "left"]
    assert "no route" in two.said


def test_a_far_break_is_not_seen():
    """The next hop's own cable works, so a static route stays: the packet dies at the next router."""
    cut = square().verify().under(failures=1, among="right-north")
    answer = failed(cut.reachable, "left-host", "right-host")
    assert answer.said.endswith("while right-north is dead")
    assert nodes(answer) == ["left-host", "left", "north"]


def test_ways():
    asked = square().verify()
    assert asked.via("left-host", "right-host", "north").held
    assert asked.avoids("left-host", "right-host", "south").held
    assert asked.via("left-host", "right-host", "left-north").held
    assert asked.avoids("left-host", "right-host", "left-south").held
    answer = failed(asked.under(failures=1, among="north").via, "left-host", "right-host", "north")
    assert nodes(answer) == ["left-host", "left", "south", "right", "right-host"]
    assert answer.said == "arrives without north: delivered; while north is dead"
    office = edge().verify()
    assert office.via("anna", "bert", "office").held
    assert office.avoids("anna", "bert", "uplink").held
    assert office.via("anna", "server", "uplink", "tcp/80").held
    assert nodes(failed(office.via, "anna", "bert", "edge")) == ["anna", "bert"]


def test_ways_may_differ_there_and_back():
    made = square()
    right = made.routers[1]
    back = tuple(route for route in right.network.routes if route.distance == 200)
    turned = replace(right, network=replace(right.network, routes=back))
    asked = replace(made, routers=tuple(turned if one is right else one for one in made.routers)).verify()
    assert asked.via("left-host", "right-host", "north").held
    assert asked.via("right-host", "left-host", "south").held
    assert nodes(failed(asked.via, "right-host", "left-host", "north"))[2] == "south"


def test_a_loop_shows_where_it_closes():
    made = (
        network()
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .router("one", ports={"lan": "10.1.0.1/24", "line": "10.9.0.1/30"}, routes={"0.0.0.0/0": "10.9.0.2"})
        .router("two", ports={"line": "10.9.0.2/30"}, routes={"0.0.0.0/0": "10.9.0.1"})
        .cable("anna", "one:lan")
        .cable("one:line", "two:line")
    )
    answer = failed(made.verify().no_loop)
    assert nodes(answer) == ["anna", "one", "two", "one", "two"]
    assert "goes round in a circle" in answer.said
    assert made.verify().for_all(packets(destination="10.9.0.0/30,10.1.0.0/24")).no_loop().held


def test_shared_traffic_may_take_either_way():
    made = square(second=False)
    left = made.routers[0]
    route = left.network.routes[0]
    south = prefixed("10.8.1.9")
    both = replace(left, network=replace(left.network, routes=(route, replace(route, next_hops=(south,)))))
    asked = replace(made, routers=(both, *made.routers[1:])).verify()
    assert asked.reachable("left-host", "right-host").held
    assert nodes(failed(asked.via, "left-host", "right-host", "north"))[2] == "south"
    assert nodes(failed(asked.avoids, "left-host", "right-host", "north"))[2] == "north"
    assert asked.under(failures=1, among=("left-north", "left-south")).reachable("left-host", "right-host").held


def prefixed(gateway: str) -> NextHop:
    return NextHop(address(gateway)[1])


def test_later_fragments_are_packets_too():
    lists = EDGE[: EDGE.index("access-list")]
    refused = edge(lists + "access-list 101 deny udp any any fragments\naccess-list 101 permit ip any any\n").verify()
    answer = failed(refused.reachable, "anna", "server", "udp")
    assert "fragment" in answer.witness.packet
    assert answer.witness.path[1].rules[0].span.line == 10
    assert refused.reachable("anna", "server", "udp/53").held  # ports are asked for, and only first fragments have them
    # A permit for a port lets later fragments pass, which it cannot look into (RFC 1858, Cisco's document 8014).
    web = edge(lists + "access-list 101 permit tcp any any eq 80\n").verify()
    rest = packets(protocol="tcp") - packets(service="tcp/80")  # takes away none of the later ones
    assert "fragment" in failed(web.for_all(rest).unreachable, "anna", "server").witness.packet
    whole = packets(service="tcp/0-79,81-65535")
    assert web.for_all(whole).unreachable("anna", "server").held
    assert web.unreachable("anna", "server", "udp").held


def test_a_family_of_its_own():
    made = (
        network()
        .host("anna", "10.1.0.2/24", "2001:db8:1::2/64", gateway=("10.1.0.1", "2001:db8:1::1"))
        .host("server", "2001:db8:2::2/64", gateway="2001:db8:2::1")
        .router("edge", ports={"lan": ["10.1.0.1/24", "2001:db8:1::1/64"], "dmz": "2001:db8:2::1/64"})
        .cable("anna", "edge:lan")
        .cable("server", "edge:dmz")
    )
    asked = made.verify()
    assert asked.reachable("anna", "server", "udp/53").held
    assert asked.reachable("server", "2001:db8:1::2", "icmp6/echo-request").held
    answer = failed(asked.unreachable, "anna", "server", "tcp/80")
    assert answer.witness.packet == "tcp [2001:db8:1::2]:1025 > [2001:db8:2::2]:80 flags=syn"
    with pytest.raises(UsageError, match="nothing was asked"):
        asked.for_all(packets(source="10.0.0.0/8")).reachable("anna", "server")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("anna", "nobody"), "no host is called 'nobody' .there are anna, bert, server"),
        (("anna", "anna"), "nothing was asked"),
        (("anna", "server", "tcp/http/80"), "unknown port 'http/80'"),
        (("anna", ""), "an end has no name"),
        (("anna", "10.1.0.77"), "no host has an address of 10.1.0.77"),
    ],
)
def test_wrong_questions(asked, told):
    with pytest.raises(UsageError, match=told):
        edge().verify().reachable(*asked)


def test_wrong_use():
    asked = edge().verify()
    with pytest.raises(UsageError, match="leave the service out"):
        asked.for_all(packets()).reachable("anna", "server", "tcp/80")
    with pytest.raises(UsageError, match="no node or cable is called isp"):
        asked.under(failures=1, among="isp*")
    with pytest.raises(
        UsageError, match="no router, switch or cable is called 'south'; there are edge, office, anna-office, bert"
    ):
        asked.via("anna", "server", "south")
    with pytest.raises(UsageError, match="nothing was asked"):
        asked.for_all(packets(source="172.16.0.0/12")).unreachable("anna", "server")
    with pytest.raises(UsageError, match="no router has rules"):
        network().router("plain", ports={"lan": "10.1.0.1/24"}).verify().no_shadowed_rule()


def test_what_is_not_plugged_in():
    alone = network().host("anna", "10.1.0.2/24").host("bert", "10.1.0.3/24").host("carl", "10.7.0.2/24")
    answer = failed(alone.verify().reachable, "anna", "bert")
    assert nodes(answer) == ["anna"]
    assert "nobody has that address there" in answer.said
    answer = failed(alone.verify().reachable, "anna", "carl")
    assert "anna has no gateway" in answer.said
    stray = network().host("anna", "10.1.0.2/24", gateway="10.9.0.1").host("carl", "10.7.0.2/24")
    assert "on no network of its own" in failed(stray.verify().reachable, "anna", "carl").said


def test_a_next_hop_of_its_own():
    """A route to the router itself leads nowhere: nobody answers for it."""
    made = (
        network()
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .router("one", ports={"lan": "10.1.0.1/24", "wan": "192.0.2.1/24"}, routes={"0.0.0.0/0": "10.1.0.1"})
        .cable("anna", "one:lan")
    )
    answer = failed(made.verify().reachable, "anna", "198.51.100.7")
    assert "answers for the next hop" in answer.said
    assert made.verify().reachable("anna", "192.0.2.77").held


def test_an_interface_that_is_shut():
    made = edge(EDGE.replace("interface GigabitEthernet1\n", "interface GigabitEthernet1\n shutdown\n"))
    answer = failed(made.verify().reachable, "anna", "server", "tcp/80")
    assert nodes(answer)[:2] == ["anna", "edge"]
    assert failed(made.verify().reachable, "server", "anna").said.startswith("does not arrive: nobody")


def test_a_bridge_is_one_interface():
    text = (
        "/interface bridge\nadd name=lan\n/interface bridge port\nadd bridge=lan interface=ether2\n"
        "add bridge=lan interface=ether3\n/ip address\nadd address=10.1.0.1/24 interface=lan\n"
        "add address=10.2.0.1/24 interface=ether4\n"
    )
    made = network().host("anna", "10.1.0.2/24", gateway="10.1.0.1").host("bert", "10.1.0.3/24", gateway="10.1.0.1")
    made = made.host("carl", "10.2.0.2/24", gateway="10.2.0.1").router("board", text=text)
    made = made.cable("anna", "board:ether2").cable("bert", "board:ether3").cable("carl", "board:ether4")
    asked = made.verify()
    assert asked.reachable("anna", "bert").held
    assert asked.reachable("anna", "carl").held
    assert asked.reachable("carl", "*").held
    assert asked.via("bert", "carl", "board").held


def test_ports_of_ios_may_have_their_short_names(tmp_path):
    path = tmp_path / "edge.cfg"
    path.write_text(
        "interface GigabitEthernet0/0\n ip address 10.1.0.1 255.255.255.0\ninterface GigabitEthernet0/1\n"
        "ip access-list extended A\n permit ip any any\n"
    )
    lan = (
        network()
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .host("server", "10.2.0.2/24", gateway="10.2.0.1")
        .router("edge", path, ports={"gi0/1": "10.2.0.1/24"})
        .cable("anna", "edge:Gi0/0")
        .cable("server", "edge:gigabitethernet0/1")
    )
    assert [end.port for cable in lan.cables for end in cable.ends if end.node == "edge"] == [
        "GigabitEthernet0/0",
        "GigabitEthernet0/1",
    ]
    assert lan.verify().reachable("anna", "server").held
    with pytest.raises(UsageError, match="edge has no port 'Gi0/7'"):
        lan.host("bert", "10.3.0.2/24").cable("bert", "edge:Gi0/7")
    with pytest.raises(UsageError, match="edge:GigabitEthernet0/0 has a cable already"):
        lan.host("bert", "10.3.0.2/24").cable("bert", "edge:Gi0/0")
