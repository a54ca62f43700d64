"""The tables of a virtual router say where simulated packets go."""

from __future__ import annotations

import pytest
import routeros_api

from compiler.addresses import format_address
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Datagram, Frame
from compiler.simulator.link import Link, Wire
from compiler.simulator.node import Port
from compiler.simulator.router.checks import CHECK_IDENTIFIER
from labs.virtual_routeros.clocks import EngineClock
from labs.virtual_routeros.device import Description, Device
from labs.virtual_routeros.node import VirtualRouter
from labs.virtual_routeros.server import Server
from tests.compiler.simulator.rig import packet

_PORTS = ("ether1", "ether2", "ether3")
_SETTING = """\
/ip address add address=10.1.0.2/24 interface=ether1
/ip address add address=10.2.0.2/24 interface=ether2
/ip address add address=192.168.0.1/24 interface=ether3
/ip route add gateway=10.1.0.1 comment=first
/ip firewall nat add chain=srcnat out-interface=ether1 action=masquerade
/ip firewall nat add chain=srcnat out-interface=ether2 action=masquerade
"""
_SECOND_LINE = (
    ("/routing/table", {"name": "isp2", "fib": ""}),
    ("/ip/route", {"gateway": "10.2.0.1", "routing-table": "isp2"}),
    (
        "/ip/firewall/mangle",
        {
            "chain": "prerouting",
            "in-interface": "ether3",
            "action": "mark-routing",
            "new-routing-mark": "isp2",
            "dst-address": "!10.0.0.0/8",
        },
    ),
)


