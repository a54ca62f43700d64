"""The table of the wildcard paper: ten cases, two base addresses, each count; and tables against single packets."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.addresses import AddressSet, Wildcard, parse_address
from compiler.analysis.explanation.address_table import address_table
from compiler.errors import UsageError
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import AccessList, Action, Entry, ListKind
from compiler.policy.match import Match, layer4
from compiler.policy.packet import Packet, matches
from compiler.policy.packet_text import parse_packet

DATA = Path(__file__).parents[3] / "data" / "acl_cases.csv"
CASES = list(csv.DictReader(DATA.read_text(encoding="utf-8").splitlines()))
CLIENTS = AddressSet.wildcard(Wildcard.prefix(0xAC100000, 16))
FTP = parse_packet("tcp 172.16.0.1:1025 > 10.0.0.2:21")


def paper_list(base: str, wildcard: str) -> AccessList:
    """``deny tcp BASE WILDCARD host 10.0.0.2 eq ftp``, ``permit ip any any``."""
    source = AddressSet.wildcard(Wildcard.of(parse_address(base)[0], parse_address(wildcard)[0]))
    server = AddressSet.wildcard(Wildcard.of(0x0A000002, 0))
    control = layer4(
        Match(source=source, destination=server, protocol=IntegerSet.values(6), destination_port=IntegerSet.values(21))
    )
    entries = (Entry(Action.DENY, (control,), 10), Entry(Action.PERMIT, (Match(),), 20))
    return AccessList("101", Family.IPV4, ListKind.EXTENDED, entries)


@pytest.mark.parametrize("base", ["172.16.6.0", "172.16.0.0"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_every_count_of_the_paper(case, base):
    table = address_table(paper_list(base, case["wildcard"]), FTP, CLIENTS)
    assert table.addresses(permitted=False) == int(case[f"denied_in_16_base_{base}"])
    assert table.addresses(permitted=True) + table.addresses(permitted=False) == 65536


def denied_thirds(base: str, wildcard: str) -> list[int]:
    table = address_table(paper_list(base, wildcard), FTP, CLIENTS)
    return sorted({row.first >> 8 & 255 for row in table.rows if not row.permitted})


def test_errata_of_the_paper():
    assert denied_thirds("172.16.6.0", "0.0.248.255")[:4] == [6, 14, 22, 30]  # acl-1
    assert denied_thirds("172.16.6.0", "0.0.240.255")[:4] == [6, 22, 38, 54]
    assert denied_thirds("172.16.0.0", "0.0.248.255")[0] == 0  # acl-2: third byte 0 is denied
    for wildcard in ("0.0.248.248", "0.0.240.240"):  # acl-5: the third byte is compared too
        table = address_table(paper_list("172.16.0.0", wildcard), FTP, CLIENTS)
        address = 0xAC100108
        assert next(row.permitted for row in table.rows if row.first <= address <= row.last)


def test_the_printed_table():
    table = address_table(paper_list("172.16.6.0", "0.0.0.255"), FTP, CLIENTS)
    assert list(table.lines()) == [
        "172.16.0.0 - 172.16.5.255    permitted    1,536",
        "172.16.6.0 - 172.16.6.255    denied         256",
        "172.16.7.0 - 172.16.255.255  permitted   63,744",
        "65,280 addresses permitted, 256 denied, in 3 ranges",
    ]
    many = address_table(paper_list("172.16.0.0", "0.0.255.248"), FTP, CLIENTS)
    lines = list(many.lines(5))
    assert len(lines) == 6
    assert lines[4] == "… and 16,380 more rows"
    assert many.as_json(2)["denied"] == 8192
    assert len(many.as_json(2)["rows"]) == 2


def test_other_packets_are_not_the_entrys():
    table = address_table(paper_list("172.16.0.0", "0.0.255.248"), FTP._replace(destination_port=22), CLIENTS)
    assert [row.permitted for row in table.rows] == [True]
    fragment = parse_packet("tcp 172.16.0.1 > 10.0.0.2 fragment")
    assert address_table(paper_list("172.16.0.0", "0.0.255.248"), fragment, CLIENTS).addresses(permitted=False) == 0


def test_a_table_that_would_be_too_large_is_refused():
    huge = paper_list("0.0.0.1", "255.255.255.254")
    with pytest.raises(UsageError, match="smaller prefix"):
        address_table(huge, FTP)
    assert address_table(huge, FTP, CLIENTS).addresses(permitted=False) == 32768


def test_an_empty_list_permits_everything():
    empty = AccessList("1", Family.IPV4, ListKind.STANDARD, ())
    assert address_table(empty, FTP, CLIENTS).addresses(permitted=True) == 65536


def test_the_family_must_fit():
    with pytest.raises(UsageError):
        address_table(AccessList("x", Family.IPV6, ListKind.EXTENDED, ()), FTP)


@given(st.data(), st.sampled_from(Family))
def test_against_single_packets(tiny_matches, data, family):
    drawn = data.draw(st.lists(st.tuples(tiny_matches(family), st.booleans()), min_size=1, max_size=5))
    entries = tuple(
        Entry(Action.PERMIT if permits else Action.DENY, (match,), 10 * number)
        for number, (match, permits) in enumerate(drawn, 1)
    )
    access_list = AccessList("x", family, ListKind.EXTENDED, entries)
    base = 0x0A000000 if family is Family.IPV4 else 0x20010DB8 << 96
    within = AddressSet.of(family.width, [(base, base + 600)])
    template = Packet(family, 0, base + data.draw(st.integers(0, 15)), data.draw(st.sampled_from((1, 6, 17))), 1, 21)
    table = address_table(access_list, template, within)
    assert sum(row.size for row in table.rows) == 601
    for before, after in zip(table.rows, table.rows[1:], strict=False):
        assert before.last + 1 == after.first
        assert before.permitted is not after.permitted
    for row in table.rows:
        for source in {row.first, row.last, (row.first + row.last) // 2}:
            packet = template._replace(source=source)
            deciding = [entry.action.permits for entry in entries if matches(entry.matches[0], packet)]
            assert row.permitted == (deciding[0] if deciding else False)
