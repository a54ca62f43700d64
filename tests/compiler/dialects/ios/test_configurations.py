"""Whole configurations and shown lists."""

from pathlib import Path

import pytest

from compiler.addresses import AddressSet
from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors
from compiler.fields import Family
from compiler.integers import IntegerSet
from compiler.policy.access_list import Action, Direction, ListKind, Remark

CORPUS = Path(__file__).parents[3] / "corpus" / "ios"


def load(name):
    return read((CORPUS / name).read_text(encoding="utf-8"), name)


@pytest.fixture(scope="module")
def edge():
    return load("campus-edge.cfg")


def test_all_lists_are_found(edge):
    assert edge.hostname == "edge-1"
    assert [(found.name, found.kind.value, len(found.entries)) for found in edge.lists] == [
        ("NAT-THESE", "standard", 2),
        ("FROM-OUTSIDE", "extended", 18),
        ("MARK-VOICE", "extended", 3),
        ("19", "standard", 1),
        ("20", "standard", 1),
        ("21", "standard", 1),
        ("22", "standard", 1),
        ("101", "extended", 2),
        ("120", "extended", 3),
        ("1300", "standard", 1),
        ("V6-IN", "extended", 5),
        ("MGMT", "extended", 1),
    ]


def test_bindings(edge):
    found = [(b.interface, b.direction, b.family, b.access_list) for b in edge.bindings]
    assert found == [
        ("GigabitEthernet0/0", Direction.IN, Family.IPV4, "FROM-OUTSIDE"),
        ("GigabitEthernet0/0", Direction.OUT, Family.IPV4, "120"),
        ("GigabitEthernet0/0", Direction.IN, Family.IPV6, "V6-IN"),
        ("GigabitEthernet0/1.10", Direction.IN, Family.IPV4, "101"),
    ]
    assert edge.interfaces == ("Loopback0", "GigabitEthernet0/0", "GigabitEthernet0/1.10")


def test_uses_and_features(edge):
    assert {(use.access_list, use.purpose) for use in edge.uses} == {
        ("MARK-VOICE", "class-map"),
        ("19", "ip verify unicast"),
        ("21", "distribute-list"),
        ("NAT-THESE", "ip nat"),
        ("20", "ip http access-class"),
        ("22", "ip pim"),
        ("101", "route-map"),
        ("120", "route-map"),
        ("20", "snmp-server community"),
        ("19", "ntp access-group"),
        ("20", "access-class"),
        ("MGMT", "ipv6 access-class"),
    }
    texts = [feature.text for feature in edge.features]
    assert "ip nat inside source list NAT-THESE interface GigabitEthernet0/0 overload" in texts
    assert "ip nat outside" in texts
    use = next(use for use in edge.uses if use.purpose == "ip nat")
    line = edge.lines[use.span.line - 1]
    assert line[use.span.column - 1 : use.span.end - 1] == "NAT-THESE"


def test_banners_and_certificates_are_no_configuration(edge):
    assert "GigabitEthernet0/9" not in edge.interfaces
    assert [entry.action for entry in edge.find("101").entries] == [Action.DENY, Action.PERMIT]


def test_remarks_keep_their_place(edge):
    lines = edge.find("FROM-OUTSIDE").lines
    assert isinstance(lines[0], Remark)
    assert lines[0].text == "--- bogons first ---"
    assert isinstance(lines[6], Remark)


def test_sequence_numbers_order_the_entries(edge):
    assert [entry.sequence for entry in edge.find("MARK-VOICE").entries] == [50, 75, 100]
    assert [entry.sequence for entry in edge.find("101").entries] == [10, 20]
    assert [entry.sequence for entry in edge.find("V6-IN").entries] == [10, 20, 30, 100, 110]


def test_groups_are_resolved(edge):
    groups = {group.name: group for group in edge.network_groups}
    assert groups["PARTNERS"].members[0] == "CLINICS"
    assert groups["CLINICS"].description == "branch clinics"
    assert groups["PARTNERS"].addresses == AddressSet.of(
        32,
        [
            (0xC000020A, 0xC0000214),
            (0xC6336400, 0xC63364FF),
            (0xCB007107, 0xCB007107),
            (0xCB0071C8, 0xCB0071C8),
        ],
    )
    entry = next(entry for entry in edge.find("FROM-OUTSIDE").entries if entry.service_group)
    assert len(entry.matches) == 5
    assert {match.source for match in entry.matches} == {groups["CLINICS"].addresses}
    assert entry.matches[2].protocol == IntegerSet.values(6, 17)
    assert not entry.layer4_named


