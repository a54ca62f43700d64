"""Each rule of a whole zone: a zone that breaks it, and one that keeps it."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.services.dns.rdata import quoted
from tests.appliance.services.dns.zones import HEAD, said, zone

ZONE = "example.org"


def _key(bits: int) -> str:
    der = generate_private_key(65537, bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


RSA_2048, RSA_1024 = _key(2048), _key(1024)
ED25519 = base64.b64encode(
    Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()
INCLUDES = " ".join(f"include:s{number}.example.net" for number in range(10))


def _txt(owner: str, text: str) -> str:
    return f"{owner} TXT {quoted(text)}"


BROKEN = [
    ("error", "example.org MX", "has no address", "@ MX 10 nowhere"),
    ("error", "example.org MX", "is an alias", "@ MX 10 mail\nmail CNAME ns"),
    ("error", "example.org MX", "is an address", "@ MX 10 192.0.2.7."),
    ("error", "example.org NS", "is an alias", "@ NS ns2\nns2 CNAME ns"),
    ("error", "_sip._tcp.example.org SRV", "has no address", "_sip._tcp SRV 0 0 5060 nowhere"),
    ("error", "www.example.org CNAME", "stands alone", "www CNAME ns\nwww TXT x"),
    ("error", "example.org CNAME", "cannot be an alias", "@ CNAME www.example.net."),
    ("error", "www.example.org CNAME", "alias of one other", "www CNAME ns\nwww CNAME ns.example.net."),
    ("error", "a.example.org CNAME", "leads back", "a CNAME b\nb CNAME a"),
    ("warning", "a.example.org CNAME", "is not there", "a CNAME b"),
    ("error", "www.example.org A", "stands twice", "www A 192.0.2.1\nwww A 192.0.2.1"),
    ("error", "_x.example.org A", "no underscore", "_x A 192.0.2.1"),
    ("error", "example.org MX", "no underscore", "@ MX 10 my_mail\nmy_mail A 192.0.2.1"),
    ("error", "sip.example.org SRV", "a service and a protocol", "sip SRV 0 0 5060 ns"),
    ("error", "ward.example.org NS", "glue", "ward NS ns.ward"),
    ("error", "www.ward.example.org TXT", "handed over", "ward NS ns.example.net.\nwww.ward TXT x"),
    ("error", "*.example.org NS", "wildcard is not handed over", "* NS ns.example.net."),
    ("error", "www.example.org A", "one time to live", "www 60 A 192.0.2.1\nwww 90 A 192.0.2.2"),
    ("warning", "www.example.org A", "ask all the time", "www 5 A 192.0.2.1"),
    ("warning", "www.example.org A", "longer than a week", "www 700000 A 192.0.2.1"),
    ("error", "example.org TXT", "two SPF records", _txt("@", "v=spf1 mx -all") + "\n" + _txt("@", "v=spf1 -all")),
    ("error", "example.org TXT", "needs 11 look-ups", _txt("@", f"v=spf1 mx {INCLUDES} -all")),
    ("error", "example.org TXT", "a term that is none: ipv4:192.0.2.1", _txt("@", "v=spf1 ipv4:192.0.2.1 -all")),
    ("error", "example.org TXT", "a term that is none: ip4:192.0.2.300", _txt("@", "v=spf1 ip4:192.0.2.300 -all")),
    ("error", "example.org TXT", "a term that is none: include", _txt("@", "v=spf1 include -all")),
    ("warning", "example.org TXT", "allows everybody", _txt("@", "v=spf1 +all")),
    ("warning", "example.org TXT", "says nothing of others", _txt("@", "v=spf1 mx")),
    ("error", "_dmarc.example.org TXT", "begins with v=DMARC1", _txt("_dmarc", "p=reject")),
    ("error", "_dmarc.example.org TXT", "tag p follows v", _txt("_dmarc", "v=DMARC1; rua=mailto:a@b.c; p=reject")),
    ("error", "_dmarc.example.org TXT", "p cannot be drop", _txt("_dmarc", "v=DMARC1; p=drop")),
    ("error", "_dmarc.example.org TXT", "pct cannot be 101", _txt("_dmarc", "v=DMARC1; p=reject; pct=101")),
    ("error", "_dmarc.example.org TXT", "rua cannot be a@b.c", _txt("_dmarc", "v=DMARC1; p=reject; rua=a@b.c")),
    ("error", "_dmarc.example.org TXT", "tags with values", _txt("_dmarc", "v=DMARC1 p=reject")),
    ("warning", "_dmarc.example.org TXT", "lets forged mail", _txt("_dmarc", "v=DMARC1; p=none")),
    ("warning", "_dmarc.example.org TXT", "do not know the DMARC tag x", _txt("_dmarc", "v=DMARC1; p=reject; x=1")),
    ("error", "s._domainkey.example.org TXT", "tags with values", _txt("s._domainkey", "hello")),
    ("error", "s._domainkey.example.org TXT", "not dsa", _txt("s._domainkey", f"v=DKIM1; k=dsa; p={RSA_2048}")),
    ("error", "s._domainkey.example.org TXT", "no base64", _txt("s._domainkey", "v=DKIM1; p=M*I")),
    ("error", "s._domainkey.example.org TXT", "no RSA key", _txt("s._domainkey", "v=DKIM1; p=aGVsbG8=")),
    ("warning", "s._domainkey.example.org TXT", "1024 bits is short", _txt("s._domainkey", f"v=DKIM1; p={RSA_1024}")),
    ("warning", "s._domainkey.example.org TXT", "withdrawn", _txt("s._domainkey", "v=DKIM1; p=")),
    ("error", "s._domainkey.example.org TXT", "32 octets", _txt("s._domainkey", "v=DKIM1; k=ed25519; p=aGVsbG8=")),
]
KEPT = [
    "@ MX 10 mail\nmail A 192.0.2.2",
    "@ MX 10 mail\nmail AAAA 2001:db8::2",
    "@ MX 10 mx.example.net.",
    "@ MX 0 .",
    "@ NS ns.example.net.",
    "_sip._tcp SRV 0 0 5060 ns\n_pop3._tcp SRV 0 0 0 .",
    "www CNAME ns\nftp CNAME www.example.net.",
    "*.wild A 192.0.2.1\nx CNAME deep.er.wild",
    "www A 192.0.2.1\nwww A 192.0.2.2",
    "ward NS ns.ward\nward NS ns.example.net.\nns.ward A 192.0.2.9",
    "@ MX 10 mx.ward\nward NS ns.example.net.",
    "_acme-challenge TXT x\n_h CNAME ns",
    "www 60 A 192.0.2.1\nwww 60 A 192.0.2.2\nwww 90 AAAA 2001:db8::2",
    _txt("@", f"v=spf1 {INCLUDES} -all") + "\n" + _txt("@", "some-verification=1"),
    _txt("@", "v=spf1 a:x.example.net/24 mx//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 ?exists:%{i}.x ~all exp=e.x"),
    _txt("@", "v=spf1 redirect=_spf.example.net"),
    _txt("_dmarc", "v=DMARC1; p=quarantine; sp=reject; pct=50; adkim=s; rua=mailto:a@b.c,mailto:d@e.f; fo=1:d;"),
    _txt("s._domainkey", f"v=DKIM1; k=rsa; t=s; p={RSA_2048}"),
    _txt("s._domainkey", f"v=DKIM1; k=ed25519; p={ED25519}"),
]


@pytest.mark.parametrize(("severity", "place", "words", "lines"), BROKEN, ids=[one[2] for one in BROKEN])
def test_a_zone_that_breaks_a_rule(severity: str, place: str, words: str, lines: str) -> None:
    found = said(zone(ZONE, lines))
    assert any(one[0] == severity and one[1] == f"dns.records/{place}" and words in one[2] for one in found), found


@pytest.mark.parametrize("lines", KEPT, ids=map(str, range(len(KEPT))))
def test_a_zone_that_keeps_them(lines: str) -> None:
    assert said(zone(ZONE, lines)) == []


def test_a_zone_names_its_servers() -> None:
    head = HEAD.replace("@ NS ns\n", "")
    assert ("error", "dns.zones/example.org") in [one[:2] for one in said(zone(ZONE, "", head=head))]
    other = HEAD.replace("@ NS ns\n", "@ NS ns.example.net.\n")
    assert [one[:2] for one in said(zone(ZONE, "", head=other))] == [("warning", "dns.zones/example.org")]


def test_a_day_without_a_name_is_too_long() -> None:
    head = HEAD.replace(" 300 )", " 90000 )")
    assert [one[:2] for one in said(zone(ZONE, "", head=head))] == [("warning", "dns.zones/example.org")]


REVERSE = HEAD.replace("@ NS ns\nns A 192.0.2.1\n", "@ NS ns.example.org.\n").replace("SOA ns ", "SOA ns.example.org. ")


def test_addresses_and_names_agree_in_both_directions() -> None:
    def pair(forward: str, backward: str) -> list[tuple[str, str, str]]:
        reverse = zone("2.0.192.in-addr.arpa", backward, head=REVERSE)
        return said(zone(ZONE, forward), reverse)

    assert pair("", "1 PTR ns.example.org.") == []
    assert [one[:2] for one in pair("www A 192.0.2.9", "1 PTR ns.example.org.")] == [
        ("warning", "dns.records/www.example.org A")
    ]
    place = "dns.records/9.2.0.192.in-addr.arpa PTR"
    assert [one[:2] for one in pair("", "1 PTR ns.example.org.\n9 PTR ns.example.org.")] == [("warning", place)]
    assert [one[:2] for one in pair("www CNAME ns", "1 PTR ns.example.org.\n9 PTR www.example.org.")] == [
        ("error", place)
    ]
    # Addresses of others, and names of others, are nobody's business here.
    assert pair("www A 198.51.100.7", "1 PTR ns.example.org.\n9 PTR www.example.net.") == []


def test_ipv6_agrees_too() -> None:
    pointer = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR ns.example.org."
    six = HEAD.replace("ns A 192.0.2.1", "ns AAAA 2001:db8::1")
    name = "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    assert said(zone(ZONE, "", head=six), zone(name, pointer, head=REVERSE)) == []
    found = said(zone(ZONE, "", head=six), zone(name, "", head=REVERSE))
    assert [one[:2] for one in found] == [("warning", "dns.records/ns.example.org AAAA")]


def test_a_target_in_another_zone_of_ours_is_looked_up_there() -> None:
    other = zone("example.net", "mail CNAME ns")
    found = said(zone(ZONE, "@ MX 10 mail.example.net.\n@ MX 20 lost.example.net.\n@ MX 30 ns.example.net."), other)
    assert [one[2] for one in found] == [
        "mail.example.net is an alias: name the host itself",
        "lost.example.net has no address",
    ]


def test_what_lies_in_a_nearer_zone_of_ours_is_not_seen() -> None:
    ward = zone("ward.example.org", "")
    parent = zone(ZONE, "ward NS ns.ward\nns.ward A 192.0.2.1\nx.ward TXT lost")
    assert [one[1] for one in said(parent, ward)] == ["dns.records/x.ward.example.org TXT"]


def test_spf_look_ups_are_counted_through_includes_of_ours() -> None:
    inner = zone("example.net", _txt("@", f"v=spf1 {INCLUDES} -all"))
    found = said(zone(ZONE, _txt("@", "v=spf1 include:example.net -all")), inner)
    assert [one[2].partition(",")[0] for one in found] == ["the SPF record needs 11 look-ups"]