class _Neighbour:
    """Whoever is at the other end of a port: hears, and answers gateway checks while it is alive."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.port = Port(self, name, 0x020000000000 + number)
        self.heard: list[Datagram] = []
        self.is_alive = True
        self.checks = self.asked = 0

    def receive(self, port: Port, frame: Frame) -> None:
        if not isinstance(frame, Datagram):
            self.asked += 1
            return
        if frame.identifier != CHECK_IDENTIFIER:
            self.heard.append(frame)
            return
        self.checks += 1
        if self.is_alive:
            answer = frame.copy()
            answer.source, answer.destination, answer.icmp_type = frame.destination, frame.source, 0
            answer.link_destination = frame.link_source
            self.port.send(answer)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        pass


class _World:
    """A virtual router with a neighbour at each port."""

    def __init__(self, version: str = "7.18.2", *, static: bool = True) -> None:
        self.engine = Engine()
        users = {"admin": "secret"}
        self.device = Device(Description(version, ports=_PORTS, users=users), EngineClock(self.engine))
        self.script(_SETTING)
        self.neighbours = {name: _Neighbour(name, number) for number, name in enumerate(_PORTS)}
        hosts = {
            "ether1": ["10.1.0.1"],
            "ether2": ["10.2.0.1"],
            "ether3": ["192.168.0.9"],
        }
        known = {
            name: {(Family.IPV4, _number(host)): self.neighbours[name].port.link_address for host in several}
            for name, several in hosts.items()
        }
        self.node = VirtualRouter(self.engine, "router", self.device, static=known if static else None)
        for name, neighbour in self.neighbours.items():
            wires = Wire(delay=1000), Wire(delay=1000)
            Link(self.engine, name, (self.node.ports[name], neighbour.port), wires, "1")

    def script(self, text: str) -> None:
        self.device.upload("setting.rsc", text)
        self.device.call((), "import", {"file-name": "setting.rsc"})

    def send(self, port: str, text: str) -> list[tuple[str, str]]:
        """What comes out, where and from which source, within a millisecond."""
        for neighbour in self.neighbours.values():
            neighbour.heard.clear()
        datagram = packet(text)
        datagram.link_destination = self.node.ports[port].link_address
        self.neighbours[port].port.send(datagram)
        self.engine.run(self.engine.now + SECOND // 1000)
        return [(name, format_address(one.source, 32)) for name, each in self.neighbours.items() for one in each.heard]

    def run(self, seconds: int) -> None:
        self.engine.run(self.engine.now + seconds * SECOND)


def _number(address: str) -> int:
    return int.from_bytes(bytes(map(int, address.split("."))))


def test_a_rule_added_over_the_api_sends_packets_the_other_way() -> None:
    world = _World()
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]
    with Server(world.device) as server:
        host, port = server.address
        pool = routeros_api.RouterOsApiPool(host, port=port, username="admin", password="secret", plaintext_login=True)
        api = pool.get_api()
        try:
            for path, row in _SECOND_LINE:
                last = api.get_resource(path).add(**row).done_message["ret"]
            assert world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
            api.get_resource("/ip/firewall/mangle").call("disable", {"id": last})
            assert world.send("ether3", "udp 192.168.0.9:1002 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]
            api.get_resource("/ip/firewall/mangle").call("enable", {"id": last})
            assert world.send("ether3", "udp 192.168.0.9:1003 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
        finally:
            pool.disconnect()


def test_the_same_in_version_6() -> None:
    world = _World("6.49.17")
    world.script("/ip route add gateway=10.2.0.1 routing-mark=isp2")
    world.script(
        "/ip firewall mangle add chain=prerouting in-interface=ether3 action=mark-routing new-routing-mark=isp2"
    )
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]


def test_connections_outlive_a_change() -> None:
    world = _World()
    world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53")
    world.script("/ip firewall filter add chain=forward connection-state=new action=drop")
    assert world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53") == []
    assert world.send("ether1", "udp 8.8.8.8:53 > 10.1.0.2:1000") == [("ether3", "8.8.8.8")]
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]


def test_a_lost_address_takes_what_was_masqueraded_behind_it() -> None:
    world = _World()
    world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53")
    world.script("/ip firewall filter add chain=input action=drop")
    world.node.refresh()
    assert len(world.node.router.memory.connections) == 1
    world.script("/ip address set [find interface=ether1] address=10.1.0.3/24")
    world.node.refresh()
    assert len(world.node.router.memory.connections) == 0


def test_an_address_list_that_rules_fill_outlives_a_change() -> None:
    world = _World()
    world.script(
        "/ip firewall filter add chain=forward dst-port=1 protocol=udp action=add-src-to-address-list "
        "address-list=bad\n"
        "/ip firewall filter add chain=forward src-address-list=bad action=drop"
    )
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") != []
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:1") == []
    world.script("/ip firewall filter add chain=forward action=accept comment=last")
    assert world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53") == []


def test_a_dead_gateway_stays_dead_over_a_change() -> None:
    world = _World()
    world.script(
        "/ip route set [find comment=first] check-gateway=ping\n"
        "/ip route add gateway=10.2.0.1 distance=2 comment=second"
    )
    world.run(5)
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]
    world.neighbours["ether1"].is_alive = False
    world.run(25)
    assert world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
    world.script("/ip firewall filter add chain=forward action=accept")
    assert world.send("ether3", "udp 192.168.0.9:1002 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
    world.neighbours["ether1"].is_alive = True
    world.run(15)
    assert world.send("ether3", "udp 192.168.0.9:1003 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]


def test_a_rollback_on_the_device_turns_packets_back() -> None:
    world = _World()
    back = "/ip firewall mangle remove [find]; /system scheduler remove [find name=back]"
    world.device.call(("system", "scheduler"), "add", {"name": "back", "interval": "30s", "on-event": back})
    for path, row in _SECOND_LINE:
        world.device.call(tuple(path.strip("/").split("/")), "add", row)
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
    world.run(29)
    assert world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
    world.run(2)
    assert world.send("ether3", "udp 192.168.0.9:1002 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]
    assert world.device.scheduler.next_due is None


def test_interfaces_can_be_switched_off() -> None:
    world = _World()
    world.script("/ip route add gateway=10.2.0.1 distance=2\n/interface disable ether1")
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether2", "10.2.0.2")]
    world.script("/interface enable ether1")
    assert world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]


def test_what_the_simulator_cannot_follow_is_named_and_changes_nothing() -> None:
    world = _World()
    world.script("/ip settings set rp-filter=strict")
    with pytest.raises(UsageError, match=r"/ip settings .*rp-filter"):
        world.node.refresh()
    assert world.node.faults
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == [("ether1", "10.1.0.2")]
    world.script("/ip settings set rp-filter=no")
    world.node.refresh()
    assert world.node.faults == ()


def test_each_rule_tells_how_often_it_matched() -> None:
    world = _World()
    world.script(
        "/ip firewall mangle add chain=prerouting in-interface=ether3 connection-mark=no-mark connection-state=new "
        "nth=2,1 action=mark-connection new-connection-mark=a\n"
        "/ip firewall mangle add chain=prerouting in-interface=ether3 connection-mark=no-mark connection-state=new "
        "action=mark-connection new-connection-mark=b"
    )
    for port in range(2000, 2010):
        world.send("ether3", f"udp 192.168.0.9:{port} > 8.8.8.8:53")
    assert _packets(world) == ["5", "5"]
    world.script("/ip firewall filter add chain=forward action=accept")
    world.send("ether3", "udp 192.168.0.9:3000 > 8.8.8.8:53")
    assert _packets(world) == ["6", "5"], "counters stay over a change of other rules"
    world.device.call(("ip", "firewall", "mangle"), "reset-counters", {".id": "*1"})
    assert _packets(world) == ["0", "5"]


def _packets(world: _World) -> list[str]:
    return [row["packets"] for row in world.device.call(("ip", "firewall", "mangle"), "print").rows]


def test_a_gateway_is_asked_once_in_ten_seconds_however_often_tables_change() -> None:
    world = _World()
    world.script("/ip route set [find comment=first] check-gateway=ping")
    for _ in range(4):
        world.script("/ip firewall filter add chain=forward action=accept")
        world.node.refresh()
    world.neighbours["ether1"].checks = 0
    world.run(60)
    assert world.neighbours["ether1"].checks in (6, 7)


def test_without_known_neighbours_they_are_asked_for() -> None:
    """The first packet waits for an answer to ARP; a change meanwhile loses it, and the next asks anew."""
    world = _World(static=False)
    assert world.send("ether3", "udp 192.168.0.9:1000 > 8.8.8.8:53") == []
    assert world.neighbours["ether1"].asked == 1
    world.script("/ip firewall filter add chain=forward action=accept")
    world.send("ether3", "udp 192.168.0.9:1001 > 8.8.8.8:53")
    assert world.neighbours["ether1"].asked == 2
    world.run(10)
    assert world.neighbours["ether1"].asked == 4, "only the router that is there now asks again, twice more"
