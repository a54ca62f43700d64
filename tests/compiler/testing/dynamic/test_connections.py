"""Words about many connections: shares of lines, one way for one key, life after a fault."""

import pytest

from compiler.errors import UsageError
from compiler.testing.answer import PropertyFailed, Sureness
from compiler.testing.dynamic.shares import astray, chance_bound, uneven
from tests.compiler.testing.dynamic.networks import BY_SOURCE, IN_TURN, two_lines

LINES = ("r:w1", "r:w2")
ASKED = ("h*", "203.0.113.0/24", "tcp/443")


def failed(ask):
    with pytest.raises(PropertyFailed) as caught:
        ask()
    return caught.value.answer


def test_in_turn_is_exact():
    verify = two_lines(IN_TURN).verify()
    answer = verify.balanced(LINES, *ASKED, connections=61)
    assert answer.sureness is Sureness.TESTED
    assert "r:w1 31 (50.0%), r:w2 31 (50.0%)" in answer.decided
    assert "in turn, 2 to a round: exact" in answer.decided
    answer = failed(lambda: verify.balanced({"r:w1": 2, "r:w2": 1}, *ASKED, connections=60, within=0.1))
    assert "r:w2 is 50.0% off its due" in answer.said
    assert answer.witness.path[-1].node == "beyond r:w2"


def test_a_hash_is_granted_what_its_keys_explain():
    verify = two_lines(BY_SOURCE, 30).verify()
    answer = verify.balanced(LINES, *ASKED, connections=90, within=0.01)
    assert "by a hash of source, 30 distinct keys: chance explains 73.0%, more than 1.0%" in answer.decided
    everything = two_lines(BY_SOURCE.replace("jhash ip saddr mod 2 offset 1", "jhash ip saddr mod 1 offset 1"), 30)
    assert "r:w1 90 (100.0%)" in failed(lambda: everything.verify().balanced(LINES, *ASKED, connections=90)).said


def test_one_key_goes_one_way():
    assert two_lines(BY_SOURCE, 10).verify().sticky("source", *ASKED, lines=LINES).held
    answer = failed(lambda: two_lines(IN_TURN).verify().sticky("source", *ASKED))
    assert "as 192.0.2.2, and" in answer.said
    assert answer.said.endswith("as 198.51.100.2")
    assert not two_lines(BY_SOURCE, 10).verify().ask_sticky("destination", *ASKED).held


def test_connections_outlive_a_line_where_there_is_another_way():
    good = two_lines(BY_SOURCE, 10, falls_back=True).verify()
    assert good.recovers("r:w1", *ASKED, within="2 s").held
    bad = two_lines(BY_SOURCE, 10).verify()
    answer = failed(lambda: bad.recovers("r:w1", *ASKED, within="2 s"))
    assert "after the fault does not arrive" in answer.said
    assert "no route" in answer.said
    # Without a probe nobody notices a line that dies in silence.
    assert not good.ask_recovers("r:w1", *ASKED, within="2 s", silent=True).held


def test_what_cannot_be_asked_is_told():
    verify = two_lines(IN_TURN).verify()
    for ask, said in (
        (lambda: verify.balanced(("r:w1", "r:w9"), *ASKED), "no cable, node or port is called 'r:w9'"),
        (lambda: verify.balanced(("r:w1",), *ASKED), "two lines or more"),
        (lambda: verify.sticky("colour", *ASKED), "'colour' is no key"),
        (lambda: verify.recovers("r:w9", *ASKED, within="1 s"), "nothing called 'r:w9' can die"),
        (lambda: verify.recovers("r:w1", *ASKED, within="soon"), "within"),
    ):
        with pytest.raises(UsageError, match=said):
            ask()


def test_counts():
    worst, other = uneven({"a": 60, "b": 40}, {"a": 1, "b": 1})
    assert (worst.off, other.off) == (pytest.approx(0.2), pytest.approx(0.2))
    assert uneven({"a": 60, "b": 40}, {"a": 3, "b": 2})[0].off == pytest.approx(0)
    assert chance_bound(range(100), 0.5) == pytest.approx(4 * 0.05 / 0.5)
    assert chance_bound([1] * 100, 0.5) == pytest.approx(4.0)
    assert astray([(1, "a"), (2, "b"), (1, "c"), (2, "b")]) == {1: ("a", "c")}
