"""What the FTP helper makes of a line, in the simulator and in the kernel: the same octets come out, or none do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from compiler.addresses import parse_address
from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND
from compiler.simulator.sockets import Endpoint, Sockets, Stream
from labs.building import SimulatedLab
from labs.kernel import why_not
from labs.kernel.world import KernelWorld
from labs.lab_file import read_lab

REASON = why_not()

LAB = """
name: helper
nodes:
  inside: {kind: host, address: 10.0.0.11/24, gateway: 10.0.0.1}
  gate:
    kind: router
    configuration: |
      table ip gate {
        ct helper ftp-control {
          type "ftp" protocol tcp
        }
        chain helping {
          type filter hook prerouting priority filter; policy accept;
          tcp dport 21 ct helper set "ftp-control"
        }
        chain prerouting {
          type nat hook prerouting priority dstnat; policy accept;
          iifname "wan" ip daddr 192.0.2.1 tcp dport 21 dnat to 10.0.0.11
        }
        chain postrouting {
          type nat hook postrouting priority srcnat; policy accept;
          oifname "wan" masquerade
        }
      }
    interfaces: {lan: 10.0.0.1/24, wan: 192.0.2.1/24}
  outside: {kind: host, address: 192.0.2.9/24}
links:
  - [inside, gate:lan]
  - [gate:wan, outside]
"""

COMMANDS = (
    b"PORT 10,0,0,11,100,1\r\n",
    b"port 10,0,0,11,100,2\r\n",
    b"PORT 10,0,0,11,100,3\n",
    b"PORT  10,0,0,11,100,4\r\n",
    b"PORT 010,00,000,11,100,5\r\n",
    b"PORT 10,0,0,12,100,6\r\n",
    b"PORT 10,0,0,11,0,0\r\n",
    b"PORT 10,0,0,11,256,7\r\n",
    b"PORT 10,0,0,11,100\r\n",
    b"PORT 10.0.0.11.100.8\r\n",
    b"PORT x10,0,0,11,100,9\r\n",
    b"PORT 10,0,0,11,100,10 trailing\r\n",
    b"PORT 10,0,0,11,100,11,12\r\n",
    b"PORT\r\n",
    b"EPRT |1|10.0.0.11|26000|\r\n",
    b"EPRT !1!10.0.0.11!26001!\r\n",
    b"eprt |1|10.0.0.11|26002|\r\n",
    b"EPRT |2|::1|26003|\r\n",
    b"EPRT |1|10.0.0.11|0|\r\n",
    b"EPRT |1|10.0.0.11|26004\r\n",
    b"EPRT |1|10.0.0.12|26005|\r\n",
    b"EPRT |1|10,0,0,11|26006|\r\n",
    b"STOR PORT 10,0,0,11,100,13\r\n",
    b"NOOP\r\nPORT 10,0,0,11,100,14\r\n",
    b"PORT 10,0,0,11,100,15\r\nNOOP\r\n",
    b"227 Entering Passive Mode (10,0,0,11,100,16)\r\n",
    b"NOOP\r\n",
)
REPLIES = (
    b"227 Entering Passive Mode (10,0,0,11,101,1)\r\n",
    b"227 =10,0,0,11,101,2\r\n",
    b"227 10,0,0,11,101,3.\r\n",
    b"227 Entering (10,0,0,12,101,4)\r\n",
    b"227 Entering (10,0,0,11,101)\r\n",
    b"227 Entering\r\n",
    b"227-Entering (10,0,0,11,101,5)\r\n",
    b"229 Entering Extended Passive Mode (|||26100|)\r\n",
    b"229 Extended (!!!26101!)\r\n",
    b"229 Extended (|1|10.0.0.11|26102|)\r\n",
    b"229 Extended |||26103|\r\n",
    b"229 Extended (|||0|)\r\n",
    b"229 Extended (|||70000|)\r\n",
    b"PORT 10,0,0,11,101,6\r\n",
    b"220 Ready\r\n",
)


class World(Protocol):
    """What both worlds give."""

    def sockets(self, name: str) -> Sockets: ...

    def run(self, until: int) -> None: ...


class Simulated:
    def __init__(self, lab) -> None:
        self._world = SimulatedLab(lab, 1)

    def sockets(self, name: str) -> Sockets:
        return self._world.host(name).sockets

    def run(self, until: int) -> None:
        self._world.engine.run(until)


class Kernel:
    def __init__(self, world: KernelWorld) -> None:
        self._world = world

    def sockets(self, name: str) -> Sockets:
        return self._world.sockets(name)

    def run(self, until: int) -> None:
        self._world.loop.start()
        self._world.loop.run(until)


class End:
    """Says its greeting, and its line when the other's greeting has come; keeps what it hears."""

    def __init__(self, greeting: bytes, line: bytes, *, begins: bool) -> None:
        self.heard = b""
        self._greeting, self._line, self._begins = greeting, line, begins

    def connected(self, stream: Stream) -> None:
        if self._begins:
            stream.send(self._greeting)

    def received(self, stream: Stream, data: bytes | None, octets: int) -> None:
        first = not self.heard
        self.heard += data or bytes(octets)
        if first and not self._begins:
            stream.send(self._greeting)
        if first and self._line:
            line = self._line
            # A segment of its own: the greeting is acknowledged first.
            self._later(lambda: stream.send(line))

    def later(self, after: Callable[[int, Callable[[], object]], object]) -> End:
        self._later = lambda action: after(20 * MILLISECOND, action)
        return self

    def drained(self, stream: Stream) -> None: ...

    def finished(self, stream: Stream) -> None: ...

    def closed(self, stream: Stream) -> None: ...

    def failed(self, stream: Stream, failure: object) -> None: ...


