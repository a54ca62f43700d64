"""FTP's data connections take the line of their control connection, whoever opens them."""

from __future__ import annotations

import pytest

from compiler.fields import TCP
from compiler.simulator.frame import Datagram
from tests.compiler.balancing.intents import simple
from tests.compiler.balancing.test_simulated import WORLDS, rig_of
from tests.compiler.simulator.rig import Rig, packet


def segment(text: str, sequence: int, acknowledgement: int = 0, data: bytes = b"") -> Datagram:
    found = packet(text)
    found.sequence, found.acknowledgement, found.window = sequence, acknowledgement, 65535
    if data:
        found.data = data
        found.size += len(data)
    return found


def logged_in(rig: Rig, line: int) -> str:
    """A control connection on the line: its packets' text from the client, without flags."""
    control = f"tcp 192.168.3.{20 + line}:2000 > 198.51.100.9:21 flags="
    (out,) = rig.send("LAN", segment(f"{control}syn", 1000))
    assert out.interface == f"ISP{line}"
    rig.send(f"ISP{line}", segment(f"tcp 198.51.100.9:21 > 10.{line}.0.2:2000 flags=syn,ack", 5000, 1001))
    rig.send("LAN", segment(f"{control}ack", 1001, 5001))
    rig.send("LAN", segment(f"{control}ack,psh", 1001, 5001, b"USER x\r\n"))
    return control


def marks_of(rig: Rig, line: int) -> set:
    """Of the line's TCP connections: the router's own checks have none."""
    own = 0x0A000002 | line << 16
    connections = [one for one in rig.router.memory.connections.all() if one.original.protocol == TCP]
    return {one.mark for one in connections if own in (one.reply.destination, one.original.destination)}


@pytest.mark.parametrize("world", WORLDS)
def test_active(world):
    """The server opens the data connection, to the address of the control connection's line."""
    rig = rig_of(simple((1, 1, 1)), world)
    for line in (1, 2, 3):
        client, own = f"192.168.3.{20 + line}", f"10.{line}.0.2"
        control = logged_in(rig, line)
        words = f"PORT 192,168,3,{20 + line},17,112\r\n".encode()
        (told,) = rig.send("LAN", segment(f"{control}ack,psh", 1009, 5001, words))
        assert told.datagram.data == f"PORT 10,{line},0,2,17,112\r\n".encode()
        (inward,) = rig.send(f"ISP{line}", segment(f"tcp 198.51.100.9:20 > {own}:4464 flags=syn", 7000))
        assert inward.text.startswith(f"tcp 198.51.100.9:20 > {client}:4464")
        (answer,) = rig.send("LAN", segment(f"tcp {client}:4464 > 198.51.100.9:20 flags=syn,ack", 8000, 7001))
        assert answer.interface == f"ISP{line}"
        assert marks_of(rig, line) == {line << 8 if world == "linux" else f"via-line{line}"}


@pytest.mark.parametrize("world", WORLDS)
def test_passive(world):
    """The client opens it, and draws no turn: the next connection goes where it would have gone anyhow."""
    rig = rig_of(simple((1, 1, 1)), world)
    for line in (1, 2, 3):
        client, own = f"192.168.3.{20 + line}", f"10.{line}.0.2"
        control = logged_in(rig, line)
        words = b"227 Entering Passive Mode (198,51,100,9,195,80).\r\n"
        rig.send(f"ISP{line}", segment(f"tcp 198.51.100.9:21 > {own}:2000 flags=ack,psh", 5001, 1009, b"331 x\r\n"))
        rig.send("LAN", segment(f"{control}ack", 1009, 5008))
        rig.send(f"ISP{line}", segment(f"tcp 198.51.100.9:21 > {own}:2000 flags=ack,psh", 5008, 1009, words))
        for _again in range(2):
            (data,) = rig.send("LAN", segment(f"tcp {client}:3000 > 198.51.100.9:50000 flags=syn", 100))
            assert data.interface == f"ISP{line}"
            assert data.text.startswith(f"tcp {own}:")
        assert marks_of(rig, line) == {line << 8 if world == "linux" else f"via-line{line}"}
