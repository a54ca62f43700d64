"""What ``no`` and ``default`` take back, in the order of the lines; what they cannot is an error."""

import pytest

from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors, Unmodelled
from compiler.policy.access_list import Remark

LISTS = "access-list 101 permit ip any any\naccess-list 102 deny ip any any\n"
BOUND = (
    "interface Tunnel0\n ip access-group 101 in\n ipv6 traffic-filter SIX out\n"
    "interface GigabitEthernet0/0\n ip access-group 101 in\n ip access-group 102 out\n"
    "interface GigabitEthernet0/1.10\n ip access-group 102 in\n"
)
ALL = {("Tunnel0", "in"), ("Tunnel0", "out"), ("GigabitEthernet0/0", "in"), ("GigabitEthernet0/0", "out")} | {
    ("GigabitEthernet0/1.10", "in")
}


def bindings(text):
    return {(one.interface, one.direction.value) for one in read(LISTS + text, "t").bindings}


def error(text):
    with pytest.raises(InputErrors) as caught:
        read(text, "t")
    (found,) = caught.value.errors
    return found


def test_nothing_is_taken_back():
    assert bindings(BOUND) == ALL


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ("no interface Tunnel0", {"Tunnel0"}),
        ("no int tu0", {"Tunnel0"}),
        ("no interface Tunnel 0", {"Tunnel0"}),
        ("default interface Tunnel0", {"Tunnel0"}),
        ("default interface Gi0/0", {"GigabitEthernet0/0"}),
        ("DEFAULT Interface GigabitEthernet 0/0", {"GigabitEthernet0/0"}),
        ("no interface Gi0/1.10 point-to-point", {"GigabitEthernet0/1.10"}),
        ("no interface Tunnel1", set()),
        ("no ip http server\ndefault ip ttl", set()),
    ],
)
def test_interfaces(lines, gone):
    assert bindings(BOUND + lines + "\n") == {one for one in ALL if one[0] not in gone}


def test_a_removed_interface_is_gone_and_a_reset_one_is_there():
    device = read(LISTS + BOUND + "no interface Tunnel0\ndefault interface Gi0/0\n", "t")
    assert device.interfaces == ("GigabitEthernet0/0", "GigabitEthernet0/1.10")


def test_an_interface_may_come_back_with_another_list():
    text = "no interface Tunnel0\ninterface Tunnel0\n ip access-group 102 in\n"
    found = [one.access_list for one in read(LISTS + BOUND + text, "t").bindings if one.interface == "Tunnel0"]
    assert found == ["102"]


def test_a_removed_interface_takes_its_subinterfaces_along():
    text = "interface Port-channel1.5\n ip access-group 101 in\nno interface Port-channel1\n"
    assert bindings(text) == set()


def test_removing_an_interface_ends_its_mode():
    device = read(LISTS + "interface Tunnel0\nno interface Tunnel0\n ip access-group 101 in\n", "t")
    assert device.bindings == ()
    assert [use.access_list for use in device.uses] == ["101"]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("no interface GigabitEthernet0/0", "does not remove a physical interface"),
        ("default interface GigabitEthernet0/1", "whether its subinterfaces keep their lists"),
        ("default interface range Gi0/0 - 1", "the interfaces of a range are not known"),
        ("no interface range Tunnel0 - 1", "the interfaces of a range are not known"),
    ],
)
def test_what_is_in_doubt_is_refused(line, part):
    found = error(LISTS + BOUND + line + "\n")
    assert isinstance(found, Unmodelled)
    assert part in found.message
    assert (found.span.line, found.span.column) == (11, 1)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("no ip access-group 101 in", {"out"}),
        ("default ip access-group 102 out", {"in"}),
        ("no IP Access-Group 0101 IN", {"out"}),
        ("no ipv6 traffic-filter SIX in", {"in", "out"}),
    ],
)
def test_a_binding(line, left):
    text = "interface Vlan1\n ip access-group 101 in\n ip access-group 102 out\n "
    assert bindings(text + line + "\n") == {("Vlan1", direction) for direction in left}


@pytest.mark.parametrize(
    ("line", "column", "part"),
    [
        ("no ip access-group 102 in", 21, "the list 101 is bound here (line 2), not 102"),
        ("no ip access-group in", 23, "expected in or out"),
        ("no ip access-group 101", 24, "expected in or out"),
        ("no ip access-group", 20, "the name of a list"),
        ("no ip access-group 101 in now", 28, "too much"),
        ("no ip acces-group 101 in", 8, "did you mean 'access-group'?"),
        ("no ip access-g 101 in", 8, "did you mean 'access-group'?"),
    ],
)
def test_a_binding_that_cannot_be_taken_back(line, column, part):
    found = error(f"interface Vlan1\n ip access-group 101 in\n {line}\n")
    assert part in found.message
    assert (found.span.line, found.span.column) == (3, column)