def spoken(world: World, lines: tuple[bytes, ...], *, inward: bool) -> list[bytes]:
    """What arrives of each line behind the greeting: of clients (outward), or of servers (inward, as replies)."""
    inside, outside = world.sockets("inside"), world.sockets("outside")
    client, server = (outside, inside) if inward else (inside, outside)
    target = Endpoint(Family.IPV4, parse_address("192.0.2.1" if inward else "192.0.2.9")[0], 21)
    hearing: dict[int, End] = {}
    first_port = 30_000

    def accept(stream: Stream) -> End:
        index = stream.remote.port - first_port
        end = End(b"220 there\r\n", lines[index] if inward else b"", begins=False).later(server.after)
        if not inward:
            hearing[index] = end
        return end

    server.listen(21, accept)
    for index, line in enumerate(lines):
        end = End(b"USER here\r\n", b"" if inward else line, begins=True).later(client.after)
        if inward:
            hearing[index] = end
        client.connect(target, end, local_port=first_port + index)
    world.run(700 * MILLISECOND)
    greeting = b"220 there\r\n" if inward else b"USER here\r\n"
    assert all(hearing[index].heard.startswith(greeting) for index in range(len(lines)))
    return [hearing[index].heard.removeprefix(greeting) for index in range(len(lines))]


def lab(folder: Path):
    (folder / "lab.yaml").write_text(LAB)
    return read_lab(folder)


def compared(folder: Path, lines: tuple[bytes, ...], *, inward: bool) -> list[tuple[bytes, bytes, bytes]]:
    """Each line on which the worlds differ, with what each made of it."""
    made = lab(folder)
    simulated = spoken(Simulated(made), lines, inward=inward)
    with KernelWorld(made, 1) as world:
        real = spoken(Kernel(world), lines, inward=inward)
    return [three for three in zip(lines, simulated, real, strict=True) if three[1] != three[2]]


@pytest.mark.skipif(bool(REASON), reason=str(REASON))
@pytest.mark.parametrize(("lines", "inward"), [(COMMANDS, False), (REPLIES, True)])
def test_a_line_comes_out_alike(lines: tuple[bytes, ...], inward: bool, tmp_path: Path) -> None:
    assert compared(tmp_path, lines, inward=inward) == []


def garbled(line: bytes, number: int, random: Random) -> bytes:
    """The line with a port of its own, and an octet lost, doubled or replaced; its end is left alone.

    A port that another line has announced would be replaced by one that chance draws.
    """
    line = re.sub(rb"10[01],\d+", b"%d,%d" % (110 + number, number), line)
    line = line.replace(b"70000", b"%d" % (66_000 + 97 * number))
    line = re.sub(rb"26\d\d\d", b"%d" % (20_000 + 97 * number), line)
    at = random.randrange(len(line) - 2)
    piece = random.choice(
        (b"", line[at : at + 1] * 2, random.choice((b",", b"|", b"0", b"9", b" ", b"(", b"\r", b"x")))
    )
    return line[:at] + piece + line[at + 1 :]


@pytest.mark.long
@pytest.mark.skipif(bool(REASON), reason=str(REASON))
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("lines", "inward"), [(COMMANDS, False), (REPLIES, True)])
def test_garbled_lines_come_out_alike(lines: tuple[bytes, ...], inward: bool, seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    several = tuple(garbled(random.choice(lines), number, random) for number in range(60))
    assert compared(tmp_path, several, inward=inward) == []


def test_announcements_are_rewritten_in_the_simulator(tmp_path: Path) -> None:
    made = lab(tmp_path)
    commands = dict(zip(COMMANDS, spoken(Simulated(made), COMMANDS, inward=False), strict=True))
    assert commands[b"PORT 10,0,0,11,100,1\r\n"] == b"PORT 192,0,2,1,100,1\r\n"
    assert commands[b"EPRT |1|10.0.0.11|26000|\r\n"] == b"EPRT |1|192.0.2.1|26000|\r\n"
    assert commands[b"PORT 10,0,0,12,100,6\r\n"] == b"PORT 10,0,0,12,100,6\r\n"  # somebody else's address
    assert commands[b"PORT 10,0,0,11,100\r\n"] == b""  # it may go on in the next segment: dropped
    replies = dict(zip(REPLIES, spoken(Simulated(made), REPLIES, inward=True), strict=True))
    assert (
        replies[b"227 Entering Passive Mode (10,0,0,11,101,1)\r\n"]
        == b"227 Entering Passive Mode (192,0,2,1,101,1)\r\n"
    )
    assert replies[b"220 Ready\r\n"] == b"220 Ready\r\n"
