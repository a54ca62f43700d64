"""Which addresses are the machine's, by the kernel's word, and what is said of one that is not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.components.own_addresses import addresses_elsewhere, own_addresses
from appliance.contract.components import Finding, Severity
from appliance.services.webmail.probes import reachable
from labs.kernel.namespaces import Namespace
from tests.appliance.services.network.wires import needs_kernel

pytestmark = needs_kernel


@pytest.fixture
def wires() -> Iterator[Namespace]:
    with Namespace("addresses") as made, made.inside():
        _ip("link set lo up", "link add lan type veth peer name far", "link set lan up")
        yield made


def _ip(*lines: str) -> None:
    text = "".join(f"{line}\n" for line in lines)
    subprocess.run(["ip", "-batch", "-"], input=text, text=True, check=True)


def _said(*addresses: str) -> list[tuple[str, str]]:
    found = addresses_elsewhere("mail.postfix", "mail/address", addresses)
    assert all(one.severity is Severity.WARNING for one in found)
    return [(str(one.values["address"]), str(one.values["own"])) for one in found]


def test_each_address_of_each_interface_is_ours(wires: Namespace) -> None:
    # The second of one network: a socket that is connected to it has the name of the first.
    _ip("addr add 192.168.10.2/24 dev lan", "addr add 192.168.10.3/24 dev lan", "addr add 10.0.0.1/32 dev far")
    _ip("addr add 2001:db8::2/64 dev lan nodad")
    ours = ("192.168.10.2", "192.168.10.3", "10.0.0.1", "2001:db8::2", "127.0.0.1", "127.0.0.53", "::1", "0.0.0.0")
    assert _said(*ours, "::", "2001:DB8:0::2") == []
    assert set(own_addresses()) >= {"192.168.10.2", "192.168.10.3", "10.0.0.1", "2001:db8::2", "127.0.0.1", "::1"}


def test_another_one_is_named_with_those_that_there_are(wires: Namespace) -> None:
    _ip("addr add 192.168.10.2/24 dev lan", "addr add 192.168.10.255/32 dev far", "route add default dev lan")
    shown = "192.168.10.2, 192.168.10.255"
    # It is reached by a route, or is everybody's.
    for address in ("192.168.10.20", "192.168.10.1", "203.0.113.9", "255.255.255.255", "192.168.10.0"):
        assert _said(address) == [(address, shown)]
    assert _said("2001:db8::9") == [("2001:db8::9", shown)]
    (found,) = addresses_elsewhere("mail.postfix", "mail/address", ("192.168.10.20",))
    assert str(found) == (
        "mail.postfix: mail/address: 192.168.10.20 is no address of this machine, so nobody reaches it there;"
        f" the machine has {shown}"
    )
    # It comes late, as after a power cut.
    _ip("addr add 192.168.10.20/24 dev lan")
    assert _said("192.168.10.20") == []


def test_a_machine_without_a_network_has_its_loopback(wires: Namespace) -> None:
    assert _said("192.168.10.2") == [("192.168.10.2", "127.0.0.1")]


def test_more_addresses_than_there_was_room_for(wires: Namespace) -> None:
    _ip(*(f"addr add 10.1.{high}.{low}/32 dev lan" for high in range(3) for low in range(200)))
    found = own_addresses()
    assert len(found) == len(set(found)) >= 601
    assert {"10.1.0.0", "10.1.2.199"} <= set(found)


def test_the_web_mail_says_so_too(wires: Namespace, tmp_path: Path) -> None:
    def asked(told: object) -> list[Finding]:
        (tmp_path / "probe.json").write_text(json.dumps(told))
        return list(reachable(tmp_path, object()))  # type: ignore[arg-type]

    _ip("addr add 192.168.10.2/24 dev lan")
    assert asked({"name": "www.rssulsel.com", "addresses": ["192.168.10.2"]}) == []
    assert asked({"name": "www.rssulsel.com", "addresses": []}) == []
    assert asked({"name": "www.rssulsel.com"}) == [], "a generation of an older version"
    (found,) = asked({"name": "www.rssulsel.com", "addresses": ["192.168.10.2", "192.168.1.2"]})
    assert (found.component, found.place, found.values["address"]) == (
        "webmail.nginx",
        "webmail/addresses",
        "192.168.1.2",
    )
