"""The judged figures: shares at every prefix; every connection with one mark, and on its line for life.

Set GERBANG_CONNECTIONS to the number of connections for each combination: the
long run takes 10,000, the figures that were published 100,000.
"""

from __future__ import annotations

import os

import pytest

from compiler.balancing.turns import bound
from compiler.policy.balance import CLASSIFIER_FIELDS
from tests.compiler.balancing.many_connections import MIXES, Figures, Judge

WORLDS = ("linux", "routeros7", "routeros6")
COUNT = int(os.environ.get("GERBANG_CONNECTIONS", "10000"))
FIELDS = tuple(CLASSIFIER_FIELDS)
HASHED = [(fields, MIXES[(number + turn) % len(MIXES)]) for number, fields in enumerate(FIELDS) for turn in (0, 5)]
"""Each set of fields with two mixes; all eight mixes occur."""


def check(figures: Figures, count: int) -> None:
    assert figures.connections == count
    assert figures.repeated > count / 20
    assert figures.followed >= count // 50
    assert (figures.unmarked, figures.remarked, figures.moved) == (0, 0, 0)


def turns(world: str, weights: tuple[int, ...], count: int) -> Figures:
    figures = Judge(world, weights, "nth").run(count)
    check(figures, count)
    assert figures.furthest <= float(bound(len(weights))) + 1e-9
    assert bound(len(weights)) < 1
    return figures


def hashes(world: str, weights: tuple[int, ...], fields: str, count: int) -> Figures:
    figures = Judge(world, weights, "pcc", fields).run(count)
    check(figures, count)
    assert figures.keys < figures.connections
    assert figures.deviations < 4.5
    return figures


@pytest.mark.parametrize("weights", MIXES, ids=str)
def test_turns(weights):
    turns("linux", weights, 250)


@pytest.mark.parametrize("world", WORLDS[1:])
def test_turns_of_routeros(world):
    turns(world, (5, 1, 1, 3), 250)


@pytest.mark.parametrize("fields", FIELDS)
def test_hashes(fields):
    hashes("routeros7", (3, 1, 2), fields, 250)


@pytest.mark.long
@pytest.mark.parametrize("weights", MIXES, ids=str)
@pytest.mark.parametrize("world", WORLDS)
def test_turns_of_many(world, weights):
    print(world, weights, turns(world, weights, COUNT))


@pytest.mark.long
@pytest.mark.parametrize(("fields", "weights"), HASHED, ids=str)
@pytest.mark.parametrize("world", WORLDS)
def test_hashes_of_many(world, fields, weights):
    print(world, weights, fields, hashes(world, weights, fields, COUNT))
