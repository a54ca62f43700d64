"""Networks that keep state, translate and balance, for tests of what sets of packets cannot decide."""

from __future__ import annotations

from dataclasses import replace

from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.network import NextHop, Prefix, Route, RoutingRule
from compiler.policy.stateful import MarkIn, Register
from compiler.testing.networks.model import NetworkModel, network

FIREWALL = """\
table inet f {
  chain fw {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" tcp dport { 80, 443 } accept
    iifname "wan" ct status dnat accept
  }
}
table ip nat {
  chain pre { type nat hook prerouting priority -100; iifname "wan" tcp dport 25 dnat to 10.0.0.2 }
  chain post { type nat hook postrouting priority 100; oifname "wan" masquerade }
}
"""

BALANCED = """\
table inet b {
  chain pre {
    type filter hook prerouting priority -150;
    iifname "lan" ct mark 0 ct state new ct mark set CHOICE
    iifname "lan" meta mark set ct mark
  }
}
table ip nat {
  chain post { type nat hook postrouting priority 100; oifname "w1" masquerade; oifname "w2" masquerade }
}
"""
IN_TURN = BALANCED.replace("CHOICE", "numgen inc mod 2 offset 1")
BY_SOURCE = BALANCED.replace("CHOICE", "jhash ip saddr mod 2 offset 1")
GATEWAYS = (0xC0000201, 0xC6336401)


def office(text: str = FIREWALL) -> NetworkModel:
    """A mail server and a client behind a firewall that translates."""
    return (
        network()
        .host("mail", "10.0.0.2/24", gateway="10.0.0.1")
        .host("client", "10.0.0.3/24", gateway="10.0.0.1")
        .switch("s")
        .router("r", text=text, ports={"lan": "10.0.0.1/24", "wan": "192.0.2.2/24"}, routes={"0.0.0.0/0": "192.0.2.1"})
        .cable("mail", "s")
        .cable("client", "s")
        .cable("s", "r:lan")
    )


def two_lines(text: str, hosts: int = 1, *, falls_back: bool = False) -> NetworkModel:
    """Hosts behind a router with two lines to the world; a dead line's connections may fall back on the other."""
    ports = {"lan": "10.0.0.1/24", "w1": "192.0.2.2/24", "w2": "198.51.100.2/24"}
    made = network().switch("s").router("r", text=text, ports=ports)
    for number in range(hosts):
        made = made.host(f"h{number}", f"10.0.0.{10 + number}/24", gateway="10.0.0.1").cable(f"h{number}", "s")
    made = made.cable("s", "r:lan")
    router, every = made.routers[0], Prefix(Family.IPV4, 0, 0)
    routes = [Route(every, (NextHop(one),), table=f"t{number}") for number, one in enumerate(GATEWAYS, 1)]
    if falls_back:
        routes += [Route(every, (NextHop(one),), distance=number) for number, one in enumerate(GATEWAYS, 1)]
    rules = tuple(
        RoutingRule(Family.IPV4, 100 + one, f"t{one}", mark=MarkIn(Register.PACKET, IntegerSet.values(one)))
        for one in (1, 2)
    )
    held = replace(router.network, routes=tuple(routes), tables=("t1", "t2"), rules=rules)
    return replace(made, routers=(replace(router, network=held),))
