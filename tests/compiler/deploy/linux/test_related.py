"""FTP through the kernel: data connections bear the mark of their control connection, whoever opens them."""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack

import pytest

from compiler.deploy.linux.connections import entries
from compiler.deploy.linux.deployment import LinuxDeployment
from tests.compiler.deploy.linux.traffic import LINES
from tests.compiler.deploy.linux.uplinks import INTENT, Uplinks, needs_kernel

pytestmark = needs_kernel
SERVER, CLIENT = "198.51.100.9", "192.168.3.7"
CONTROL_PORT, DATA_PORT = 21, 40021


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with Uplinks() as found, found.nodes["router"].inside():
        deployment = LinuxDeployment(INTENT, "isps.yaml", tmp_path_factory.mktemp("state"))
        deployment.apply(60)
        deployment.confirm()
        yield found


def listening(stack: ExitStack, network: Uplinks, node: str, port: int) -> socket.socket:
    with network.nodes[node].inside():
        made = stack.enter_context(socket.create_server(("0.0.0.0", port)))
    made.settimeout(5)
    return made


def connected(stack: ExitStack, network: Uplinks, node: str, host: str, port: int, own: str = "") -> socket.socket:
    with network.nodes[node].inside():
        return stack.enter_context(socket.create_connection((host, port), 5, (own, 0) if own else None))


def greet(client: socket.socket, server: socket.socket) -> None:
    """A line each way: the helper reads only what follows a line's end that it has seen (find_nl_seq)."""
    client.sendall(b"USER ftp\r\n")
    assert server.recv(200)
    server.sendall(b"331 go on\r\n")
    assert client.recv(200)


def accepted(stack: ExitStack, server: socket.socket) -> tuple[socket.socket, str]:
    made, peer = server.accept()
    stack.enter_context(made)
    made.settimeout(5)
    return made, peer[0]


def numbers(address: str, port: int) -> bytes:
    return f"{address.replace('.', ',')},{port >> 8},{port & 0xFF}".encode()


def place(text: bytes) -> tuple[str, int]:
    parts = [int(part) for part in text.strip(b" ().\r\n").split(b",")]
    return ".".join(map(str, parts[:4])), parts[4] << 8 | parts[5]


def marks(network: Uplinks) -> list[int]:
    with network.nodes["router"].inside():
        return sorted(entry.mark for mark in (0x100, 0x200) for entry in entries(mark))


def line_of(peer: str) -> str:
    return LINES[peer]


@pytest.mark.parametrize("turn", [1, 2])
def test_active(network, turn):
    with ExitStack() as stack:
        server = listening(stack, network, "server", CONTROL_PORT)
        control = connected(stack, network, "client", SERVER, CONTROL_PORT)
        served, peer = accepted(stack, server)
        greet(control, served)
        before = marks(network)
        mark = 0x100 if line_of(peer) == "line1" else 0x200
        waits = listening(stack, network, "client", 5000 + turn)
        control.sendall(b"PORT " + numbers(CLIENT, 5000 + turn) + b"\r\n")
        told = served.recv(200)
        address, port = place(told.removeprefix(b"PORT "))
        assert address == peer  # the helper puts the line's own address into the text
        data = connected(stack, network, "server", address, port, SERVER)
        got, came = accepted(stack, waits)
        assert came == SERVER
        data.sendall(b"x" * 9000)
        got.sendall(b"y")
        assert data.recv(1) == b"y"
        assert sorted([*before, mark]) == marks(network)
        for one in (control, served, data, got):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("turn", [1, 2])
def test_passive(network, turn):
    with ExitStack() as stack:
        server = listening(stack, network, "server", CONTROL_PORT)
        control = connected(stack, network, "client", SERVER, CONTROL_PORT)
        served, peer = accepted(stack, server)
        greet(control, served)
        waits = listening(stack, network, "server", DATA_PORT + turn)
        served.sendall(b"227 Entering Passive Mode (" + numbers(SERVER, DATA_PORT + turn) + b").\r\n")
        control.settimeout(5)
        assert place(control.recv(200).partition(b"(")[2]) == (SERVER, DATA_PORT + turn)
        before = marks(network)
        mark = 0x100 if line_of(peer) == "line1" else 0x200
        connected(stack, network, "client", SERVER, DATA_PORT + turn)
        _, came = accepted(stack, waits)
        assert came == peer
        assert sorted([*before, mark]) == marks(network)
        for one in (control, served):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
