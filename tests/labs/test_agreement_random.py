"""Random labs in both worlds: every connection comes about, is refused or filtered alike, and is seen as the same.

Short in the ordinary suite; ``GERBANG_LONG=1`` runs two hundred.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.agreement import compare
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab
from labs.simulated import run as simulate
from labs.topology import Lab, TrafficKind
from tests.labs.random_labs import random_lab

REASON = why_not()
needs_kernel = pytest.mark.skipif(bool(REASON), reason=str(REASON))


def read(seed: int, folder: Path) -> Lab:
    path = folder / "lab.yaml"
    path.write_text(random_lab(seed))
    return read_lab(folder)


def differences(seed: int, folder: Path) -> list[str]:
    """What the worlds do not agree on in the lab of that seed."""
    lab = read(seed, folder)
    simulated, real = simulate(lab), run_in_kernel(lab)
    assert real.lacks == ()
    found = [str(difference) for difference in compare(lab, simulated, real)]
    for traffic in lab.traffic:
        one, other = simulated.outcome(traffic.name), real.outcome(traffic.name)
        if traffic.kind is TrafficKind.UDP and one is not None and other is not None:
            counts = [(each.sent, each.received) for each in (one, other)]
            if counts[0] != counts[1]:
                found.append(f"{traffic.name}: sent and received: {counts[0]} | {counts[1]}")
    return found


@needs_kernel
@pytest.mark.parametrize("seed", [0, 1, 15, 1131, 2096])  # the last three once differed
def test_a_random_lab_goes_alike_in_both_worlds(seed: int, tmp_path: Path) -> None:
    assert differences(seed, tmp_path) == []


@needs_kernel
@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_two_hundred_random_labs_go_alike(block: int, tmp_path: Path) -> None:
    wrong = {}
    for seed in range(1000 + 10 * block, 1010 + 10 * block):
        found = differences(seed, tmp_path)
        if found:
            wrong[seed] = found
    assert wrong == {}


def test_random_labs_are_of_many_kinds(tmp_path: Path) -> None:
    """Enough of them connect, enough are refused, and enough are filtered: agreement would mean little otherwise."""
    fates: dict[str, int] = {}
    isps = set()
    for seed in range(25):
        lab = read(seed, tmp_path)
        isps.add(sum(node.name.startswith("p") for node in lab.nodes))
        for outcome in simulate(lab).outcomes:
            for record in outcome.connections:
                kind = record.failure.kind.value if record.failure else "yes"
                fates[kind] = fates.get(kind, 0) + 1
    assert isps == {0, 1, 2, 3}
    total = sum(fates.values())
    assert min(fates.get(kind, 0) for kind in ("yes", "refused", "timed out", "prohibited")) > total // 50, fates


def test_the_same_seed_makes_the_same_lab() -> None:
    assert random_lab(7) == random_lab(7)
    assert random_lab(7) != random_lab(8)
