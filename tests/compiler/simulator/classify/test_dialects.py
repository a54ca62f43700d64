"""Lists of every dialect, fragments and jumps included, as their machines decide them."""

import numpy as np
import pytest

from compiler.dialects import read
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.packet import Path
from compiler.semantics.decision import decide
from compiler.semantics.lower import machine
from compiler.semantics.machine import Context, ListName
from compiler.simulator.classify.classifier import Classifier
from compiler.simulator.classify.drawing import Drawing
from compiler.simulator.classify.flattening import Half

IOS = """\
interface GigabitEthernet0/2
 ip access-group EDGE in
ip access-list extended EDGE
 deny tcp 172.16.6.0 0.0.248.3 host 10.0.0.2 eq ftp
 permit tcp any any established
 deny ip 10.0.0.0 0.255.0.255 any fragments
 permit udp any neq 53 10.0.0.0 0.0.255.255 range 1000 2000
 deny icmp any any echo
 permit ip 10.0.0.0 0.255.255.255 any dscp ef
end
"""
NFTABLES = """\
table inet filter {
    chain web { tcp dport != { 80, 443 } return; ip saddr 10.0.0.0/9 accept; ip ttl < 3 drop; }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ip daddr 10.0.0.0/8 jump web
        meta l4proto tcp jump web
        udp dport 53 accept
        ip saddr & 255.0.0.255 == 10.0.0.1 accept
        iifname "eth1" tcp dport 22 accept
    }
    chain later { type filter hook forward priority 10; policy accept; ip protocol icmp drop; }
}
"""
ROUTEROS = """\
/ip firewall filter
add chain=forward action=jump jump-target=inner protocol=tcp
add chain=forward action=accept src-address=10.0.0.0/8
add chain=forward action=drop
add chain=inner action=return protocol=tcp dst-port=22,80-90
add chain=inner action=drop protocol=tcp tcp-flags=syn,!ack
"""


def packets_for(stages, family):
    """Packets inside the rules, every fourth of them a later fragment."""
    columns = Drawing(stages, Half(family, False, "eth1"), seed=3).draw(1_200)
    fragments = np.arange(columns.size) % 4 == 0
    return columns._replace(noninitial=fragments, ttl=(np.arange(columns.size) % 5).astype(np.uint8))


@pytest.mark.parametrize("text", [IOS, NFTABLES, ROUTEROS], ids=["ios", "nftables", "routeros"])
def test_a_device_decides_as_its_machine(text, engine, family):
    device = machine(read(text, "test"))
    ingress = "GigabitEthernet0/2" if device.dialect == "ios" else "eth1"
    context = Context(family, Path.FORWARD, ingress, "eth2", False)
    halves = [device.stages(context._replace(noninitial=noninitial)) for noninitial in (False, True)]
    columns = packets_for(halves[0], family)
    classifier = Classifier.of_device(device, context, engine)
    found = classifier.classify(columns)
    for place, number in enumerate(found.decision.tolist()):
        packet = columns.packet(place)
        assert classifier.decision(number) == decide(halves[packet.noninitial], packet)
    if family is Family.IPV4:
        assert 0 < found.passes.sum() < columns.size


def test_one_list_alone(engine):
    device = machine(read(IOS, "test"))
    name = ListName("EDGE", Family.IPV4)
    halves = [device.list_stages(name, noninitial=noninitial) for noninitial in (False, True)]
    columns = packets_for(halves[0], Family.IPV4)
    classifier = Classifier.of_list(device, name, engine)
    found = classifier.classify(columns).decision.tolist()
    for place, number in enumerate(found):
        packet = columns.packet(place)
        assert classifier.decision(number) == decide(halves[packet.noninitial], packet)
    assert len({classifier.decision(number).span.line for number in found}) > 5


def test_no_such_list():
    with pytest.raises(UsageError, match="no list 'EDGE' for IPv6; there is none"):
        Classifier.of_list(machine(read(IOS, "test")), ListName("EDGE", Family.IPV6))
