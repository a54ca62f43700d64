"""Each input of the corpus is read, or refused naming the very clauses."""

from pathlib import Path

import pytest

from compiler.dialects.routeros.reader import read
from compiler.errors import InputErrors, Unmodelled

CORPUS = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "corpus" / "routeros"

READ = {
    "office-v6.rsc": {"input": 3, "forward": 2, "servers": 3},
    "edge-raw-v7.rsc": {"prerouting": 10, "bad_tcp": 5, "icmp4": 5},
    "ipv6-v7.rsc": {"input": 3, "forward": 4, "prerouting": 2},
    "verbose-v6.rsc": {"input": 2},
    "hand-written.rsc": {"input": 2, "forward": 1},
}
REFUSED = {
    "stateful-v7.rsc": [
        (7, "connection-state=established,related,untracked"),
        (9, "connection-state=invalid"),
        (11, "action=fasttrack-connection"),
        (11, "connection-state=established,related"),
        (12, "ipsec-policy=in,ipsec"),
        (13, "connection-nat-state=!dstnat"),
        (13, "connection-state=new"),
    ],
    "knocking-v6.rsc": [
        (6, "rules fill the address list safe"),
        (7, "psd=21,3s,3,1"),
        (8, "action=tarpit"),
        (8, "connection-limit=3,32"),
    ],
    "scripted.rsc": [(1, ":local"), (2, ":foreach"), (6, "$wan"), (7, ":if")],
}


MISPRINTED = "published-nth.rsc"
"""A script as a paper prints it: no router reads it, ``gerbang balance check`` does."""


def test_every_file_is_listed():
    assert {path.name for path in CORPUS.glob("*.rsc")} == READ.keys() | REFUSED.keys() | {MISPRINTED}


def test_the_misprints_are_refused():
    with pytest.raises(InputErrors) as caught:
        read((CORPUS / MISPRINTED).read_text("utf-8"), MISPRINTED)
    assert (caught.value.errors[0].span.line, caught.value.errors[0].message[:5]) == (5, "'Set'")


@pytest.mark.parametrize("name", READ)
def test_read(name):
    ruleset = read((CORPUS / name).read_text("utf-8"), name)
    assert {chain.name: len(chain.rules) for chain in ruleset.chains} == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    with pytest.raises(InputErrors) as caught:
        read((CORPUS / name).read_text("utf-8"), name)
    found = caught.value.errors
    assert [fault.span.line for fault in found] == [line for line, _ in REFUSED[name]]
    for fault, (_, words) in zip(found, REFUSED[name], strict=True):
        assert isinstance(fault, Unmodelled)
        assert words in fault.message


@pytest.mark.parametrize("name", ["stateful-v7.rsc", "knocking-v6.rsc"])
def test_bounded_where_that_is_asked(name):
    ruleset = read((CORPUS / name).read_text("utf-8"), name, unmodelled="bound")
    assert any(rule.unmodelled for chain in ruleset.chains for rule in chain.rules)