def test_a_binding_of_a_range_is_refused():
    assert isinstance(error("interface range Gi0/1 - 2\n no ip access-group 101 in\n"), Unmodelled)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("no ip access-list extended A", ["B", "101"]),
        ("NO IP Access-List Extended A", ["B", "101"]),
        ("no ip access-list standard B", ["A", "101"]),
        ("no ip access-list extended 0101", ["A", "B"]),
        ("no access-list 101 permit tcp any any", ["A", "B"]),
        ("No Access-List 0101", ["A", "B"]),
        ("no ip access-list extended OTHER", ["A", "B", "101"]),
        ("no ip access-list log-update threshold 5", ["A", "B", "101"]),
    ],
)
def test_lists(line, left):
    text = (
        "ip access-list extended A\n permit tcp any any\nip access-list standard B\n permit any\n"
        f"access-list 101 permit ip any any\n{line}\n"
    )
    assert [one.name for one in read(text, "t").lists] == left


def test_a_list_may_be_written_anew():
    text = "ip access-list extended A\n permit tcp any any\n"
    device = read(text + "no ip access-list extended A\nip access-list extended A\n deny ip any any\n", "t")
    assert [(entry.sequence, entry.action.value) for entry in device.lists[0].entries] == [(10, "deny")]


@pytest.mark.parametrize(
    ("line", "column", "part"),
    [
        ("no ip access-list standard A", 28, "the list A is extended on line 1"),
        ("no ip access-list extended A B", 30, "too much"),
        ("no ip access-list extended", 27, "the name of the list"),
        ("no ip access-list A", 19, "standard or extended"),
        ("no ip acess-list extended A", 7, "did you mean 'access-list'?"),
        ("no acess-list 101", 4, "did you mean 'access-list'?"),
        ("no acc 101", 4, "did you mean 'access-list'?"),
        ("no access-list A", 16, "the number of a list"),
        ("no ipv6 access-list", 20, "the name of the list"),
        ("no object-group network G H", 27, "too much"),
        ("no object-group G", 17, "network or service"),
        ("no time-range", 14, "the name of the time-range"),
        ("no interface Tunnel0 now", 22, "expected the end of the line"),
        ("default ip access-list extended A", 1, "say 'no'"),
        ("default access-list 101", 1, "say 'no'"),
    ],
)
def test_global_lines_that_cannot_be_read(line, column, part):
    found = error(f"ip access-list extended A\n permit ip any any\n{line}\n")
    assert part in found.message
    assert (found.span.line, found.span.column) == (3, column)


def test_a_group_is_removed_by_its_own_type_only():
    group = "object-group network G\n host 10.0.0.1\n"
    assert read(group + "no object-group network G\n", "t").network_groups == ()
    assert "of another type" in error(group + "no object-group service G\n").message


MEMBERS = "ip access-list extended A\n permit tcp any any\n 20 deny udp any any log\n permit ip any any\n"


@pytest.mark.parametrize("indent", ["", " "])
@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("no 20", [10, 30]),
        ("no permit tcp any any", [20, 30]),
        ("no PERMIT tcp any any", [20, 30]),
        ("no deny udp any any log", [10, 30]),
        ("no 30 permit ip any any", [10, 20]),
    ],
)
def test_entries(line, left, indent):
    text = MEMBERS.replace("\n ", f"\n{indent}") + indent + line + "\n"
    assert [entry.sequence for entry in read(text, "t").lists[0].entries] == left


@pytest.mark.parametrize("indent", ["", " "])
@pytest.mark.parametrize(
    ("line", "column", "part"),
    [
        ("no 40", 4, "has no line 40"),
        ("no 0", 4, "is not a sequence number"),
        ("no 99999999999", 4, "is not a sequence number"),
        ("no ١٠", 4, "is not a sequence number"),
        ("no permit tcp any host 10.0.0.1", 4, "has no such entry"),
        ("no 10 permit udp any any", 4, "has no such entry"),
        ("no 10 permit tcp any nay", 22, "did you mean 'any'?"),
        ("no 10 now", 7, "permit, deny or remark"),
        ("no permti tcp any any", 4, "did you mean 'permit'?"),
        ("no remark never said", 4, "has no such remark"),
        ("default permit tcp any any", 1, "say 'no'"),
        ("99999999999 permit tcp any any", 1, "is not a sequence number"),
        ("١٠ permit tcp any any", 1, "is not a sequence number"),
    ],
)
def test_entries_that_cannot_be_removed(line, column, part, indent):
    found = error(MEMBERS.replace("\n ", f"\n{indent}") + indent + line + "\n")
    assert part in found.message
    assert (found.span.line, found.span.column) == (5, column + len(indent))


