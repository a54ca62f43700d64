"""A zone as text: written, read by dnspython and by us, and the places of what cannot be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.refusals import RuleBroken
from appliance.services.dns.checking import wrong_in
from appliance.services.dns.content import ServedRecord, ServedZone
from appliance.services.dns.model import Zone
from appliance.services.dns.names import absolute, address_of, below, relative, reverse_name, reverse_zone
from appliance.services.dns.rdata import canonical, quoted, strings_of
from appliance.services.dns.zone_text import read_zone, serial_in, with_serial, write_zone
from tests.appliance.services.dns.zones import HEAD, zone

NAME = "example.org"
LABELS = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}[a-z0-9]", fullmatch=True)
OWNERS = st.one_of(st.just("@"), st.lists(LABELS, min_size=1, max_size=3).map(".".join))
HOSTS = st.one_of(LABELS, st.just("mail.example.net."))
SMALL = st.integers(0, 65535)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=600)
VALUES = st.one_of(
    st.ip_addresses(v=4).map(lambda one: ("A", str(one))),
    st.ip_addresses(v=6).map(lambda one: ("AAAA", str(one))),
    st.tuples(SMALL, HOSTS).map(lambda one: ("MX", f"{one[0]} {one[1]}")),
    HOSTS.map(lambda one: ("PTR", one)),
    HOSTS.map(lambda one: ("NS", one)),
    st.tuples(SMALL, SMALL, SMALL, HOSTS).map(lambda one: ("SRV", " ".join(map(str, one)))),
    TEXTS.map(lambda one: ("TXT", quoted(one))),
    st.sampled_from(["ca.example.net", "ca.example.net; policy=ev"]).map(lambda one: ("CAA", f'0 issue "{one}"')),
)
RECORDS = st.builds(
    lambda owner, data, ttl: ServedRecord(
        name=absolute(owner, NAME), type=data[0], value=canonical(data[0], data[1], NAME), ttl=ttl
    ),
    OWNERS,
    VALUES,
    st.integers(0, 2**31 - 1),
)
ZONES = st.builds(
    lambda contact, least, records: ServedZone(
        zone=Zone(name=NAME, primary=f"ns.{NAME}", contact=f"{contact}@{NAME}", least_serial=least),
        records=tuple(sorted(set(records), key=lambda one: one.order)),
    ),
    st.from_regex(r"[a-z][a-z0-9.]{0,8}[a-z]", fullmatch=True).filter(lambda text: ".." not in text),
    st.integers(1, 2**32 - 1),
    st.lists(RECORDS, max_size=12),
)


@given(ZONES)
def test_what_is_written_is_read_as_the_same(served: ServedZone) -> None:
    text = write_zone(served)
    found = read_zone(text, NAME)
    assert found.records == served.records
    assert found.zone is not None
    # The SOA has no field for the time to live of others, nor for remarks.
    assert found.zone == served.zone


@given(ZONES)
def test_dnspython_reads_the_same(served: ServedZone) -> None:
    found = dns.zone.from_text(write_zone(served), origin=NAME, relativize=False, check_origin=False)
    seen = {
        (name.to_text(omit_final_dot=True), dns.rdatatype.to_text(rdataset.rdtype), rdata.to_text())
        for name, node in found.items()
        for rdataset in node
        for rdata in rdataset
        if rdataset.rdtype != dns.rdatatype.SOA
    }
    assert seen == {(one.name, one.type, one.value) for one in served.records}
    soa = found.find_rdataset(found.origin, "SOA")[0]
    assert soa.serial == served.zone.least_serial


@given(ZONES, st.integers(1, 2**32 - 1))
def test_only_the_serial_is_another(served: ServedZone, serial: int) -> None:
    text = write_zone(served)
    other = with_serial(text, serial)
    assert serial_in(other) == serial
    assert with_serial(other, served.zone.least_serial) == text


@given(TEXTS)
def test_a_text_of_any_length_is_strings_of_255_octets(text: str) -> None:
    parts = strings_of(quoted(text), NAME)
    assert all(len(part) <= 255 for part in parts)
    assert b"".join(parts).decode() == text


@given(OWNERS)
def test_owners_are_relative_and_whole(owner: str) -> None:
    assert relative(absolute(owner, NAME), NAME) == owner
    assert below(absolute(owner, NAME), NAME)


@given(st.ip_addresses())
def test_reverse_names_are_addresses(address: object) -> None:
    assert address_of(reverse_name(str(address))) == str(address)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("192.168.10.0/24", "10.168.192.in-addr.arpa"),
        ("192.168.10.128/25", "10.168.192.in-addr.arpa"),
        ("192.168.0.0/20", "168.192.in-addr.arpa"),
        ("10.0.0.0/12", "10.in-addr.arpa"),
        ("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa"),
        ("2001:db8::/64", "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_zones_of_networks(network: str, name: str) -> None:
    assert reverse_zone(network) == name


def test_a_zone_file_as_others_write_it_is_read() -> None:
    text = """\
