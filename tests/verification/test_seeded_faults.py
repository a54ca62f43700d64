"""Seeded faults in emitted files: what changes the meaning is caught with a right witness, nothing else is."""

import random
from functools import lru_cache

import pytest

from compiler.analysis.compilation import compile_tree
from compiler.dialects import read
from compiler.errors import GerbangError
from compiler.lowering.options import Fragments, Options
from compiler.semantics.lower import machine
from tests.verification.faults import Tally, judge_fault
from tests.verification.generate import NAMES, configuration
from tests.verification.judge import Judge, meaning
from tests.verification.mutate import KINDS, mutations

DIALECTS = ("nftables", "routeros", "ios")
EACH = 12
"""Mutants of one source."""


@lru_cache(maxsize=4)
def _compiled(dialect: str, seed: int):
    rng = random.Random(seed)
    # RouterOS says neither the ECN bits nor the fragments of IPv6.
    six = seed % 3 == 0 and dialect != "routeros"
    text = configuration(rng.choice, ecn=dialect != "routeros", ttl=seed % 4 == 3, six=six, outward=seed % 4 != 3)
    used = {name: there for name, there in NAMES.items() if f"interface {name}\n" in text}
    names = used if dialect != "ios" else {}
    tree = read(text, "source", dialect="ios")
    compilation = compile_tree(tree, dialect, Options(interfaces=names, fragments=Fragments.UNTRACKED))
    return text, tree, compilation.text, names


def _mutants(dialect: str, seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        text, tree, emitted, names = _compiled(dialect, seed)
        judge = Judge(meaning(text, "ios"), names, families=(4, 6))
        source = machine(tree)
        rng = random.Random(seed)
        found = mutations(emitted, dialect, rng)
        skipped = seed * EACH % len(KINDS[dialect])
        for number, (kind, mutant) in enumerate(found):
            if number >= skipped + EACH:
                break
            if number >= skipped:
                outcome, wrong = judge_fault(judge, source, mutant, dialect, names)
                tally.add(kind, outcome)
                if wrong:
                    tally.wrong.append(f"seed {seed}, {kind}: {wrong}")
    return tally


def _check(tally: Tally) -> None:
    print(tally.table())
    assert not tally.wrong, "\n".join(tally.wrong)
    outcomes = {outcome: sum(counts[outcome] for counts in tally.counts.values()) for outcome in ("caught", "unjudged")}
    total = sum(sum(counts.values()) for counts in tally.counts.values())
    # A test that judges next to nothing, or catches nothing, would prove nothing.
    assert outcomes["caught"] > total / 5
    assert outcomes["unjudged"] <= total / 20


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_faults_that_change_the_meaning_are_caught(dialect, part):
    _check(_mutants(dialect, range(part * 3, part * 3 + 3)))


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_thousand_faults_in_each_dialect(dialect, part):
    _check(_mutants(dialect, range(100 + part * 9, 100 + part * 9 + 9)))


@pytest.mark.parametrize(
    ("dialect", "old", "new"),
    [
        ("nftables", "\tchain acl-INSIDE {", "\tchain acl-INSIDE {{"),
        ("nftables", " return\n", " retrun\n"),
        ("nftables", "hook prerouting", "hook nowhere"),
        ("routeros", "action=return", "action=retrun"),
        ("routeros", "chain=acl-INSIDE ", "chian=acl-INSIDE "),
        ("routeros", "/ip firewall raw\n", "/ip firewall row\n"),
        ("ios", "permit", "permti"),
        ("ios", "ip access-list extended INSIDE", "ip access-list extend INSIDE"),
    ],
)
def test_unreadable_faults_are_errors_with_a_place(dialect, old, new):
    _, _, emitted, _ = _compiled(dialect, 0)
    assert old in emitted
    with pytest.raises(GerbangError) as caught:
        read(emitted.replace(old, new, 1), "mutant", dialect=dialect)
    assert "mutant:" in caught.value.render()
