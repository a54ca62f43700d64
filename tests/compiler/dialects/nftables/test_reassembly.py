"""Which chains meet whole packets: told by the reader, and tried with fragments in the kernel."""

from __future__ import annotations

import pytest

from compiler.analysis.equivalence.proof import prove
from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors, Unmodelled, UsageError
from compiler.fields import Family
from compiler.policy.packet import Packet
from compiler.semantics.firewall import FirewallMachine
from tests.compiler.dialects.nftables.kernel import KernelRouter, why_not
from tests.compiler.dialects.nftables.packets import craft

BOTH = frozenset(Family)
FOUR, SIX, NONE = frozenset({Family.IPV4}), frozenset({Family.IPV6}), frozenset()
NAT = "table ip n {\n chain p {\n type nat hook postrouting priority srcnat\n masquerade\n }\n}\n"

TRACKERS = [
    ("table ip o {\n chain c {\n ct state invalid counter\n }\n}\n", FOUR),
    ("table ip6 o {\n chain c {\n ct state invalid counter\n }\n}\n", SIX),
    ("table inet o {\n chain c {\n ct state invalid counter\n }\n}\n", BOTH),
    ("table ip o {\n chain c {\n meta mark set ct mark\n }\n}\n", FOUR),
    ("table ip o {\n chain c {\n ct state vmap { invalid : continue }\n }\n}\n", FOUR),
    ("table ip o {\n flags dormant\n chain c {\n ct state invalid counter\n }\n}\n", FOUR),
    ("table inet o {\n chain c {\n type nat hook postrouting priority 100\n oifname nowhere masquerade\n }\n}\n", BOTH),
    (
        "table inet o {\n chain c {\n type nat hook prerouting priority -100\n"
        " iifname nowhere dnat ip to 10.0.0.9\n }\n}\n",
        FOUR,
    ),
    (
        "table inet o {\n chain c {\n type nat hook prerouting priority -100\n"
        " iifname nowhere ip6 daddr 2001:db8::9 dnat to 2001:db8::7\n }\n}\n",
        SIX,
    ),
    ("table ip o {\n chain c {\n type nat hook postrouting priority 100\n }\n}\n", NONE),
    ("table ip o {\n chain c {\n meta mark set 5\n }\n}\n", NONE),
    (
        "table ip o {\n set s {\n type ipv4_addr\n size 9\n flags dynamic\n }\n"
        " chain c {\n add @s { ip saddr ct count over 3 }\n }\n}\n",
        FOUR,
    ),
    ("table ip o {\n set s {\n type ipv4_addr\n size 9\n flags dynamic\n ct count over 3\n }\n}\n", FOUR),
    ('table ip o {\n ct helper h {\n type "ftp" protocol tcp\n }\n}\n', FOUR),
]


def early(family: str, hook: str = "prerouting", priority: int = -300, rule: str = "counter") -> str:
    return f"table {family} t {{\n chain c {{\n type filter hook {hook} priority {priority}\n {rule}\n }}\n}}\n"


def whole(text: str, table: str) -> bool:
    return read(text, "text", unmodelled="bound").chain(table, "c").sees_reassembled


@pytest.mark.parametrize(("text", "tracked"), TRACKERS)
def test_the_reader_knows_for_which_families_the_kernel_tracks(text, tracked):
    for family, table in ((Family.IPV4, "ip"), (Family.IPV6, "ip6")):
        assert whole(text + early(table), f"{table} t") is (family in tracked)
        assert whole(text + early(table, priority=-450), f"{table} t") is False
    assert whole(text + early("inet"), "inet t") is (tracked == BOTH)


@pytest.mark.skipif(bool(why_not()), reason=f"no kernel router: {why_not()}")
@pytest.mark.parametrize(("text", "tracked"), TRACKERS[:-1])
def test_the_kernel_tracks_for_the_same_families(text, tracked):
    """A lone fragment is kept back where packets are put together, and passes where not.

    All but the last: the helper needs a module that few kernels have.
    """
    base = {Family.IPV4: 0x0A000000, Family.IPV6: 0x20010DB8 << 96}
    with KernelRouter() as router:
        router.load(text)
        for family, start in base.items():
            hosts = start, start + (0x100 if family is Family.IPV4 else 1 << 64)
            packet = Packet(family, hosts[0] + 1, hosts[1] + 1, 6, ingress="west0", egress="east0", noninitial=True)
            assert router.verdicts([craft(packet)], "west") == [family not in tracked]


@pytest.mark.parametrize("rule", ["tcp dport 80 drop", "ip frag-off & 0x1fff != 0 drop"])
@pytest.mark.parametrize(("hook", "priority"), [("prerouting", -300), ("prerouting", 0), ("output", -399)])
def test_a_move_behind_reassembly_is_noticed_where_connections_are_tracked(rule, hook, priority):
    before, after = early("ip", hook, -450, rule), early("ip", hook, priority, rule)

    def compared(left: str, right: str) -> bool:
        return prove(FirewallMachine(read(left, "left")), FirewallMachine(read(right, "right"))).holds

    assert compared(before, after), "nothing puts fragments together here"
    if "dport" in rule:
        with pytest.raises(UsageError, match="fragments are put together before some chains"):
            compared(NAT + before, NAT + after)
    else:
        assert not compared(NAT + before, NAT + after)
    assert compared(NAT + after, NAT + after)


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        (early("inet", rule="tcp dport 80 drop"), "only IPv4 fragments are put together"),
        (early("inet", "forward", 0, "ip frag-off & 0x1fff != 0 drop"), "only IPv4 fragments are put together"),
        (early("inet", rule="jump d").replace("}\n}", "}\n chain d {\n udp dport 5 drop\n }\n}"), "only IPv4"),
        (early("ip", priority=-400, rule="tcp dport 80 drop"), "at which the kernel puts fragments together"),
    ],
)
def test_a_chain_that_meets_both_is_refused_where_it_asks(chain, why):
    with pytest.raises(InputErrors, match=why) as caught:
        read(NAT + chain, "text")
    (error,) = caught.value.errors
    assert isinstance(error, Unmodelled)
    assert read(chain, "text").chains[0].sees_reassembled is False
    read(NAT + early("inet", rule="ip saddr 10.0.0.0/8 drop"), "text")
