"""The real NSD and Unbound, committed through the daemon and the root helper, asked from inside and from outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from appliance.client.errors import Refusal
from appliance.services.dns.asking import Answer, ask, serial_of, transfer_of
from labs.kernel.namespaces import Namespace
from tests.appliance.services.machine.standing import Standing, needs_everything
from tests.appliance.services.network.wires import needs_kernel, wait_until

_DAEMONS = ("/usr/sbin/nsd", "/usr/sbin/unbound", "/usr/bin/named-checkzone")
needs_daemons = pytest.mark.skipif(
    not all(map(shutil.which, _DAEMONS)), reason="needs nsd, unbound and named-checkzone (bind9-utils)"
)
pytestmark = [needs_kernel, needs_everything, needs_daemons]

ZONE, REVERSE = "rssulsel.com", "10.168.192.in-addr.arpa"
SERVER, OUTSIDE = "192.168.10.2", "203.0.113.1"
PUBLIC = "203.0.113.2"
SETTINGS = {"addresses": [SERVER, OUTSIDE], "networks": ["192.168.10.0/24"], "public_addresses": [PUBLIC]}


class Hospital:
    """ward (192.168.10.7) - [appliance] - (203.0.113.7) stranger."""

    def __init__(self) -> None:
        self.nodes: dict[str, Namespace] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Hospital:
        for name in ("ward", "appliance", "stranger"):
            self.nodes[name] = self._stack.enter_context(Namespace(name))
            self.ip(name, "link set lo up")
        for there, here in (("ward", "lan"), ("stranger", "wan")):
            place = f"/proc/{os.getpid()}/fd/{self.nodes[there].descriptor}"
            self.ip("appliance", f"link add {here} type veth peer name eth0 netns {place}", f"link set {here} up")
            self.ip(there, "link set eth0 up")
        self.ip("appliance", f"addr add {SERVER}/24 dev lan")
        self.ip("appliance", f"addr add {OUTSIDE}/24 dev wan", f"addr add {PUBLIC}/24 dev wan")
        self.ip("ward", "addr add 192.168.10.7/24 dev eth0", "route add default via 192.168.10.2")
        self.ip("stranger", "addr add 203.0.113.7/24 dev eth0", "route add default via 203.0.113.1")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ip(self, node: str, *commands: str) -> None:
        """Commands of ip in a node."""
        with self.nodes[node].inside():
            text = "\n".join(commands) + "\n"
            subprocess.run(["ip", "-batch", "-"], input=text, text=True, check=True)

    def ask(self, node: str, name: str, kind: str, server: str = SERVER, port: int = 53) -> Answer:
        """A question from a node."""
        with self.nodes[node].inside():
            return ask(name, kind, server, port, within=10)


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with Hospital() as hospital, Standing(hospital) as made:
        made.call("dns", "zones.set-up", {"name": ZONE, "address": SERVER, "www": SERVER, "mail": SERVER})
        made.call("dns", "settings.change", {"version": 0, "row": SETTINGS})
        _committed(made, "the names")
        yield made


@pytest.fixture(scope="module")
def hospital(standing: Standing) -> Hospital:
    assert isinstance(standing.wires, Hospital)
    return standing.wires


def _committed(standing: Standing, note: str) -> dict[str, Any]:
    outcome: dict[str, Any] = standing.commit(0, note)
    assert outcome["ending"] == "confirmed", outcome
    return outcome


def _serial(hospital: Hospital) -> int:
    with hospital.nodes["appliance"].inside():
        found = serial_of(ZONE, "127.0.0.1", 5300)
    assert found is not None
    return found


def _status(standing: Standing) -> dict[str, Any]:
    return {one["program"]: one for one in standing.call("machine", "programs")}


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        (ZONE, "MX", (f"10 mail.{ZONE}.",)),
        (f"mail.{ZONE}", "A", (SERVER,)),
        (f"www.{ZONE}", "A", (SERVER,)),
        (ZONE, "NS", (f"ns.{ZONE}.",)),
        (ZONE, "TXT", ('"v=spf1 mx -all"',)),
        (f"2.{REVERSE}", "PTR", (f"mail.{ZONE}.",)),
    ],
)
def test_the_ward_resolves_the_hospital(hospital: Hospital, name: str, kind: str, wanted: tuple[str, ...]) -> None:
    said = hospital.ask("ward", name, kind)
    assert (said.code, said.values(kind)) == ("NOERROR", wanted)
    public = hospital.ask("stranger", name, kind, PUBLIC)
    assert (public.code, public.authoritative, public.recursion) == ("NOERROR", True, False)
    assert public.values(kind) == wanted


def test_the_misspelt_domain_and_names_that_are_not_there(hospital: Hospital) -> None:
    with hospital.nodes["appliance"].inside():
        assert ask(f"nobody.{ZONE}", "A", "127.0.0.1").code == "NXDOMAIN"
        # No zone of ours: the name server has nothing to say of it, and nobody else is reached from here.
        assert ask("mail.rrsulsel.com", "A", "127.0.0.1", 5300).code == "REFUSED"
    assert hospital.ask("ward", f"mail.rrsulsel.{ZONE}", "A").code == "NXDOMAIN"


def test_recursion_is_for_the_lan_alone(hospital: Hospital) -> None:
    for name in (f"mail.{ZONE}", "example.org"):
        for server in (OUTSIDE, SERVER):
            assert hospital.ask("stranger", name, "A", server).code == "REFUSED", (name, server)
    assert hospital.ask("stranger", "example.org", "A", PUBLIC).code == "REFUSED"
    assert hospital.ask("ward", f"mail.{ZONE}", "A").recursion


def test_no_zone_is_handed_out_as_a_whole(hospital: Hospital) -> None:
    for node, server, port in (("stranger", PUBLIC, 53), ("ward", SERVER, 53), ("appliance", "127.0.0.1", 5300)):
        with hospital.nodes[node].inside():
            assert transfer_of(ZONE, server, port) == "REFUSED", (node, server)


def test_a_changed_record_is_served_by_the_same_process_with_a_greater_serial(
    standing: Standing, hospital: Hospital
) -> None:
    before, process = _serial(hospital), _status(standing)["dns.nsd"]["process"]
    assert hospital.ask("ward", f"lab.{ZONE}", "A").code == "NXDOMAIN"
    kept = standing.call("dns", "records.add", {"zone": ZONE, "owner": "lab", "type": "A", "value": "192.168.10.9"})
    _committed(standing, "lab")
    assert hospital.ask("ward", f"lab.{ZONE}", "A").values("A") == ("192.168.10.9",)
    added = _serial(hospital)
    assert 0 < added - before < 2**31
    # The older content comes back under a newer serial.
    standing.work("rollback", {"to": standing.call("machine", "status")["current"] - 1})
    wait_until(lambda: _serial(hospital) != added, 60)
    assert 0 < _serial(hospital) - added < 2**31
    assert hospital.ask("ward", f"lab.{ZONE}", "A").code == "NXDOMAIN"
    standing.call("dns", "records.remove", {"number": kept["row"]["number"], "version": kept["version"]})
    assert _status(standing)["dns.nsd"]["process"] == process


def test_a_new_zone_and_a_removed_one_need_no_restart(standing: Standing, hospital: Hospital) -> None:
    process = _status(standing)["dns.nsd"]["process"]
    wanted = {"name": "clinic.example", "address": SERVER, "www": SERVER, "reverse": False}
    standing.call("dns", "zones.set-up", wanted)
    _committed(standing, "a second zone")
    assert hospital.ask("ward", "www.clinic.example", "A").values("A") == (SERVER,)
    kept = standing.call("dns", "zones.get", {"name": "clinic.example"})
    standing.call("dns", "zones.remove", {"name": "clinic.example", "version": kept["version"]})
    _committed(standing, "gone again")
    assert hospital.ask("stranger", "www.clinic.example", "A", PUBLIC).code == "REFUSED"
    assert _status(standing)["dns.nsd"]["process"] == process


def test_a_bad_zone_is_refused_before_the_switch_and_the_old_one_goes_on(
    standing: Standing, hospital: Hospital
) -> None:
    before = standing.call("machine", "status")["current"]
    bad = {"zone": ZONE, "owner": "@", "type": "MX", "value": "20 nowhere"}
    kept = standing.call("dns", "records.add", bad)
    try:
        assert [one["severity"] for one in standing.call("dns", "check")] == ["error"]
        try:
            outcome = standing.commit(0, "bad")
        except Refusal as refusal:
            said = str(refusal)
        else:
            said = str(outcome)
            assert outcome["ending"] not in {"confirmed", "unconfirmed"}, outcome
        assert "nowhere.rssulsel.com" in said
        assert standing.call("machine", "status")["current"] == before
        assert hospital.ask("ward", ZONE, "MX").values("MX") == (f"10 mail.{ZONE}.",)
    finally:
        standing.call("dns", "records.remove", {"number": kept["row"]["number"], "version": kept["version"]})


def _elsewhere(findings: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(one["component"], one["place"], one["values"]["address"]) for one in findings if "own" in one["values"]}


def test_a_mistyped_address_is_told_at_the_commit_and_by_diagnose(standing: Standing, hospital: Hospital) -> None:
    """Both servers bind it without a word; it may come later, so it is no error."""
    near, far = "192.168.100.2", "203.0.113.20"
    row = {**SETTINGS, "addresses": [SERVER, OUTSIDE, near], "public_addresses": [PUBLIC, far]}
    version = standing.call("dns", "settings.get")["version"]
    kept = standing.call("dns", "settings.change", {"version": version, "row": row})
    wanted = {("dns.unbound", "dns/addresses", near), ("dns.nsd", "dns/public_addresses", far)}
    try:
        outcome = _committed(standing, "mistyped")
        assert _elsewhere(outcome["findings"]) == wanted
        assert all(one["severity"] == "warning" for one in outcome["findings"])
        assert SERVER in str(outcome["findings"])
        assert hospital.ask("ward", ZONE, "MX").values("MX") == (f"10 mail.{ZONE}.",)
        assert _elsewhere(standing.work("diagnose")["findings"]) == wanted
        hospital.ip("appliance", f"addr add {near}/24 dev lan", f"addr add {far}/24 dev wan")
        assert _elsewhere(standing.work("diagnose")["findings"]) == set()
        assert hospital.ask("ward", ZONE, "MX", near).values("MX") == (f"10 mail.{ZONE}.",)
    finally:
        standing.call("dns", "settings.change", {"version": kept["version"], "row": SETTINGS})
        _committed(standing, "as it was")


@pytest.mark.parametrize("program", ["dns.nsd", "dns.unbound"])
def test_a_killed_server_comes_back(standing: Standing, hospital: Hospital, program: str) -> None:
    before, serial = _status(standing)[program], _serial(hospital)
    os.kill(before["process"], signal.SIGKILL)

    def back() -> bool:
        now = _status(standing)[program]
        return bool(now["process"] not in (0, before["process"]) and now["state"] == "ready")

    wait_until(back, 60)
    assert hospital.ask("ward", f"mail.{ZONE}", "A").values("A") == (SERVER,)
    assert hospital.ask("stranger", f"mail.{ZONE}", "A", PUBLIC).values("A") == (SERVER,)
    assert _serial(hospital) == serial


def test_the_console_asks_both_servers(standing: Standing) -> None:
    for server, authoritative in (("authoritative", True), ("resolver", False)):
        said = standing.call("dns", "ask", {"name": ZONE, "type": "MX", "server": server})
        assert (said["code"], said["authoritative"]) == ("NOERROR", authoritative)
        assert f"10 mail.{ZONE}." in said["lines"][1]["text"]
    assert standing.call("dns", "ask", {"name": ZONE, "type": "AXFR", "server": "authoritative"})["code"] == "REFUSED"


def test_servers_run_without_rights_and_say_nothing_of_themselves(standing: Standing, hospital: Hospital) -> None:
    for program, user in (("dns.nsd", "nsd"), ("dns.unbound", "unbound")):
        number = _status(standing)[program]["process"]
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
        owner = int(next(line for line in lines if line.startswith("Uid:")).split()[1])
        name = subprocess.run(["id", "-un", str(owner)], capture_output=True, text=True, check=True).stdout.strip()
        assert name == user, program
    for server, port in ((PUBLIC, 53), (OUTSIDE, 53)):
        with hospital.nodes["stranger"].inside():
            import dns.message
            import dns.query

            said = dns.query.udp(dns.message.make_query("version.bind", "TXT", "CH"), server, timeout=10, port=port)
        assert not said.answer


@pytest.mark.long
def test_after_a_power_cut_the_same_is_served_under_the_same_serial(standing: Standing, hospital: Hospital) -> None:
    serial, current = _serial(hospital), standing.call("machine", "status")["current"]
    standing.cut_power()
    standing.power_on()
    wait_until(lambda: standing.stands(current), 60)
    wait_until(lambda: hospital.ask("ward", ZONE, "MX").values("MX") == (f"10 mail.{ZONE}.",), 60)
    assert _serial(hospital) == serial
