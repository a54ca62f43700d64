"""``reflect`` and ``evaluate`` read for the simulator; the other ways to read them stay as they were."""

from dataclasses import replace

import pytest

from compiler.dialects import read as read_any
from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors, SyntaxFault, Unmodelled
from compiler.policy.access_list import Action
from compiler.policy.match import ANY
from compiler.policy.stateful import Evaluate, Reflect
from compiler.semantics.lower import machine

SECOND = 1_000_000_000

TEXT = """\
ip access-list extended OUTBOUND
 permit tcp any any reflect TCP
 permit udp any any eq domain reflect UDP timeout 10
 permit icmp any any
ip access-list extended INBOUND
 evaluate TCP
 permit tcp any host 10.0.0.9 eq www
 evaluate UDP
ipv6 access-list SIX
 permit tcp any any reflect TCP6
 evaluate TCP6
"""


def meanings(text):
    device = read(text, "r1.cfg", unmodelled="simulate")
    return {
        found.name: [[clause.meaning for clause in entry.unmodelled] for entry in found.entries]
        for found in device.lists
    }


def test_meanings():
    assert meanings(TEXT) == {
        "OUTBOUND": [[Reflect("TCP", 300 * SECOND)], [Reflect("UDP", 10 * SECOND)], []],
        "INBOUND": [[Evaluate("TCP")], [], [Evaluate("UDP")]],
        "SIX": [[Reflect("TCP6", 180 * SECOND)], [Evaluate("TCP6")]],
    }


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ("ip reflexive-list timeout 60\n", 60),
        ("ip reflexive-list timeout 60\nno ip reflexive-list timeout\n", 300),
        ("ip reflexive-list timeout 60\ndefault ip reflexive-list timeout\n", 300),
    ],
)
def test_the_timeout_of_the_router(lines, seconds):
    for text in (lines + TEXT, TEXT + lines):
        found = meanings(text)
        assert found["OUTBOUND"][0] == [Reflect("TCP", seconds * SECOND)]
        assert found["OUTBOUND"][1] == [Reflect("UDP", 10 * SECOND)]
        assert found["SIX"][0] == [Reflect("TCP6", 180 * SECOND)]


def test_only_the_meaning_is_new():
    """The entries, their clauses and their places are those of "bound"."""
    simulated, bounded = (read(TEXT, "r1.cfg", unmodelled=mode) for mode in ("simulate", "bound"))

    def plain(access_list):
        entries = [
            replace(entry, unmodelled=tuple(replace(clause, meaning=None) for clause in entry.unmodelled))
            for entry in access_list.entries
        ]
        return replace(access_list, lines=tuple(entries))

    assert tuple(map(plain, simulated.lists)) == bounded.lists
    assert not any(clause.meaning for one in bounded.lists for entry in one.entries for clause in entry.unmodelled)
    evaluate = simulated.lists[1].entries[0]
    assert (evaluate.action, evaluate.matches) == (Action.PERMIT, (ANY,))


def test_no_exact_proof_of_a_tree_for_the_simulator():
    device = read_any(TEXT, "r1.cfg", unmodelled="simulate")
    with pytest.raises(InputErrors) as caught:
        machine(device)
    assert [str(error.span) for error in caught.value.errors] == [
        "r1.cfg:2:21",
        "r1.cfg:3:31",
        "r1.cfg:6:2",
        "r1.cfg:8:2",
        "r1.cfg:10:21",
        "r1.cfg:11:2",
    ]


ENTRIES = [
    ("permit tcp any any reflect", 28, "the name of a reflexive list", SyntaxFault),
    ("permit tcp any any reflect X timeout", 38, "seconds from 1", SyntaxFault),
    ("permit tcp any any reflect X timeout soon", 39, "seconds from 1", SyntaxFault),
    ("deny tcp any any reflect X", 19, "an entry that permits", SyntaxFault),
    ("evaluate", 10, "the name of a reflexive list", SyntaxFault),
    ("evaluate X Y", 13, "too much", SyntaxFault),
    ("dynamic LOCK permit ip any any", 2, "lock-and-key", Unmodelled),
    ("permit ip any any option any-options", 20, "IP options", Unmodelled),
    ("permit igmp any any host-query", 22, "IGMP", Unmodelled),
]


@pytest.mark.parametrize(("text", "column", "part", "kind"), ENTRIES)
def test_whatever_else_is_an_error(text, column, part, kind):
    with pytest.raises(InputErrors) as caught:
        read(f"ip access-list extended L\n {text}\n", "r1.cfg", unmodelled="simulate")
    (error,) = caught.value.errors
    assert (error.span.line, error.span.column) == (2, column)
    assert part in error.message
    assert type(error) is kind


@pytest.mark.parametrize(("line", "column"), [("ip reflexive-list timeout", 26), ("ip reflexive-list timout 9", 19)])
def test_a_wrong_timeout_of_the_router(line, column):
    with pytest.raises(InputErrors) as caught:
        read(f"{line}\n", "r1.cfg", unmodelled="simulate")
    (error,) = caught.value.errors
    assert error.span.column == column
    assert not read(f"{line}\n", "r1.cfg").lists  # elsewhere the line is skipped, as ever


def test_entries_are_taken_back():
    found = meanings(f"{TEXT}ip access-list extended OUTBOUND\n no permit tcp any any reflect TCP\n no 30\n")
    assert found["OUTBOUND"] == [[Reflect("UDP", 10 * SECOND)]]
