"""Conditions of find."""

import pytest

from compiler.dialects.routeros.find import NotFind, parse_find

DROP = {"chain": "input", "action": "drop", "comment": "gerbang: x", "disabled": "yes"}
BARE = {"chain": "forward"}


@pytest.mark.parametrize(
    ("condition", "drop", "bare"),
    [
        ("[find]", True, True),
        ("[ find where chain=input ]", True, False),
        ("[find chain=input action=drop]", True, False),
        ("[find chain=input and action=accept]", False, False),
        ("[find action=accept]", False, True),
        ("[find where chain=forward or action=drop]", True, True),
        ("[find where chain=forward && action=drop || chain=input]", True, False),
        ('[find where comment~"^gerbang:"]', True, False),
        ('[find where !(comment~"x")]', False, True),
        ('[find where comment=""]', False, True),
        ("[find where chain!=input]", False, True),
        ("[find where disabled]", True, False),
        ("[find where !disabled]", False, True),
        ("[find where disabled=no]", False, True),
        ("[find where dynamic]", False, False),
        ("[find where dynamic=no]", True, True),
        ('[find comment~"\\\\.|:"]', True, False),
        ('[find comment~"x\\$"]', True, False),
    ],
)
def test_conditions(condition, drop, bare):
    test = parse_find(condition).test
    assert (test(DROP), test(BARE)) == (drop, bare)


def test_find_in_another_menu_names_it():
    assert parse_find("[/ip firewall nat find]").path == ("ip", "firewall", "nat")


@pytest.mark.parametrize(
    "condition",
    [
        "[:len $x]",
        "[find where bytes>0]",
        "[find where packets]",
        "[find where chain=$x]",
        "[find where (chain=a]",
        "[find where chain=a )]",
        '[find where comment~"(a+)+b"]',
        '[find where comment~"a{1,9}"]',
        '[find where comment~"["]',
        '[find where comment="\\q"]',
        "[find where " + "(" * 50 + "chain=a" + ")" * 50 + "]",
        "[]",
    ],
)
def test_what_cannot_be_evaluated_is_said(condition):
    with pytest.raises(NotFind):
        parse_find(condition)
