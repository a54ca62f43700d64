"""An option that is given twice is an error: one of the two would vanish."""

import pytest

from compiler.dialects.ios.reader import read
from compiler.errors import InputErrors

EXTENDED, SIX = "ip access-list extended L", "ipv6 access-list L"

TWICE = [
    (EXTENDED, "permit ip any any dscp ef dscp af11", 28, "dscp"),
    (EXTENDED, "permit ip any any ttl eq 1 ttl eq 2", 29, "ttl"),
    (EXTENDED, "permit ip any any precedence 1 precedence 2", 33, "precedence"),
    (EXTENDED, "permit ip any any tos 1 precedence 2 tos 3", 39, "tos"),
    (EXTENDED, "permit ip any any time-range A time-range B", 33, "time-range"),
    (EXTENDED, "permit ip any any log log-input", 24, "log"),
    (EXTENDED, "permit ip any any LOG log", 24, "log"),
    (EXTENDED, "permit ip any any fragments fragments", 30, "fragments"),
    (EXTENDED, "permit tcp any any established established", 33, "established"),
    (EXTENDED, "permit tcp any any syn ack syn", 29, "syn"),
    (SIX, "permit ipv6 any any sequence 5 sequence 6", 33, "sequence"),
    ("ip access-list standard L", "permit any log log", 17, "log"),
]


@pytest.mark.parametrize("mode", ["refuse", "bound"])
@pytest.mark.parametrize(("header", "line", "column", "name"), TWICE)
def test_twice(header, line, column, name, mode):
    with pytest.raises(InputErrors) as caught:
        read(f"{header}\n {line}\n", "t", unmodelled=mode)
    (error,) = caught.value.errors
    assert error.message == f"the option '{name}' is given twice"
    assert (error.span.line, error.span.column) == (2, column)


@pytest.mark.parametrize(
    "line",
    ["sequence 5 permit ipv6 any any sequence 6", "5 permit ipv6 any any sequence 6", "no 5 permit ipv6 any any"],
)
def test_a_sequence_number_before_and_behind(line):
    text = line if "sequence" in line else f"{line} sequence 5"
    with pytest.raises(InputErrors, match="the sequence number is given twice"):
        read(f"{SIX}\n permit ipv6 any any sequence 5\n {text}\n", "t")


@pytest.mark.parametrize(
    "line",
    [
        "permit tcp any any syn ack",
        "permit ip any any precedence 1 tos 2",
        "permit tcp any any eq www log WEB-HITS",
        "permit ip any any fragments log",
    ],
)
def test_different_options_stand_together(line):
    assert len(read(f"{EXTENDED}\n {line}\n", "t").lists[0].entries) == 1
