"""Unbound with its rendered configuration: names of strangers do not lead into the hospital's own networks."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest

from appliance.contract.programs import RUN
from appliance.services.dns.asking import ask
from appliance.services.dns.components import UNBOUND, _resolver
from appliance.services.dns.model import Settings
from labs.kernel.namespaces import Namespace
from tests.appliance.services.network.wires import needs_kernel, wait_until

pytestmark = [
    needs_kernel,
    pytest.mark.skipif(not shutil.which("unbound", path="/usr/sbin:/usr/bin"), reason="needs unbound"),
]

ZONE = "rssulsel.com"
PORT = 5300
"""Of the name server, which is asked here for a stranger's zone too."""
NAMES = {
    f"mail.{ZONE}": "192.168.10.2",
    "page.stranger.example": "192.168.10.1",
    "printer.stranger.example": "10.0.0.9",
    "honest.stranger.example": "203.0.113.5",
    "2.0.0.127.stranger.example": "127.0.0.2",
}
STRANGER = f"""
stub-zone:
    name: "stranger.example"
    stub-addr: 127.0.0.1@{PORT}
"""


@contextmanager
def _name_server() -> Iterator[None]:
    """One that knows these addresses, until a packet of one byte comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", PORT))
        thread = threading.Thread(target=_serve, args=(server,))
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.sendto(b"\0", server.getsockname())
            thread.join()


def _serve(server: socket.socket) -> None:
    while True:
        packet, peer = server.recvfrom(4096)
        if len(packet) == 1:
            return
        question = dns.message.from_wire(packet)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        asked = question.question[0]
        address = NAMES.get(asked.name.to_text(omit_final_dot=True).lower())
        if address and asked.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", "A", address))
        server.sendto(answer.to_wire(), peer)


@contextmanager
def _unbound(folder: Path, **settings: object) -> Iterator[None]:
    """It asks our name server for a stranger's zone beside our own, as it would the stranger's own."""
    daemon = _resolver(Settings(validate_answers=False, **settings), (ZONE,))  # type: ignore[arg-type]
    text = next(one.content.decode() for one in daemon.render() if one.path == "unbound.conf")
    path = folder / "unbound.conf"
    path.write_text(text.replace(str(RUN / UNBOUND), str(folder)) + STRANGER)
    process = subprocess.Popen(["/usr/sbin/unbound", "-d", "-p", "-c", str(path)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: ask(f"mail.{ZONE}", "A", "127.0.0.1").code == "NOERROR", 60)
        yield
    finally:
        process.terminate()
        process.wait()


def _addresses(name: str) -> tuple[str, ...]:
    said = ask(name, "A", "127.0.0.1", within=10)
    assert said.code == "NOERROR", said
    return said.values("A")


@pytest.fixture
def alone() -> Iterator[None]:
    with Namespace("rebinding") as wires, wires.inside():
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        with _name_server():
            yield


@pytest.mark.usefixtures("alone")
def test_names_of_strangers_do_not_lead_inside(tmp_path: Path) -> None:
    with _unbound(tmp_path):
        for name, address in NAMES.items():
            wanted = () if name.startswith(("page.", "printer.")) else (address,)
            assert _addresses(name) == wanted, name


@pytest.mark.usefixtures("alone")
def test_a_resolver_that_is_asked_for_us_may_know_names_of_this_house(tmp_path: Path) -> None:
    with _unbound(tmp_path, forwarders=("192.0.2.53",)):
        for name, address in NAMES.items():
            assert _addresses(name) == (address,), name
