"""Public rulesets: each is read, or refused with messages that name the very clauses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compiler.dialects.nftables.reader import read
from compiler.errors import InputErrors, Unmodelled
from tests.compiler.dialects.nftables.rulesets import nft, without_places

CORPUS = Path(__file__).parents[3] / "corpus" / "nftables"

READ = {
    "debian/arp-filter.nft": 0,
    "debian/bridge-filter.nft": 0,
    "debian/inet-filter.nft": 3,
    "debian/ipv4-filter.nft": 3,
    "debian/ipv6-filter.nft": 3,
    "debian/ipv4-raw.nft": 2,
    "debian/nat.nft": 0,
    "debian/sets_and_maps.nft": 3,
    "ours/router.nft": 6,
}
"""File to number of filter chains."""

REFUSED = {
    "debian/ct_helpers.nft": [
        "ct state established,related",
        'ct helper set "ftp-standard"',
        "ct helper set udp dport",
    ],
    "debian/load_balancing.nft": ["notrack", "the table netdev mytable"],
    "debian/overview.nft": ["ct state new,established", "ct state invalid", "ct state established,related"],
    "debian/secmark.nft": ["ct state new"] * 3,
    "debian/workstation.nft": ["ct state established,related"],
    "ours/stateful.nft": [
        "fib saddr . iif oif missing",
        "ct state vmap { established : accept, related : accept, invalid : drop }",
        "ct state new",
        "limit rate over 5/second",
        "meta mark and 0xff == 0x01",
        'meta hour "08:00" - "17:00"',
        "add @flood { ip saddr limit rate over 10/second burst 5 packets }",
        "tcp option maxseg size set rt mtu",
        "ct mark 0x10",
        "iifgroup 2",
    ],
}
"""File to the beginnings of what is not modelled in it, in order."""


def test_the_lists_above_name_every_file():
    files = {str(path.relative_to(CORPUS)) for path in CORPUS.glob("**/*.nft")}
    assert files == set(READ) | set(REFUSED)


@pytest.mark.parametrize(("name", "chains"), READ.items())
def test_files_that_are_read(name, chains):
    assert len(read((CORPUS / name).read_text(), name).chains) == chains


@pytest.mark.parametrize(("name", "clauses"), REFUSED.items())
def test_files_that_are_refused_by_clause(name, clauses):
    with pytest.raises(InputErrors) as caught:
        read((CORPUS / name).read_text(), name)
    errors = caught.value.errors
    assert all(isinstance(error, Unmodelled) for error in errors)
    assert [
        error.message.removeprefix("'")[: len(clause)] for error, clause in zip(errors, clauses, strict=False)
    ] == clauses


@pytest.mark.parametrize("name", ["debian/workstation.nft", "debian/overview.nft", "ours/stateful.nft"])
def test_files_that_are_read_within_bounds(name):
    ruleset = read((CORPUS / name).read_text(), name, unmodelled="bound")
    assert any(rule.unmodelled for chain in ruleset.chains for rule in chain.rules)
    assert all(chain.sees_reassembled for chain in ruleset.chains if chain.hook and chain.hook.value == "input")


def test_translations_are_listed():
    ruleset = read((CORPUS / "ours/stateful.nft").read_text(), "text", unmodelled="bound")
    assert [clause.text.split(":")[0] for clause in ruleset.features[:3]] == [
        "ip nat prerouting",
        "ip nat prerouting",
        "ip nat postrouting",
    ]


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
@pytest.mark.parametrize(
    ("name", "ordered"),
    [
        ("debian/inet-filter.nft", True),
        ("ours/router.nft", True),
        ("debian/workstation.nft", True),
        ("ours/stateful.nft", False),  # nft sorts the elements of its map
    ],
)
def test_what_nft_lists_of_a_file_means_the_same(name, ordered):
    text = (CORPUS / name).read_text()
    first, second = read(text, name, unmodelled="bound"), read(nft(text), name, unmodelled="bound")
    chains = [sorted(without_places(one)[0], key=lambda chain: chain[0]) for one in (first, second)]
    for mine, listed in zip(*chains, strict=True):
        assert mine[:7] == listed[:7]
        before, after = ([rule[:6] for rule in chain[7]] for chain in (mine, listed))
        if not ordered:
            before, after = sorted(before, key=str), sorted(after, key=str)
        assert before == after
