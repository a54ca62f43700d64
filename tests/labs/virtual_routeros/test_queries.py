"""Query words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.virtual_routeros.queries import parse_query
from labs.virtual_routeros.traps import Trap

_ROW = {"name": "ether1", "disabled": "false", "distance": "9", "comment": "", "interval": "1m"}


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ([], True),
        (["?name"], True),
        (["?comment"], False),
        (["?-comment"], True),
        (["?-name"], False),
        (["?name=ether1"], True),
        (["?=name=ether1"], True),
        (["?name=ether2"], False),
        (["?mtu="], False),
        (["?disabled=no"], True),
        (["?disabled=true"], False),
        (["?<distance=10"], True),
        (["?>distance=10"], False),
        (["?>interval=30s"], True),
        (["?<interval=2m"], True),
        (["?<name=ether2"], True),
        (["?>mtu=1"], False),
        (["?name=ether1", "?distance=1"], False),
        (["?name=ether1", "?distance=1", "?#|"], True),
        (["?name=ether1", "?distance=1", "?#&"], False),
        (["?distance=1", "?#!"], True),
        (["?distance=1", "?name=ether1", "?#!|"], False),
        (["?name=ether1", "?distance=1", "?#!&"], True),
        (["?distance=1", "?#.!|"], True),
        (["?name=ether1", "?distance=1", "?#0|", "?#&"], True),
    ],
)
def test_queries(words: list[str], holds: bool) -> None:
    assert parse_query(words)(_ROW) is holds


@pytest.mark.parametrize(
    "words", [["?#&"], ["?name", "?#|"], ["?"], ["?<name"], ["?name", "?#x"], ["?name", "?#3"], ["?#"]]
)
def test_wrong_queries_are_refused(words: list[str]) -> None:
    with pytest.raises(Trap, match="invalid query word"):
        parse_query(words)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()), min_size=2, max_size=6), st.booleans())
def test_folds_are_any_and_all(terms: list[tuple[str, bool]], is_all: bool) -> None:
    row = {name: "1" for name, is_there in terms if is_there}
    words = [f"?{name}" for name, _ in terms] + ["?#" + "&|"[not is_all] * (len(terms) - 1)]
    expected = (all if is_all else any)(name in row for name, _ in terms)
    assert parse_query(words)(row) is expected