def test_time_ranges(edge):
    office, weekend = edge.time_ranges
    assert office.week_minutes == IntegerSet.of(
        [(day * 1440 + 420, day * 1440 + 1079) for day in range(5)] + [(5 * 1440 + 420, 5 * 1440 + 779)]
    )
    assert office.date_minutes == IntegerSet.range(20454 * 1440, 21183 * 1440 + 1439)
    assert weekend.week_minutes == IntegerSet.of([(4 * 1440 + 1080, 10079), (0, 359)])


def test_lines_without_indentation():
    device = load("pasted-lines.cfg")
    assert [(b.interface, b.access_list) for b in device.bindings] == [("FastEthernet0/0", "LAN"), ("Serial0/1", "110")]
    assert [(e.sequence, e.matches[0].protocol) for e in device.find("LAN").entries] == [
        (100, IntegerSet.values(1)),
        (120, None),
    ]
    assert [group.name for group in device.network_groups] == ["SERVERS"]
    assert device.find("TO-SERVERS").entries[0].destination_group == "SERVERS"
    assert [(use.access_list, use.purpose) for use in device.uses] == [("10", "access-class")]


def test_shown_lists():
    device = load("shown-lists.txt")
    assert [(entry.sequence, entry.hits) for entry in device.find("10").entries] == [(10, 1), (20, 14)]
    assert [entry.hits for entry in device.find("OFFICE-HOURS").entries] == [77, 1234567, None]
    assert device.find("OFFICE-HOURS").entries[0].time_range == "OFFICE"
    shown = device.find("V6-IN", Family.IPV6)
    assert [(entry.sequence, entry.hits) for entry in shown.entries] == [(10, 3), (20, None), (30, 9)]
    assert device.find("SWITCH") is None


def test_public_show_output():
    device = load("ntc-show-access-list-3.txt")
    assert device.find("115").entries[0].hits == 10878
    assert len(device.find("150").entries) == 26
    standard = load("ntc-show-access-list-2.txt").find("2")
    assert standard.kind is ListKind.STANDARD
    assert [entry.hits for entry in standard.entries] == [4556, 11665]


def test_a_reversed_range_is_refused_where_it_stands():
    with pytest.raises(InputErrors) as caught:
        load("ntc-show-access-list-1.txt")
    (error,) = caught.value.errors
    assert (error.span.line, error.span.column) == (22, 21)


def test_public_configuration():
    device = load("batfish-as2dept1.cfg")
    assert [found.name for found in device.lists] == [
        "RESTRICT_HOST_TRAFFIC_IN",
        "RESTRICT_HOST_TRAFFIC_OUT",
        "102",
        "105",
    ]
    assert {binding.interface for binding in device.bindings} == {"GigabitEthernet2/0", "GigabitEthernet3/0"}


def test_line_ends_and_indentation_do_not_matter():
    text = (CORPUS / "batfish-as2dept1.cfg").read_text(encoding="utf-8")
    plain = read(text, "t")
    for other in (text.replace("\n", "\r\n"), "\ufeff" + text, text.replace("\n ", "\n\t"), text.replace("\n", "  \n")):
        device = read(other, "t")
        assert [[e.matches for e in found.entries] for found in device.lists] == [
            [e.matches for e in found.entries] for found in plain.lists
        ]
        assert len(device.bindings) == len(plain.bindings)


def test_a_repeated_entry_is_ignored_and_a_removed_list_is_gone():
    device = read(
        "access-list 1 permit 10.0.0.1\naccess-list 1 permit 10.0.0.1\naccess-list 2 permit any\nno access-list 2\n",
        "t",
    )
    assert [(found.name, len(found.entries)) for found in device.lists] == [("1", 1)]


def test_entries_are_removed_by_number_and_by_text():
    device = read(
        "ip access-list extended A\n permit tcp any any\n permit udp any any\n permit ip any any\n"
        " no 20\n no permit ip any any\n deny gre any any\n",
        "t",
    )
    assert [(e.sequence, e.action) for e in device.find("A").entries] == [(10, Action.PERMIT), (20, Action.DENY)]


def test_a_binding_replaces_the_one_before_and_can_be_taken_back():
    text = "interface Ethernet0\n ip access-group 101 in\n ip access-group 102 in\n ip access-group 103 out\n"
    device = read(text + " no ip access-group 103 out\n", "t")
    assert [(b.direction, b.access_list) for b in device.bindings] == [(Direction.IN, "102")]