; the hospital
$ORIGIN example.org.
$TTL 1h
@\tIN\tSOA\tns.example.org. host\\.master.example.org. (
\t\t\t2026112301 ; serial
\t\t\t2h 15m 2w 5m )
\tIN NS ns
\tMX 10 mail ; the mail
ns 300 IN A 192.0.2.1
mail IN 300 A 192.0.2.2
     TXT "a;b" (
       "c" )
$ORIGIN ward.example.org.
x A 192.0.2.3
"""
    found = read_zone(text, NAME)
    assert found.zone == Zone(
        name=NAME, primary="ns.example.org", contact="host.master@example.org", least_serial=2026112301
    )
    assert [(one.name, one.type, one.value, one.ttl) for one in found.records] == [
        ("example.org", "NS", "ns.example.org.", 3600),
        ("example.org", "MX", "10 mail.example.org.", 3600),
        ("ns.example.org", "A", "192.0.2.1", 300),
        ("mail.example.org", "A", "192.0.2.2", 300),
        ("mail.example.org", "TXT", '"a;b" "c"', 3600),
        ("x.ward.example.org", "A", "192.0.2.3", 3600),
    ]


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        ("www A 192.0.2", (5, 7), "malformed"),
        ("mail   MX ten ns", (5, 11), "integer"),
        ("www A 192.0.2.1\nwww.example.net. A 192.0.2.1", (6, 1), "does not lie in the zone"),
        ("$INCLUDE /etc/passwd", (5, 1), "not read here"),
        ("$GENERATE 1-1000000 h$ A 192.0.2.1", (5, 1), "not read here"),
        ("www CH A 192.0.2.1", (5, 5), "class CH"),
        ("www HINFO a b", (5, 5), "type HINFO"),
        ("@ SOA ns h ( 1 7200 900 1209600 300 )", (5, 3), "second SOA"),
        ('www TXT "open', (5, 9), ""),
        ("www ( A", (6, 1), ""),
        ("www SOA ns h ( 1 7200 900 1209600 300 )", (5, 5), "not of example.org"),
        # dnspython has read the whole line before it counts.
        (f'www TXT "{"x" * 256}"', (5, 267), "too long"),
    ],
)
def test_what_cannot_be_read_is_said_by_line_and_column(lines: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        read_zone(HEAD + lines + "\n", NAME)
    assert (refused.value.values["line"], refused.value.values["column"]) == place, refused.value
    assert words in str(refused.value)


@pytest.mark.skipif(not shutil.which("named-checkzone"), reason="needs named-checkzone (bind9-utils)")
def test_the_native_validators_see_what_they_are_there_for(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    conf = tmp_path / "nsd.conf"
    conf.write_text(f'server:\n    zonesdir: "{tmp_path}"\nzone:\n    name: {NAME}\n    zonefile: x\n')
    place = tmp_path / "zones" / f"{NAME}.zone"
    place.write_text(write_zone(zone(NAME, "@ MX 10 ns")))
    assert list(wrong_in(tmp_path)) == []
    # NSD's own check passes this one.
    place.write_text(write_zone(zone(NAME, "@ MX 10 mail\nmail CNAME ns")))
    assert any("mail.example.org" in line for line in wrong_in(tmp_path))
    conf.write_text("server:\n    no-such-option: yes\n")
    assert any("nsd.conf" in line for line in wrong_in(tmp_path))