def test_an_unknown_word_behind_no():
    found = error(MEMBERS + " no shutdown\n")
    assert (found.span.line, found.span.column) == (5, 5)


def test_a_global_no_ends_the_list():
    assert len(read(MEMBERS + "no ip http server\nno ip domain lookup\n", "t").lists[0].entries) == 3


def test_entries_of_ipv6():
    text = "ipv6 access-list A\n permit tcp any any sequence 5\n permit udp any any sequence 6\n permit ipv6 any any\n"
    kept = read(text + " no sequence 5\n no permit udp any any sequence 6\n", "t").lists[0].entries
    assert [entry.sequence for entry in kept] == [16]
    assert "no such entry" in error(text + " no permit udp any any sequence 5\n").message


def test_an_entry_outside_the_model_is_removed_by_its_text():
    text = "ip access-list extended A\n 10 permit tcp any any reflect M\n permit ip any any\n"
    device = read(text + " no permit tcp any any reflect M\n", "t", unmodelled="bound")
    assert [entry.sequence for entry in device.lists[0].entries] == [20]


def test_of_two_equal_entries_the_other_stays_known():
    text = "ip access-list extended A\n 10 permit ip any any\n 20 permit ip any any\n no 10\n"
    assert [entry.sequence for entry in read(text + " permit ip any any\n", "t").lists[0].entries] == [20]
    assert read(text + " no permit ip any any\n", "t").lists[0].entries == ()


def test_remarks():
    text = "ip access-list extended A\n remark one\n permit tcp any any\n 20 remark two\n 20 permit ip any any\n"
    text += " remark six\n"

    def remarks(line):
        return [one.text for one in read(text + line, "t").lists[0].lines if isinstance(one, Remark)]

    assert remarks("") == ["one", "two", "six"]
    assert remarks(" no remark one\n") == ["two", "six"]
    assert remarks(" no 20 remark two\n") == ["one", "six"]
    assert remarks(" no remark six\n") == ["one", "two"]


@pytest.mark.parametrize("indent", ["", " "])
def test_members_of_groups(indent):
    group = f"object-group network G\n{indent}host 10.0.0.1\n{indent}host 10.0.0.2\n{indent}"
    assert len(read(group + "no host 10.0.0.2\n", "t").network_groups[0].members) == 1
    assert "no such member" in error(group + "no host 10.0.0.3\n").message
    service = f"object-group service S\n{indent}tcp eq 80\n{indent}udp\n{indent}no tcp eq 80\n"
    assert len(read(service, "t").service_groups[0].matches) == 1


@pytest.mark.parametrize("indent", ["", " "])
def test_periods_are_not_taken_back_one_by_one(indent):
    text = f"time-range T\n{indent}periodic daily 8:00 to 9:00\n{indent}no periodic daily 8:00 to 9:00\n"
    assert "is not modelled" in error(text).message


@pytest.mark.parametrize(
    "line",
    [
        "interface Serial0/0.1 point-to-point",
        "interface Serial 0/0.1 multipoint",
        "interface ATM0/0.1 mpls",
        "interface Virtual-Template1 type tunnel",
        "interface Tunnel1",
        "interface Vlan 10",
        "interface TenGigabitEthernet 1/0/1",
        "interface Service-Engine 1/0",
    ],
)
def test_interface_headers(line):
    assert len(read(f"{line}\n ip access-group 101 in\n", "t").bindings) == 1


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("interface GigabitEthernet0/1 foo", 30),
        ("interface GigabitEthernet 0/1 foo", 31),
        ("interface Serial0/0.1 point-to-point now", 38),
        ("interface Virtual-Template1 type what", 29),
        ("interface GigabitEthernet 0/1 0/2", 31),
    ],
)
def test_a_word_too_many_behind_an_interface(line, column):
    found = error(f"{line}\n")
    assert "expected the end of the line" in found.message
    assert (found.span.line, found.span.column) == (1, column)


@pytest.mark.parametrize("line", ["sequence 10 permit tcp any any", "99999999999 permit tcp any any", "١ permit any"])
def test_a_numbered_entry_outside_of_any_list(line):
    assert "an entry outside of any list" in error(f"hostname x\n{line}\n").message
