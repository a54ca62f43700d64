"""The network of a kernel: made so, decided by real packets, kept, taken back; what is others' stays."""

from __future__ import annotations

import dataclasses
import socket

import pytest

from appliance.services.network import applying
from appliance.services.network.checking import wrong_in_files, wrong_in_kernel
from appliance.services.network.model import Interface, NetworkDescription, Route
from appliance.services.network.reading import status
from appliance.services.network.records import Folders
from compiler.deploy.deployment import DeployError
from tests.appliance.services.network.wires import LAN, Wires, described, needs_kernel, reaches, written

pytestmark = needs_kernel
WAN = Interface(name="wan", addresses=("10.2.0.1/24",))
FOREIGN = (
    'table inet mine {\n chain c {\n type filter hook forward priority 0; policy accept;\n comment "theirs"\n}\n}\n'
)


@pytest.fixture
def wires(tmp_path):
    with Wires(tmp_path) as found, found.nodes["appliance"].inside():
        yield found


def test_addresses_routes_and_filter_are_there_and_decide(wires, tmp_path):
    files = written(tmp_path / "1", described(LAN))
    assert not list(wrong_in_files(files))
    assert any("address: 10.1.0.1/24" in line for line in wrong_in_kernel(files, wires.folders))
    standing = applying.apply(None, files, 60, folders=wires.folders)
    assert 55 <= standing.remaining <= 60
    assert not list(wrong_in_kernel(files, wires.folders))
    for host in ("10.1.0.1", "2001:db8:1::1"):
        assert reaches(wires, host, 22)
        assert reaches(wires, host, 8443)
        assert not reaches(wires, host, 9000)
    text = wires.stands()
    assert "198.51.100.0/24 via 10.1.0.7 dev lan proto 104" in text
    assert "2001:db8:ff::/48 via 2001:db8:1::7 dev lan proto 104" in text
    applying.confirm(folders=wires.folders)
    assert applying.standing(folders=wires.folders) is None
    assert wires.stands() == text


def test_a_second_time_changes_nothing_and_breaks_nothing(wires, tmp_path):
    files = written(tmp_path / "1", described(LAN))
    applying.apply(None, files, 60, folders=wires.folders)
    applying.confirm(folders=wires.folders)
    with wires.nodes["client"].inside():
        connection = socket.create_connection(("10.1.0.1", 22), 2)
    with connection:
        before = status(wires.folders)
        counted = {(one.line, one.family): one.packets for one in before.lines}
        assert counted[2, 4] >= 2  # SYN and ACK, by the first line of the list
        assert applying.apply(files, files, 60, folders=wires.folders) is None
        assert applying.standing(folders=wires.folders) is None
        connection.sendall(b"still there")
        after = {(one.line, one.family): one.packets for one in status(wires.folders).lines}
        assert after[2, 4] > counted[2, 4]  # they count on
        # Something else changes: the table of the filter is left alone, and so is the address.
        other = dataclasses.replace(described(LAN), routes=())
        applying.apply(files, written(tmp_path / "2", other), 60, folders=wires.folders)
        assert {(one.line, one.family): one.packets for one in status(wires.folders).lines}[2, 4] >= after[2, 4]
        connection.sendall(b"still there")


def test_what_is_forwarded_is_filtered_on_the_way_out(wires, tmp_path):
    text = "ip access-list extended OUT\n permit tcp any any eq 22\n"
    whole = described(
        LAN.replace("udp any any eq 5353", "ip any any"), more=(WAN,), forward=True, fragments="untracked"
    )
    policies = (*whole.policies, dataclasses.replace(whole.policies[0], name="OUT", text=text))
    interfaces = (whole.interfaces[0], dataclasses.replace(WAN, filter_out="OUT"))
    whole = dataclasses.replace(whole, policies=policies, interfaces=interfaces)
    before = wires.stands()
    applying.apply(None, written(tmp_path / "1", whole), 60, folders=wires.folders)
    assert reaches(wires, "10.2.0.7", 22)
    assert not reaches(wires, "10.2.0.7", 9000)
    assert reaches(wires, "10.2.0.7", 9000, source="appliance")  # its own packets are not filtered
    applying.confirm(folders=wires.folders)
    applying.apply(tmp_path / "1", None, 60, folders=wires.folders)
    applying.confirm(folders=wires.folders)
    assert wires.stands() == before  # ip_forward too


def test_what_is_others_stays(wires, tmp_path):
    wires.nft(FOREIGN)
    wires.ip(
        "appliance",
        "addr add 10.1.0.99/24 dev lan",
        "addr add 10.9.0.1/24 dev lan",
        "route add 203.0.113.0/24 via 10.9.0.7 dev lan",
        "rule add priority 1000 fwmark 0x1/0x1 lookup 77",
        "addr add 2001:db8:9::1/64 dev lan nodad",
        "route add 2001:db8:aa::/48 via 2001:db8:9::7 dev lan",
    )
    before = wires.stands()
    applying.apply(None, written(tmp_path / "1", described(LAN)), 60, folders=wires.folders)
    assert all(line.replace(" secondary", "") in wires.stands() for line in before.splitlines())
    applying.confirm(folders=wires.folders)
    applying.apply(tmp_path / "1", None, 60, folders=wires.folders)
    applying.confirm(folders=wires.folders)
    assert wires.stands() == before


