"""Shares, drift and repeated packets are computed: exact fractions for the idioms that people write."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from compiler.balancing.lints.check import check_script
from compiler.balancing.lints.lint import apply_edits
from compiler.balancing.routeros import write_routeros
from compiler.balancing.turns import bound
from tests.compiler.balancing.intents import FULL, plan_of, simple
from tests.compiler.balancing.lints.scripts import right

CORPUS = Path(__file__).parents[3] / "corpus" / "routeros" / "simulated"


def idiom(rules, lines=2):
    """A script whose marking rules are ``rules``: mark numbers with what the rule asks, ``R1`` for routing."""
    text = ["# by RouterOS 6.1", "/ip address", "add address=192.168.3.1/24 interface=lan"]
    text += [f"add address=10.{n}.0.2/24 interface=wan{n}" for n in range(1, lines + 1)]
    text.append("/ip firewall mangle")
    accept = "add chain=prerouting in-interface=lan dst-address=10.0.0.0/8 action=accept"
    text += [accept, "add chain=prerouting in-interface=lan dst-address-type=local action=accept"]
    for rule in rules:
        word, _, asked = rule.partition(" ")
        if word.startswith("R"):
            text.append(
                f"add chain=prerouting in-interface=lan connection-mark=c{word[1:]} action=mark-routing "
                f"new-routing-mark=r{word[1:]} passthrough=no"
            )
        else:
            text.append(
                f"add chain=prerouting in-interface=lan connection-state=new {asked} action=mark-connection "
                f"new-connection-mark=c{word} passthrough=yes"
            )
    text.append("/ip route")
    for n in range(1, lines + 1):
        text.append(f"add gateway=10.{n}.0.1 distance={n} check-gateway=ping")
        text.append(f"add gateway=10.{n}.0.1 routing-mark=r{n} check-gateway=ping")
    text.append("/ip firewall nat")
    text += [f"add chain=srcnat out-interface=wan{n} action=masquerade" for n in range(1, lines + 1)]
    return "\n".join(text) + "\n"


def dealt(text):
    """Shares of the connection marks, and what becomes of repeated packets; one for all headers."""
    behaviour = check_script(text, "x.rsc").subject.behaviour
    deals = [deal for deal in behaviour.dealt(behaviour.outside()) if deal.rows]
    assert len({tuple(sorted(deal.marks().items())) for deal in deals}) == 1
    return deals[0]


GUARD = "connection-mark=no-mark"
IDIOMS = {
    "the published one": (["1 nth=2,1", "2 nth=2,2", "R1", "R2"], {"c1": "1/2", "c2": "1/2"}, "1"),
    "routing between": (["1 nth=2,1", "R1", "2 nth=2,2", "R2"], {"c1": "1/2", "c2": "1/4", "": "1/4"}, None),
    "guards, two": (
        [f"1 {GUARD} nth=2,1", f"2 {GUARD} nth=2,2", "R1", "R2"],
        {"c1": "1/2", "c2": "1/4", "": "1/4"},
        None,
    ),
    "guards, three": (
        [f"{n} {GUARD} nth=3,{n}" for n in (1, 2, 3)] + ["R1", "R2", "R3"],
        {"c1": "1/3", "c2": "2/9", "c3": "4/27", "": "8/27"},
        None,
    ),
    "descending": (
        [f"1 {GUARD} nth=3,1", f"2 {GUARD} nth=2,1", f"3 {GUARD}", "R1", "R2", "R3"],
        {"c1": "1/3", "c2": "1/3", "c3": "1/3"},
        "0",
    ),
    "one, then two": (["1 nth=1,1", "2 nth=2,1", "R1", "R2"], {"c1": "1/2", "c2": "1/2"}, "1"),
    "unguarded descent": (["1 nth=2,1", "2 ", "R1", "R2"], {"c2": "1"}, "0"),
}


@pytest.mark.parametrize("name", IDIOMS)
def test_shares_are_exact(name):
    rules, shares, remarked = IDIOMS[name]
    text = idiom(rules, 3 if "R3" in rules else 2)
    deal = dealt(text)
    assert deal.marks() == {mark: Fraction(part) for mark, part in shares.items()}
    if remarked is not None:
        assert deal.remarked == Fraction(remarked)
    lints = [one for one in check_script(text, "x.rsc").lints if one.name in ("nth-uneven", "nth-counts-retransmits")]
    assert bool(lints) == (name != "descending")
    mended = apply_edits(text, lints)
    count = sum(rule.startswith("R") for rule in rules)
    after = dealt(mended)
    assert after.marks() == {f"c{n}": Fraction(1, count) for n in range(1, count + 1)}
    assert (after.remarked, after.recounted) == (0, False)


def test_the_unmarked_part_is_told():
    found = [
        one for one in check_script(idiom(IDIOMS["guards, three"][0], 3), "x.rsc").lints if one.name == "nth-uneven"
    ]
    assert "c1 1/3, c2 2/9, c3 4/27 (meant: 1/3, 1/3, 1/3), and 8/27 (29.6 %) stay unmarked" in found[0].message


def test_weights_in_one_run_drift():
    """Ten for one line and then ten for the other: five off, spread half a connection."""
    slots = ["1"] * 10 + ["2"] * 10
    rules = [f"{line} {GUARD} nth={20 - n},1" for n, line in enumerate(slots[:-1])] + [f"2 {GUARD}", "R1", "R2"]
    text = idiom(rules)
    found = [one for one in check_script(text, "x.rsc").lints if one.name == "nth-contiguous-weights"]
    assert len(found) == 1
    assert (
        "10:10 stand in one run: a line is up to 5.0 connections off its share; "
        f"spread, it is at most {float(bound(2)):.2f}" in found[0].message
    )
    mended = apply_edits(text, found)
    assert dealt(mended).turns == ["c1", "c2"]
    assert not [one for one in check_script(mended, "x.rsc").lints if one.severity.value != "note"]


def test_unequal_weights_that_are_meant_are_no_fault():
    rules = [f"1 {GUARD} nth=3,1", f"2 {GUARD}", "R1", "R2"]
    assert {one.name for one in check_script(idiom(rules), "x.rsc").lints if one.severity.value != "note"} == set()


@pytest.mark.parametrize("version", [6, 7])
@pytest.mark.parametrize("method", ["failover", "ecmp", "nth", "pcc"])
@pytest.mark.parametrize("weights", [(1, 1), (2, 1, 4)])
def test_what_we_write_is_clean(version, method, weights):
    if method == "ecmp" and version == 7:
        weights = (1,) * len(weights)  # which has no weights of routes
    text = write_routeros(plan_of(simple(weights, method)), version)
    lints = check_script(text, "ours.rsc").lints
    # The modems have private addresses there, and the intent names no probes.
    notes = {"nth-knows-no-bandwidth", "check-ends-next-door"}
    assert {one.name for one in lints} == (notes if method == "nth" else {"check-ends-next-door"})


@pytest.mark.parametrize("version", [6, 7])
def test_the_whole_intent_is_clean(version):
    lints = check_script(write_routeros(plan_of(FULL), version), "ours.rsc").lints
    assert {one.name for one in lints} == {"nth-knows-no-bandwidth", "check-ends-next-door"}
    door = next(one for one in lints if one.name == "check-ends-next-door")
    assert "192.168.2.2" in door.message  # of the one uplink without probes


SIMULATED = {
    "ecmp-v6.rsc": {("marked-route-unchecked", "note")},  # only answers look there
    "forwards-v6.rsc": set(),
    "home-v7.rsc": set(),
    "nth-three-v7.rsc": {  # dst-address-type=!local spares neither the modems' networks nor broadcasts
        ("local-traffic-marked", "warning"),
        ("nth-knows-no-bandwidth", "note"),
        ("uplink-connections-unmarked", "warning"),
    },
    "nth-v6.rsc": {  # the idiom without a guard; a rule spares what is local
        ("nth-counts-retransmits", "warning"),
        ("nth-knows-no-bandwidth", "note"),
        ("uplink-connections-unmarked", "note"),
        ("marked-route-unchecked", "warning"),
        ("check-ends-next-door", "note"),
    },
    "pcc-v6.rsc": {("check-ends-next-door", "note")},  # the complete recipe
    "recursive-v7.rsc": {("no-failover", "note")},
}


@pytest.mark.parametrize("name", SIMULATED)
def test_the_corpus_as_seen_by_hand(name):
    lints = check_script((CORPUS / name).read_text(), name).lints
    assert {(one.name, one.severity.value) for one in lints} == SIMULATED[name]


def test_the_right_script_deals_by_halves():
    assert dealt(right(7)).marks() == {"wan1_conn": Fraction(1, 2), "wan2_conn": Fraction(1, 2)}
