"""The component: what it finds before anything is touched, and what it renders."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from appliance.contract.components import Severity
from appliance.contract.refusals import RuleBroken
from appliance.services.network import components, filtering
from appliance.services.network.components import CHECK, STANDING, NetworkComponent
from appliance.services.network.model import Interface, NetworkDescription, Policy, Route
from compiler.dialects.nftables.reader import read as read_nftables
from tests.appliance.services.network.wires import LAN, described
from tests.compiler.deploy.linux.uplinks import INTENT

ISPS = tuple(Interface(name=name) for name in ("LAN", "ISP1", "ISP2"))


def said(whole: NetworkDescription) -> dict[str, Severity]:
    return {
        f"{one.place}: {one.template.format_map(one.values)}": one.severity
        for one in NetworkComponent(whole).verify({})
    }


def test_a_good_network_renders_a_plan_and_a_proved_filter():
    component = NetworkComponent(described(LAN))
    assert component.verify({}) == ()
    files = {one.path: one.content.decode() for one in component.render()}
    assert files.keys() == {"plan.json", "filter.nft"}
    assert json.loads(files["plan.json"])["interfaces"][0]["addresses"] == ["10.1.0.1/24", "2001:db8:1::1/64"]
    assert "Proved by reading back" in files["filter.nft"]
    assert 'counter return comment "network.policies/LAN:2"' in files["filter.nft"]
    assert component.render() == NetworkComponent(described(LAN)).render()


def test_a_filter_that_locks_out_is_an_error_with_a_packet_and_the_line_that_drops_it():
    closed = LAN.replace(
        " permit tcp 10.1.0.0 0.0.0.255 any eq 22\n", " deny tcp host 10.1.0.9 any eq 22\n permit tcp any any eq 22\n"
    )
    ((text, severity),) = said(described(closed)).items()
    assert severity is Severity.ERROR
    assert "network.management/office: the filter would lock out 10.1.0.0/24 on lan: tcp 10.1.0.9:" in text
    assert text.endswith("is dropped by network.policies/LAN:2")
    with pytest.raises(RuleBroken, match="lock out"):
        NetworkComponent(described(closed)).render()


def test_only_the_half_of_a_network_that_is_dropped_counts():
    half = LAN.replace("10.1.0.0 0.0.0.255 any eq 8443", "10.1.0.0 0.0.0.127 any eq 8443")
    ((text, _),) = said(described(half)).items()
    assert "10.1.0.128:" in text
    odd = LAN.replace("10.1.0.0 0.0.0.255 any eq 8443", "10.1.0.1 0.0.0.254 any eq 8443")
    ((text, _),) = said(described(odd)).items()
    assert "is dropped" in text
    whole = LAN.replace("10.1.0.0 0.0.0.255 any eq 8443", "10.1.0.0 0.0.0.255 any range 8000 9000")
    assert said(described(whole)) == {}


def test_one_address_that_all_reach_is_enough_and_forged_sources_are_nobody():
    narrow = LAN.replace("0.0.0.255 any eq", "0.0.0.255 host 10.1.0.1 eq").replace(
        " permit tcp 10", " deny ip host 10.1.0.1 any\n deny ip host 10.1.0.0 any\n permit tcp 10", 1
    )
    wan = Interface(name="wan", addresses=("10.2.0.1/24",))
    assert said(described(narrow, more=(wan,))) == {}
    elsewhere = narrow.replace("host 10.1.0.1 eq", "host 10.2.0.1 eq")
    assert said(described(elsewhere, more=(wan,))) == {}
    ((text, _),) = said(described(narrow.replace("host 10.1.0.1 eq 22", "host 10.2.0.1 eq 22"), more=(wan,))).items()
    assert "> 10.1.0.1:22 " in text


def test_nobody_who_checks_is_said():
    whole = dataclasses.replace(described(LAN), management=())
    ((text, severity),) = said(whole).items()
    assert "no management network is declared" in text
    assert severity is Severity.WARNING


def test_a_family_without_a_list_is_said():
    found = said(described(LAN.partition("ipv6")[0]))
    assert found == {
        "network.interfaces/lan: the policy LAN has no list for IPv6, which is not filtered here": Severity.WARNING
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAN.replace("permit udp", "permot udp"), "network.policies/LAN:4:2: 'permot' is not known here"),
        (LAN.replace(" LAN", " WAN"), "network.policies/LAN: no access list here has the name of the policy, LAN"),
        (LAN + "interface lan\n ip access-group LAN in\n", "a policy binds nothing itself"),
    ],
)
def test_a_policy_that_cannot_be_read_is_told_with_its_line(text, words):
    found = [line for line, severity in said(described(text)).items() if severity is Severity.ERROR]
    assert any(line.startswith(words) or words in line for line in found)


def test_what_nftables_cannot_say_is_told_with_its_place():
    whole = described(LAN)
    out = dataclasses.replace(whole.interfaces[0], filter_in=None, filter_out="LAN")
    found = said(dataclasses.replace(whole, interfaces=(out,)))
    assert any(line.startswith("network.policies/LAN:1:25: list LAN out on lan: it looks at layer 4") for line in found)
    settings = dataclasses.replace(whole.settings, fragments="untracked")
    assert said(dataclasses.replace(whole, interfaces=(out,), settings=settings)) == {}


def test_a_list_that_is_not_the_policys_own_is_said():
    found = said(described(LAN + "ip access-list extended OTHER\n permit ip any any\n"))
    assert list(found) == ["network.policies/LAN:8:25: the list OTHER is not the policy's own, and does nothing"]


def test_a_failed_proof_stops_it(monkeypatch):
    """A compiler that drops a rule on the way is found out by its own proof."""
    from compiler.dialects.nftables import writer

    original = writer.write_counted

    def lossy(ruleset):
        return original(ruleset).replace("tcp dport 22 counter return", "tcp dport 23 counter return")

    monkeypatch.setattr(writer, "write_counted", lossy)
    done = filtering.compile_filter(described(LAN))
    assert done.text == ""
    assert any("not equal to its source" in one.values["what"] for one in done.problems)


def test_a_balance_is_compiled_and_held_against_the_rest():
    whole = NetworkDescription(interfaces=ISPS, settings=described(balance=INTENT).settings)
    assert said(whole) == {}
    files = {one.path: one.content.decode() for one in NetworkComponent(whole).render()}
    assert files.keys() == {"plan.json", "balance.yaml", "balance.nft", "balance.ip"}
    assert "table ip gerbang_balance" in files["balance.nft"]
    rival = dataclasses.replace(whole, routes=(Route(name="d", destination="0.0.0.0/0", interface="ISP1"),))
    assert any("the balance makes the default routes" in line for line in said(rival))
    wrong = dataclasses.replace(
        whole, settings=described(balance=INTENT.replace("method: nth", "method: magic")).settings
    )
    assert any(line.startswith("network.settings/balance:5:9: ") for line in said(wrong))
    promise = dataclasses.replace(
        whole,
        interfaces=(dataclasses.replace(ISPS[0], filter_in="P"), *ISPS[1:]),
        policies=(Policy(name="P", text="ip access-list extended P\n permit ip any any\n"),),
        settings=described(balance=INTENT, fragments="untracked").settings,
    )
    assert any("'untracked' cannot hold" in line for line in said(promise))


class Recorder:
    """A machine that remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.waiting = ""
        self.said = "one line\nanother line\n"

    def check(self, program: str, files: Path) -> str:
        self.asked.append((program, files))
        return self.said

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None:
        self.asked.append((before, after, confirm_within))

    def confirm_network(self) -> None:
        self.asked.append(("confirm",))

    def network_status(self) -> str:
        return f'{{"waiting": "{self.waiting}"}}'


