"""Small networks, drawn by hand, for the words about networks."""

from __future__ import annotations

from compiler.testing.networks.model import NetworkModel, network

__all__ = ["EDGE", "edge", "square"]

EDGE = """\
hostname edge
interface GigabitEthernet0
 ip address 10.1.0.1 255.255.255.0
 ip access-group 101 in
interface GigabitEthernet1
 ip address 10.2.0.1 255.255.255.0
interface GigabitEthernet2
 ip address 192.0.2.1 255.255.255.252
ip route 0.0.0.0 0.0.0.0 192.0.2.2
access-list 101 permit tcp 10.1.0.0 0.0.0.255 host 10.2.0.2 eq 80
access-list 101 deny ip any 10.2.0.0 0.0.0.255
access-list 101 permit ip any any
"""


def edge(text: str = EDGE) -> NetworkModel:
    """Two LANs and a line to outside on one router; the first behind a switch."""
    return (
        network("the branch")
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .host("bert", "10.1.0.3/24", gateway="10.1.0.1")
        .host("server", "10.2.0.2/24", gateway="10.2.0.1")
        .router("edge", text=text)
        .switch("office")
        .cable("anna", "office")
        .cable("bert", "office")
        .cable("office", "edge:GigabitEthernet0", name="uplink")
        .cable("server", "edge:GigabitEthernet1")
    )


def square(*, second: bool = True) -> NetworkModel:
    """``left`` and ``right``, joined by ``north`` and, of a higher distance, by ``south``."""

    def end(name: str, own: str, other: str, side: str) -> str:
        spare = f"ip route 10.{other}.0.0 255.255.255.0 10.8.{own}.9 200\n" if second else ""
        return (
            f"hostname {name}\ninterface Ethernet0\n ip address 10.{own}.0.1 255.255.255.0\n"
            f"interface Ethernet1\n ip address 10.9.{own}.1 255.255.255.0\n"
            f"interface Ethernet2\n ip address 10.8.{own}.1 255.255.255.0\n"
            f"ip route 10.{other}.0.0 255.255.255.0 10.9.{own}.9\n{spare}"
        )

    made = network("the square")
    for name, own, other in (("left", "1", "2"), ("right", "2", "1")):
        made = made.router(name, text=end(name, own, other, name))
        made = made.host(f"{name}-host", f"10.{own}.0.2/24", gateway=f"10.{own}.0.1")
        made = made.cable(f"{name}-host", f"{name}:Ethernet0")
    for name, net in (("north", "9"), ("south", "8")):
        ports = {"a": f"10.{net}.1.9/24", "b": f"10.{net}.2.9/24"}
        routes = {"10.1.0.0/24": f"10.{net}.1.1", "10.2.0.0/24": f"10.{net}.2.1"}
        made = made.router(name, ports=ports, routes=routes)
        number = "1" if name == "north" else "2"
        made = made.cable(f"left:Ethernet{number}", f"{name}:a").cable(f"right:Ethernet{number}", f"{name}:b")
    return made
