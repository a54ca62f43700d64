"""The lints against what was written down by hand of scripts after public ones."""

from fractions import Fraction

import pytest

from compiler.balancing.lints.check import check_script
from compiler.fields import Family
from compiler.policy.network import Prefix
from tests.compiler.dialects.routeros import public_scripts as public

DEALT = [
    name
    for name in public.NAMES
    if "marks" in public.EXPECTED[name] and "marks" not in public.EXPECTED[name].get("disputed", {})
]
_LINES = 3
"""The lines that a rule of these scripts takes at most."""


def checked(name):
    inside = public.EXPECTED[name].get("inside")
    return check_script(public.script(name), name, inside=(inside,) if inside else ())


def places(name):
    found = {}
    for one in checked(name).lints:
        found.setdefault(one.name, []).append(one.span.line)
    return found


def undisputed(name, kind):
    said = public.EXPECTED[name]
    disputed = said.get("disputed", {})
    return {lint: said[kind][lint] if kind == "must" else None for lint in said.get(kind, ()) if lint not in disputed}


@pytest.mark.parametrize("name", public.NAMES)
def test_what_a_consultant_must_say_is_said(name):
    found = places(name)
    missing = []
    for lint, lines in undisputed(name, "must").items():
        at = found.get(lint, [])
        near = all(any(line <= place < line + _LINES for place in at) for line in lines)
        if not at or not near:
            missing.append((lint, lines, at))
    assert missing == []


@pytest.mark.parametrize("name", public.NAMES)
def test_what_would_be_wrong_is_not_said(name):
    found = places(name)
    assert {lint: found[lint] for lint in undisputed(name, "never") if lint in found} == {}


@pytest.mark.parametrize("name", public.NAMES)
def test_lints_stand_in_the_text(name):
    lines = public.script(name).split("\n")
    for one in checked(name).lints:
        assert one.span.source == name
        assert 1 <= one.span.line <= len(lines)
        assert 1 <= one.span.column <= len(lines[one.span.line - 1])


@pytest.mark.parametrize("name", DEALT)
def test_shares_are_those_of_the_hand(name):
    behaviour = checked(name).subject.behaviour
    wanted = {mark: Fraction(share) for mark, share in public.EXPECTED[name]["marks"].items()}
    assert behaviour.known
    found = []
    world = behaviour.outside() & ~behaviour.to([Prefix(Family.IPV4, 10 << 24, 8)])
    for deal in behaviour.dealt(world):
        shares = {}
        for (_, routing), share in deal.shares.items():
            shares[routing] = shares.get(routing, 0) + share
        found.append(shares)
    assert all(sum(shares.values()) == 1 for shares in found)
    assert wanted in found