def test_it_asks_the_helper_by_name_and_changes_only_by_it():
    machine, component, files = Recorder(), NetworkComponent(described(LAN)), Path("7/network")
    assert [one.values["what"] for one in component.preflight(files, machine)] == ["one line", "another line"]
    assert len(component.probe(files, machine)) == 2
    component.act(None, files, machine)
    component.act_guarded(files, None, machine, 90)
    assert machine.asked == [(CHECK, files), (STANDING, files), (None, files, 0), (files, None, 90)]
    assert {one.name for one in components.PROGRAMS} >= {CHECK, STANDING}


def test_a_change_is_confirmed_once_and_only_while_it_stands():
    machine, component, files = Recorder(), NetworkComponent(described(LAN)), Path("7/network")
    machine.waiting, machine.said = "8f3a", ""
    component.confirm(files, machine)
    assert machine.asked == [("confirm",), (STANDING, files)]
    machine.waiting, machine.asked = "", []
    component.confirm(files, machine)
    assert machine.asked == [(STANDING, files)]
    machine.said = "address 10.1.0.1/24 is missing"
    with pytest.raises(RuntimeError, match="is missing"):
        component.confirm(files, machine)


def test_the_rendered_filter_is_read_by_our_own_reader():
    (text,) = (one.content.decode() for one in NetworkComponent(described(LAN)).render() if one.path == "filter.nft")
    ruleset = read_nftables(text, "filter.nft")
    assert {chain.table for chain in ruleset.chains} == {"ip gerbang", "ip6 gerbang"}