def test_what_of_others_goes_with_ours_comes_back(wires, tmp_path):
    """The kernel takes secondary addresses with the first one, and routes with the last address."""
    first = written(tmp_path / "1", described())
    applying.apply(None, first, 60, folders=wires.folders)
    applying.confirm(folders=wires.folders)
    wires.ip("appliance", "addr add 10.1.0.99/24 dev lan", "route add 203.0.113.0/24 via 10.1.0.7 dev lan proto static")
    applying.apply(first, None, 60, folders=wires.folders)
    text = wires.stands()
    assert "10.1.0.99/24" in text
    assert "203.0.113.0/24 via 10.1.0.7 dev lan proto static" in text
    assert "10.1.0.1/24" not in text
    applying.roll_back(folders=wires.folders)
    assert "203.0.113.0/24 via 10.1.0.7 dev lan proto static" in wires.stands()


def test_somebody_elses_route_in_our_place_is_said_and_all_is_as_it_was(wires, tmp_path):
    wires.ip("appliance", "addr add 10.9.0.1/24 dev lan", "route add 198.51.100.0/24 via 10.9.0.7 dev lan")
    before = wires.stands()
    with pytest.raises(DeployError, match=r"198\.51\.100\.0/24 via 10\.9\.0\.7 dev lan of somebody else"):
        applying.apply(None, written(tmp_path / "1", described(LAN)), 60, folders=wires.folders)
    assert wires.stands() == before
    assert applying.standing(folders=wires.folders) is None


def test_a_refusal_of_the_kernel_takes_all_back(wires, tmp_path):
    absent = Interface(name="absent", addresses=("10.3.0.1/24",))
    before = wires.stands()
    files = written(tmp_path / "1", described(LAN, more=(absent,)))
    assert list(wrong_in_files(files)) == ["there is no interface absent"]
    with pytest.raises(DeployError, match=r"(?s)no interface absent.*has been put back"):
        applying.apply(None, files, 60, folders=wires.folders)
    assert wires.stands() == before
    assert applying.standing(folders=wires.folders) is None


def test_the_undoing_of_a_change_that_waits_is_its_return(wires, tmp_path):
    first = written(tmp_path / "1", described(LAN))
    second = written(tmp_path / "2", described())
    applying.apply(None, first, 60, folders=wires.folders)
    applying.confirm(folders=wires.folders)
    text = wires.stands()
    applying.apply(first, second, 60, folders=wires.folders)
    again = applying.apply(first, second, 60, folders=wires.folders)  # twice is once
    assert again.identity == applying.standing(folders=wires.folders).identity
    third = written(tmp_path / "3", NetworkDescription(interfaces=(WAN,)))
    with pytest.raises(DeployError, match="waits for its confirmation"):
        applying.apply(second, third, 60, folders=wires.folders)
    applying.apply(second, first, 60, folders=wires.folders)
    assert wires.stands() == text
    assert applying.standing(folders=wires.folders) is None
    with pytest.raises(DeployError, match="no change of the network waits"):
        applying.confirm(folders=wires.folders)


def test_how_it_stands_is_told(wires, tmp_path):
    wires.ip("appliance", "addr add 10.9.0.1/24 dev lan")
    standing = applying.apply(None, written(tmp_path / "1", described(LAN)), 60, folders=wires.folders)
    assert reaches(wires, "10.1.0.1", 22)
    assert not reaches(wires, "10.1.0.1", 9000)
    found = status(wires.folders)
    assert (found.waiting, found.trouble) == (standing.identity, "")
    assert 50 <= found.remaining <= 60
    lan = next(one for one in found.interfaces if one.name == "lan")
    assert lan.up
    assert lan.carrier
    assert lan.addresses == ("10.1.0.1/24", "2001:db8:1::1/64")
    assert lan.foreign_addresses == ("10.9.0.1/24",)
    assert lan.received_packets >= 2
    assert {(one.destination, one.way) for one in found.routes if one.ours} == {
        ("198.51.100.0/24", "via 10.1.0.7 dev lan"),
        ("2001:db8:ff::/48", "via 2001:db8:1::7 dev lan metric 1024"),
    }
    counts = {(one.line, one.family, one.permits): one.packets for one in found.lines if one.policy == "LAN"}
    assert counts[2, 4, True] >= 2
    assert counts[0, 4, False] >= 1  # the implicit deny
    assert counts[3, 4, True] == 0


def test_a_kernel_that_was_changed_meanwhile_is_not_confirmed(wires, tmp_path):
    applying.apply(None, written(tmp_path / "1", described(LAN)), 60, folders=wires.folders)
    wires.nft("flush chain ip gerbang acl-LAN")
    with pytest.raises(DeployError, match="the kernel differs: ~ nft"):
        applying.confirm(folders=wires.folders)
    applying.roll_back(folders=wires.folders)
    assert "gerbang" not in wires.stands()


def test_after_a_boot_what_was_confirmed_is_applied_and_nothing_else(wires, tmp_path):
    first = written(tmp_path / "1", described(LAN))
    applying.apply(None, first, 60, folders=wires.folders)
    applying.confirm(folders=wires.folders)
    text = wires.stands()
    other = dataclasses.replace(
        described(), routes=(Route(name="x", destination="203.0.113.0/24", gateway="10.1.0.9"),)
    )
    applying.apply(first, written(tmp_path / "2", other), 60, folders=wires.folders)
    with Wires(tmp_path / "later") as later, later.nodes["appliance"].inside():  # a kernel that knows nothing
        folders = Folders(tmp_path / "empty", wires.folders.state)
        assert applying.start(folders=folders) > 0
        assert later.stands() == text
        assert applying.start(folders=folders) == 0
    assert applying.start(folders=wires.folders) == 0  # the same boot: what waits is left to its guardian
    applying.roll_back(folders=wires.folders)
