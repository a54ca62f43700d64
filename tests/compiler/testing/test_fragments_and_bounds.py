"""What a set has of later fragments, and what bounds of clauses that are not modelled can say: nothing unsound."""

from __future__ import annotations

import pytest

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.symbolic.space import space
from compiler.testing.answer import PropertyFailed
from compiler.testing.dynamic.answers import answers_to
from compiler.testing.headers import packets
from compiler.testing.networks.model import network
from compiler.testing.policies import read_policy

FRAGMENTS = """\
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.255.0
 ip access-group 101 in
interface GigabitEthernet0/2
 ip address 10.2.0.1 255.255.255.0
access-list 101 deny tcp any any eq 22
access-list 101 permit tcp any any eq 80
access-list 101 deny ip any any
"""

OWNERS = """\
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    tcp dport 22 meta skuid 0 accept
    tcp dport 80 accept
  }
}
"""


@pytest.fixture
def fragments(tmp_path):
    path = tmp_path / "edge.cfg"
    path.write_text(FRAGMENTS)
    return read_policy(path)


def nft(tmp_path, name, text, **words):
    path = tmp_path / name
    path.write_text(text)
    return read_policy(path, **words)


@pytest.fixture
def bounded(tmp_path):
    return nft(tmp_path, "owners.nft", OWNERS, unmodelled="bound")


# -- later fragments -------------------------------------------------------------------------------


def test_taking_ports_away_leaves_later_fragments(fragments):
    """The entry with a port lets later fragments pass: they have none, and so are not taken away."""
    with pytest.raises(PropertyFailed, match="fragment"):
        fragments.unreachable(packets(protocol="tcp") - packets(service="tcp/80"))


def test_a_part_with_ports_does_not_hide_the_fragments_of_another(fragments):
    with pytest.raises(PropertyFailed, match="fragment"):
        fragments.unreachable((packets(service="tcp/22") | packets(protocol="tcp")) - packets(service="tcp/80"))
    assert fragments.unreachable(packets(service="tcp/22") | packets(service="icmp/echo")).held


def test_a_network_asks_about_later_fragments_too(tmp_path):
    (tmp_path / "edge.cfg").write_text(FRAGMENTS)
    drawing = (
        network()
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .host("server", "10.2.0.2/24", gateway="10.2.0.1")
        .router("edge", tmp_path / "edge.cfg")
        .cable("anna", "edge:GigabitEthernet0/1")
        .cable("server", "edge:GigabitEthernet0/2")
    )
    asked = drawing.verify()
    without_web = packets(protocol="tcp") - packets(service="tcp/80")
    with pytest.raises(PropertyFailed, match="fragment"):
        asked.for_all(without_web).unreachable("anna", "server")
    assert asked.unreachable("anna", "server", "tcp/22").held


def test_halves_of_a_set():
    web, tcp = packets(service="tcp/80"), packets(protocol="tcp")
    assert web.halves == (web - tcp).halves == (False,)
    assert (tcp - web).halves == (tcp | web).halves == (False, True)
    ipv4 = space(Family.IPV4)
    assert not web.encode(ipv4, noninitial=True).satisfiable()
    assert (tcp - web).encode(ipv4, noninitial=True) == tcp.encode(ipv4, noninitial=True)
    assert (tcp - web).encode(ipv4) != tcp.encode(ipv4)


# -- bounds ----------------------------------------------------------------------------------------


def test_what_may_pass_is_not_unreachable(bounded):
    with pytest.raises(PropertyFailed, match="may be let through") as failed:
        bounded.unreachable("192.0.2.0/24", service="tcp/22")
    assert "bounded" in str(failed.value)
    assert "repeat:" not in str(failed.value)
    with pytest.raises(PropertyFailed, match="may be let through"):
        bounded.denies("tcp 192.0.2.1:1025 > 198.51.100.1:22")
    assert "bounded" in bounded.unreachable("192.0.2.0/24", service="tcp/23").decided
    assert bounded.denies("tcp 192.0.2.1:1025 > 198.51.100.1:23").held


def test_what_may_be_stopped_is_not_reachable(bounded):
    with pytest.raises(PropertyFailed, match="may be stopped"):
        bounded.reachable("192.0.2.0/24", service="tcp/22")
    with pytest.raises(PropertyFailed, match="may be stopped"):
        bounded.permits("tcp 192.0.2.1:1025 > 198.51.100.1:22")
    assert "surely" in bounded.reachable("192.0.2.0/24", service="tcp/80").decided


def test_bounds_compare_what_may_pass_with_what_surely_does(bounded, tmp_path):
    skuid = "    tcp dport 22 meta skuid 0 accept\n"
    web = nft(tmp_path, "web.nft", OWNERS.replace(skuid, ""))
    both = nft(tmp_path, "both.nft", OWNERS.replace(" meta skuid 0", ""))
    with pytest.raises(PropertyFailed, match="may pass here and not there"):
        bounded.no_wider_than(web)
    assert "possibly" in bounded.no_wider_than(both).decided
    assert web.no_wider_than(bounded).held
    with pytest.raises(PropertyFailed):
        both.no_wider_than(bounded)
    for one, other in ((bounded, web), (web, bounded)):
        with pytest.raises(UsageError, match="bounds do not tell whether two policies are equal"):
            one.equivalent_to(other)


def test_bounds_that_bound_nothing_are_exact(tmp_path):
    plain = OWNERS.replace(" meta skuid 0", "")
    one, other = (nft(tmp_path, name, plain, unmodelled="bound") for name in ("one.nft", "other.nft"))
    assert one.equivalent_to(other).held
    assert "bounded" not in one.unreachable("192.0.2.0/24", service="tcp/23").decided


# -- first packets of connections ------------------------------------------------------------------


def test_no_new_connection_through_established(tmp_path):
    path = tmp_path / "edge.cfg"
    path.write_text("access-list 101 permit tcp any any established\naccess-list 101 deny ip any any\n")
    policy = read_policy(path)
    assert policy.unreachable(opening=True).held
    assert policy.unreachable("10.0.0.0/8", service="tcp/22 opening").held
    assert policy.reachable(flags="ack").held
    with pytest.raises(PropertyFailed):
        policy.unreachable(protocol="tcp")
    with pytest.raises(PropertyFailed, match="flags syn"):
        policy.unreachable(service="tcp flags=syn")


def test_flags_in_words():
    ipv4 = space(Family.IPV4)
    assert packets(opening=True).encode(ipv4) == packets(flags="syn,!ack,!rst").encode(ipv4)
    assert str(packets(service="tcp/22 opening")) == "tcp/22 that open"
    assert packets(opening=True).halves == (False,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"service": "udp/53", "opening": True}, "only TCP has flags"),
        ({"service": "icmp/echo opening"}, "only TCP has flags"),
        ({"flags": "syn,!syn"}, "both set and clear"),
        ({"flags": "sin"}, "did you mean syn"),
        ({"flags": "syn", "opening": True}, "says already"),
        ({"service": "tcp opening", "flags": "ack"}, "says already"),
        ({"service": "tcp flags="}, "expected names of TCP flags"),
    ],
)
def test_flags_that_contradict(words, message):
    with pytest.raises(UsageError, match=message):
        packets(**words)


def test_answers_to_all_but_openings_are_still_answers():
    left = answers_to(packets(protocol="tcp") - packets(opening=True))
    assert left.encode(space(Family.IPV4)) == answers_to(packets(protocol="tcp")).encode(space(Family.IPV4))