def test_a_group_may_follow_its_use_and_an_undefined_time_range_is_kept():
    device = read(
        "ip access-list extended A\n permit ip object-group G any time-range NONE\nobject-group network G\n any\n", "t"
    )
    (entry,) = device.find("A").entries
    assert entry.matches[0].source is None
    assert (entry.source_group, entry.time_range, device.time_ranges) == ("G", "NONE", ())


def test_an_empty_time_range_is_refused_only_where_it_is_used():
    assert read("time-range T\n!\naccess-list 101 permit ip any any\n", "t").time_ranges[0].name == "T"
    with pytest.raises(InputErrors) as caught:
        read("time-range T\n!\naccess-list 101 permit ip any any time-range T\n", "t")
    assert caught.value.errors[0].span.column == 35


def test_lists_of_other_protocols_are_skipped():
    device = read("access-list 201 permit 0x0000 0xFFFF\naccess-list 700 deny 0000.0c00.0000 0.0.0\n", "t")
    assert (device.lists, device.skipped_lines) == ((), 2)


def test_a_numbered_list_in_both_forms_is_one_list():
    device = read("access-list 101 permit tcp any any\nip access-list extended 101\n 5 deny udp any any\n", "t")
    assert [entry.sequence for entry in device.find("101").entries] == [5, 10]


def test_lists_bound_elsewhere_are_uses():
    device = read(
        "template T\n ip access-group 101 in\n!\ninterface Ethernet0\n!\nline vty 0 4\n access-class 9 in\n", "t"
    )
    assert device.bindings == ()
    assert {use.access_list for use in device.uses} == {"101", "9"}


def test_abbreviated_interface_types_are_completed():
    device = read("int gi0/1\n ip access-group 101 in\ninterface GigabitEthernet 0/2\n", "t")
    assert [binding.interface for binding in device.bindings] == ["GigabitEthernet0/1"]
    assert device.interfaces == ("GigabitEthernet0/1", "GigabitEthernet0/2")


def test_groups_of_ipv6():
    text = (
        "object-group v6-network SIX\n host 2001:db8::1\n 2001:db8:1::/48\n!\n"
        "object-group v6-service WEB\n tcp eq www\n icmp echo-request\n!\n"
        "ipv6 access-list L\n permit object-group WEB object-group SIX any\n"
    )
    (entry,) = read(text, "t").lists[0].entries
    assert [match.protocol for match in entry.matches] == [IntegerSet.values(6), IntegerSet.values(58)]
    assert entry.matches[1].icmp_type == IntegerSet.values(128)
    assert entry.matches[0].source.width == 128


def test_bounding_keeps_the_known_part():
    text = "ip access-list extended A\n permit tcp any host 10.0.0.1 eq www reflect BACK log\n evaluate BACK\n"
    first, second = read(text, "t", unmodelled="bound").lists[0].entries
    assert first.matches[0].destination_port == IntegerSet.values(80)
    assert (first.log, [clause.text for clause in first.unmodelled]) == ("log", ["reflect BACK"])
    assert (second.action, second.matches[0].protocol) == (Action.PERMIT, None)
    assert [clause.text for clause in second.unmodelled] == ["evaluate BACK"]


def test_groups_in_groups_are_flattened_once_and_never_exhaust_the_stack():
    """A diamond of forty levels has 2**40 paths."""
    diamond = "".join(
        f"object-group network G{level}\n group-object G{level + 1}\n group-object H{level + 1}\n"
        f"object-group network H{level}\n group-object H{level + 1}\n group-object G{level + 1}\n"
        for level in range(40)
    )
    device = read(diamond + "object-group network G40\n host 10.0.0.1\nobject-group network H40\n host 10.0.0.3\n", "t")
    assert device.network_groups[0].addresses == AddressSet.of(32, [(0x0A000001, 0x0A000001), (0x0A000003, 0x0A000003)])
    deep = "".join(f"object-group network G{level}\n group-object G{level + 1}\n" for level in range(3000))
    with pytest.raises(InputErrors, match="nested more than"):
        read(deep + "object-group network G3000\n any\n", "t")


def test_a_removed_entry_may_come_back():
    text = "ip access-list extended A\n permit tcp any any\n permit ip any any\n no 10\n no 20\n permit tcp any any\n"
    assert [entry.sequence for entry in read(text, "t").lists[0].entries] == [10]
