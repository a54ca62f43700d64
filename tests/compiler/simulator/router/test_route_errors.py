"""How often a sender hears that there is no way: five times at once, then once a second."""

from hypothesis import given
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.simulator.engine import MILLISECOND, SECOND
from compiler.simulator.router.route_errors import RouteErrors

V4, V6 = Family.IPV4, Family.IPV6


def told(moments, family=V4, sender=1):
    errors = RouteErrors()
    return [errors.allows(family, sender, moment) for moment in moments]


def test_five_at_once_then_one_a_second():
    assert told([0] * 7) == [True] * 5 + [False] * 2
    assert told([0] * 5 + [999 * MILLISECOND, SECOND, SECOND, 2 * SECOND]) == [True] * 5 + [False, True, False, True]


def test_senders_have_their_own_five():
    errors = RouteErrors()
    assert [errors.allows(V4, sender, 0) for _ in range(6) for sender in (1, 2)] == [True] * 10 + [False] * 2


def test_ipv6_has_no_such_limit():
    assert all(told([0] * 50, V6))


@given(st.lists(st.integers(0, 30 * SECOND), max_size=80))
def test_never_more_than_the_burst_and_one_a_second(moments):
    moments.sort()
    heard = [moment for moment, is_told in zip(moments, told(moments), strict=True) if is_told]
    for number, first in enumerate(heard):
        for count, last in enumerate(heard[number:], 1):
            assert count <= 5 + (last - first) / SECOND
