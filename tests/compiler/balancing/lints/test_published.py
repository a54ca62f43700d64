"""The published script, as it was printed: every one of its errors is told, and all of them can be mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.check import check_script, mend_script
from compiler.balancing.lints.roles import roles
from compiler.balancing.view import view_routeros

CORPUS = Path(__file__).parents[3] / "corpus" / "routeros"
TEXT = (CORPUS / "published-nth.rsc").read_text()

ERRATA = {
    "bal-1": ("gateway-is-own-address", {58: "192.168.1.252", 61: "192.168.2.254"}),
    "bal-2": ("interface-names-disagree", {15: "ISP1", 17: "ISP2", 32: "LOKAL", 38: "LOKAL", 45: "LOKAL", 50: "LOKAL"}),
    "bal-3": ("unknown-property", {5: "allow-remote-request", 6: "servers=8.8.8.8,202", 61: "gateway is"}),
    "bal-4": ("marked-route-unchecked", {57: "MR01", 60: "MR02"}),
    "bal-5": ("local-traffic-marked", {32: "192.168.3.1"}),
    "bal-6": ("nth-knows-no-bandwidth", {33: "MC01, MC02"}),
}  # fmt: skip


@pytest.mark.parametrize("number", ERRATA)
def test_each_erratum_is_told(number):
    name, places = ERRATA[number]
    lints = [one for one in check_script(TEXT, "published.rsc").lints if one.name == name]
    assert {one.span.line for one in lints} == set(places)
    for line, word in places.items():
        assert any(word in one.message for one in lints if one.span.line == line)


@pytest.mark.parametrize(
    "row",
    [
        "/queue simple add name=forum target=192.168.1.4/32",
        "/ip dhcp-server lease add address=192.168.1.4 mac-address=00:0C:42:00:00:04",
        "/ip firewall mangle add chain=prerouting src-address=192.168.1.4 action=accept",
        "/ip firewall address-list add list=forum address=192.168.1.4\n"
        "/ip firewall mangle add chain=prerouting src-address-list=forum action=accept",
    ],
)
def test_the_client_of_the_forum_lies_outside(row):
    """bal-7: the text of the paper names it, the script does not."""
    lints = [one for one in check_script(f"{TEXT}\n{row}\n", "published.rsc").lints if one.name == "client-outside-lan"]
    assert len(lints) == 1
    assert "192.168.1.4 lies in no inside network (192.168.3.0/24)" in lints[0].message
    assert "the network of the uplink Speedy1" in lints[0].message
    inside = row.replace("192.168.1.4", "192.168.3.4")
    assert "client-outside-lan" not in {one.name for one in check_script(f"{TEXT}\n{inside}\n", "x.rsc").lints}


def test_a_printed_command_that_is_broken_is_told_once():
    lints = check_script(TEXT, "published.rsc").lints
    assert sum(one.name == "broken-line" for one in lints) == 14
    assert sum(one.name == "no-menu" for one in lints) == 5
    first = next(one for one in lints if one.name == "broken-line" and one.span.line == 57)
    assert first.mended[0].shown == (
        "/ip route add disabled=no distance=1 dst-address=0.0.0.0/0 gateway=192.168.1.252 routing-mark=MR01"
    )


@pytest.mark.parametrize("version", [6, 7])
def test_the_whole_script_can_be_mended(version):
    text, checked = mend_script(TEXT, "mended.rsc", version)
    assert {one.severity for one in checked.lints} == {Severity.NOTE}
    assert {one.name for one in checked.lints} == {
        "check-ends-next-door",
        "nth-knows-no-bandwidth",
        "uplink-connections-unmarked",
    }
    view = view_routeros(text, "mended.rsc")  # the strict readers take it now
    assert view.network.version == version
    assert len(view.network.routes) == 4
    assert mend_script(text, "mended.rsc", version)[0] == text


def test_roles_of_the_published_script():
    found = roles(TEXT, "published.rsc")
    assert found.version == 6
    assert found.inside_names == ("LAN",)
    assert dict(found.aliases) == {"ISP1": "Speedy1", "ISP2": "Speedy2", "LOKAL": "LAN"}
    assert [(one.interface, one.gateway, one.tables, one.marks) for one in found.uplinks] == [
        ("Speedy1", 0xC0A80101, ("MR01",), ("MC01",)),
        ("Speedy2", 0xC0A80202, ("MR02",), ("MC02",)),
    ]
    assert all(one.masqueraded and one.checked for one in found.uplinks)
