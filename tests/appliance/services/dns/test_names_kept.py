"""What hostmasters do with zones and records, and what is made for other services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.components.config_files import ConfigFile, render_files
from appliance.contract.people import Person
from appliance.contract.refusals import AlreadyThere, Conflict, NotAllowed, RuleBroken
from appliance.daemon.running import InvalidArguments
from appliance.services.dns import service
from appliance.services.dns.components import PROGRAMS, _resolver
from appliance.services.dns.model import Settings
from appliance.services.dns.versions import NSD_SERIES, fitting
from appliance.services.dns.zoning import ensure_zone
from appliance.testing import Caller, Trial
from tests.appliance.services.dns.zones import HEAD

ZONE, REVERSE = "rssulsel.com", "10.168.192.in-addr.arpa"


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial(service, now=datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Jakarta")))
    yield made
    made.close()


@pytest.fixture
def keeper(trial: Trial) -> Caller:
    return trial.person("kartini", "hostmaster")


def _rows(keeper: Caller, zone: str = ZONE) -> list[tuple[str, str, str]]:
    return sorted((one["owner"], one["type"], one["value"]) for one in keeper.listing("records") if one["zone"] == zone)


def test_the_example_has_nothing_wrong(trial: Trial, keeper: Caller) -> None:
    trial.load_examples()
    assert keeper("check") == []
    assert ("2", "PTR", f"mail.{ZONE}.") in _rows(keeper, REVERSE)


def test_a_record_is_kept_in_one_form_and_once(keeper: Caller) -> None:
    keeper("zones.set-up", name="RSSulsel.com.", address="192.168.10.2")
    kept = keeper("records.add", zone=ZONE, owner="Mail", type="AAAA", value="2001:DB8:0::1")
    assert (kept["row"]["owner"], kept["row"]["value"]) == ("mail", "2001:db8::1")
    with pytest.raises(AlreadyThere):
        keeper("records.add", zone=ZONE, owner=f"mail.{ZONE}.", type="AAAA", value="2001:db8::0:1")
    other = keeper("records.add", zone=ZONE, owner="@", type="MX", value="10 mail")
    assert other["row"]["value"] == f"10 mail.{ZONE}."
    change = {name: other["row"][name] for name in ("zone", "owner", "type", "number", "ttl", "about")}
    changed = keeper("records.change", **change, value="20 mail", version=other["version"])
    assert changed["row"]["value"] == f"20 mail.{ZONE}."
    with pytest.raises(Conflict):
        keeper("records.change", **change, value="30 mail", version=other["version"])
    twin = {**change, "owner": "mail", "type": "AAAA", "value": "2001:db8::1"}
    with pytest.raises(AlreadyThere):
        keeper("records.change", **twin, version=changed["version"])


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"owner": "www.example.org.", "type": "A", "value": "192.0.2.1"}, "owner"),
        ({"owner": "www", "type": "A", "value": "192.0.2"}, "value"),
        ({"owner": "@", "type": "MX", "value": "mail"}, "value"),
        ({"owner": "x", "type": "TXT", "value": f'"{"x" * 256}"'}, "value"),
        ({"owner": "x", "type": "CAA", "value": "issue x"}, "value"),
        ({"owner": "two words", "type": "A", "value": "192.0.2.1"}, "owner"),
        ({"owner": "a.*.b", "type": "A", "value": "192.0.2.1"}, "owner"),
    ],
)
def test_what_no_server_could_serve_is_refused(keeper: Caller, entry: dict[str, Any], field: str) -> None:
    keeper("zones.set-up", name=ZONE, address="192.168.10.2", reverse=False)
    with pytest.raises(InvalidArguments) as refused:
        keeper("records.add", zone=ZONE, **entry)
    assert {one.field for one in refused.value.problems} == {field}


def test_a_long_text_needs_no_quotes(keeper: Caller) -> None:
    keeper("zones.set-up", name=ZONE, address="192.168.10.2")
    kept = keeper("records.add", zone=ZONE, owner="x", type="TXT", value="y" * 300)
    assert kept["row"]["value"] == f'"{"y" * 255}" "{"y" * 45}"'


def test_a_zone_goes_with_its_records_and_keeps_its_name(keeper: Caller) -> None:
    keeper("zones.set-up", name=ZONE, address="192.168.10.2", mail="192.168.10.2")
    zone = keeper("zones.get", name=ZONE)
    with pytest.raises(RuleBroken):
        keeper("zones.change", name=ZONE, version=zone["version"], row={**zone["row"], "name": "other.example"})
    with pytest.raises(Conflict):
        keeper("zones.remove", name=ZONE, version=zone["version"] + 1)
    assert _rows(keeper)
    keeper("zones.remove", name=ZONE, version=zone["version"])
    assert _rows(keeper) == []
    assert _rows(keeper, REVERSE)


def test_a_reverse_zone_has_the_addresses_that_are_known(keeper: Caller) -> None:
    keeper("zones.set-up", name=ZONE, address="192.168.10.2", www="192.168.11.9", reverse=False)
    made = keeper("zones.set-up-reverse", network="192.168.10.0/24", primary=f"ns.{ZONE}")
    assert (made["name"], made["records"]) == (REVERSE, 2)
    assert _rows(keeper, REVERSE) == [("2", "PTR", f"ns.{ZONE}."), ("@", "NS", f"ns.{ZONE}.")]


def test_a_zone_is_written_and_read_in_again(keeper: Caller) -> None:
    keeper("zones.set-up", name=ZONE, address="192.168.10.2", mail="192.168.10.2")
    keeper("records.add", zone=ZONE, owner="x", type="TXT", value='a "b" \\ c', ttl=60)
    before, text = _rows(keeper), keeper("zones.export", name=ZONE)["text"]
    with pytest.raises(RuleBroken) as refused:
        keeper("zones.import", name=ZONE, text=text)
    assert refused.value.field == "replace"
    assert keeper("zones.import", name=ZONE, text=text, replace=True)["records"] == len(before)
    assert _rows(keeper) == before
    zone = keeper("zones.get", name=ZONE)
    keeper("zones.remove", name=ZONE, version=zone["version"])
    keeper("zones.import", name=ZONE, text=text)
    assert _rows(keeper) == before
    assert keeper("zones.get", name=ZONE)["row"] == zone["row"]


def test_an_import_says_where_it_failed_and_changes_nothing(keeper: Caller) -> None:
    keeper("zones.set-up", name=ZONE, address="192.168.10.2")
    before = _rows(keeper)
    with pytest.raises(RuleBroken) as refused:
        keeper("zones.import", name=ZONE, text=f"{HEAD}www A 192.0.2\n", replace=True)
    assert (refused.value.values["line"], refused.value.values["column"]) == (5, 7)
    assert _rows(keeper) == before


def test_a_zone_for_another_service(trial: Trial, keeper: Caller) -> None:
    with trial.runner.changing(Person("postmaster"), "mail", "settings.change", {}) as context:
        ensure_zone(context, ZONE, f"mail.{ZONE}", "192.168.10.2")
        ensure_zone(context, ZONE, "ns", "192.168.10.3")
        told = {(one.service, one.subject) for one in context.events}
    assert told == {("dns", f"zones/{ZONE}"), ("dns", f"zones/{REVERSE}"), ("dns", "settings")}
    assert _rows(keeper) == [("@", "NS", f"mail.{ZONE}."), ("mail", "A", "192.168.10.2")]
    assert _rows(keeper, REVERSE) == [("@", "NS", f"mail.{ZONE}.")]
    settings = keeper("settings.get")["row"]
    assert (settings["addresses"], settings["networks"]) == (["192.168.10.2"], ["192.168.10.0/24"])
    # What is wrong with it is only that nobody has said who the address is.
    assert [one["severity"] for one in keeper("check")] == ["warning"]


def test_a_public_address_opens_no_resolver(trial: Trial, keeper: Caller) -> None:
    with trial.runner.changing(Person("postmaster"), "mail", "settings.change", {}) as context:
        ensure_zone(context, ZONE, "ns", "8.8.4.4")
    assert keeper("settings.get")["row"]["networks"] == []


@pytest.mark.parametrize(
    "row",
    [
        {"networks": ["0.0.0.0/0"]},
        {"networks": ["::/0"]},
        {"networks": ["192.168.10.1/24"]},
        {"addresses": ["192.168.10.2"], "public_addresses": ["192.168.10.2"]},
        {"addresses": ["224.0.0.1"]},
        # To ipaddress it is one; to Unbound, which starts as root, two lines.
        {"addresses": ["fe80::%1\n    do-daemonize: yes"]},
        {"forwarders": ["fe80::%1\n    forward-first: yes"]},
        {"networks": ["fe80::% allow\n    username: root #/64"]},
    ],
)
def test_settings_that_are_refused(keeper: Caller, row: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments):
        keeper("settings.change", version=0, row=row)


def test_only_hostmasters(trial: Trial) -> None:
    with pytest.raises(NotAllowed):
        trial.person("budi")("check")


def test_the_resolver_answers_its_networks_alone() -> None:
    daemon = _resolver(Settings(networks=("192.168.10.0/24",), forwarders=("192.0.2.53",)), (ZONE,))
    lines = [line.strip() for line in daemon.render()[0].content.decode().splitlines()]
    allowed = {line.split()[1] for line in lines if line.startswith("access-control:") and line.endswith(" allow")}
    assert allowed == {"127.0.0.0/8", "::1/128", "192.168.10.0/24"}
    assert "forward-addr: 192.0.2.53" in lines
    assert f'domain-insecure: "{ZONE}"' in lines


@pytest.mark.parametrize("series", NSD_SERIES)
def test_a_zone_is_handed_out_to_partners_alone(series: str) -> None:
    values: dict[str, Any] = {
        "series": series, "state": "/s", "run": "/r", "zones": [ZONE], "public_addresses": ["192.0.2.1"],
        "answers_per_second": 200,
    }  # fmt: skip
    file = ConfigFile(template=f"dns/nsd-{series}/nsd.conf.j2", path="nsd.conf")
    closed, opened = (
        render_files((file,), {**values, "transfer_partners": partners})[0].content.decode()
        for partners in ([], ["192.0.2.9"])
    )
    assert "provide-xfr" not in closed
    assert "provide-xfr: 192.0.2.9 NOKEY" in opened
    assert ("database:" in closed) is (series == "4.6")


@pytest.mark.parametrize(("said", "series"), [("NSD version 4.6.1", "4.6"), ("4.12.0", "4.8"), ("", "4.6")])
def test_templates_fit_the_version(said: str, series: str) -> None:
    assert fitting(said, NSD_SERIES) == series


def test_the_programs_are_named_as_others_name_them() -> None:
    assert [one.name for one in PROGRAMS] == ["dns.nsd", "dns.unbound"]
