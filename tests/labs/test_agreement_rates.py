"""How fast transfers are: the goodput of the kernel's TCP, and fair shares of a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab
from labs.simulated import run as simulate
from labs.words.figures import jain, throughput
from tests.labs.rate_labs import CAPACITY, line_lab

REASON = why_not()
SECOND = 10**9
SHARE_OF_THE_KERNELS = 0.03
"""The simulator's goodput is the kernel's within 3 %."""


def rates(run, folder: Path, *, seconds: int, **more) -> list[float]:
    """Bits of payload a second of each flow, from the second second on."""
    (folder / "lab.yaml").write_text(line_lab(seconds=seconds, **more))
    observation = run(read_lab(folder))
    return [throughput(outcome, SECOND, SECOND // 2 + seconds * SECOND) for outcome in observation.outcomes]


@pytest.mark.parametrize("upload", [False, True])
def test_one_flow_fills_the_line(upload: bool, tmp_path: Path) -> None:
    (rate,) = rates(simulate, tmp_path, seconds=15, upload=upload)
    assert rate == pytest.approx(CAPACITY, rel=0.005)


def test_two_flows_share_the_line(tmp_path: Path) -> None:
    """Two seeds; the long test has ten, and two minutes."""
    shares = [rates(simulate, tmp_path, flows=2, seconds=60, seed=seed) for seed in (1, 2)]
    assert [sum(each) for each in shares] == pytest.approx([CAPACITY] * 2, rel=0.01)
    assert min(map(jain, shares)) >= 0.97


def test_no_flow_of_four_starves(tmp_path: Path) -> None:
    """Each has at least half of its share."""
    shares = rates(simulate, tmp_path, flows=4, seconds=40)
    assert sum(shares) == pytest.approx(CAPACITY, rel=0.01)
    assert min(shares) > CAPACITY / 8


@pytest.mark.long
@pytest.mark.parametrize(("delay", "queue"), [("0 ms", 50), ("10 ms", 50), ("20 ms", 100), ("50 ms", 100)])
def test_two_flows_are_fair_over_two_minutes(delay: str, queue: int, tmp_path: Path) -> None:
    """Jain's index over 120 s, mean of ten jittered seeds, is at least 0.99."""
    found = [
        rates(simulate, tmp_path, flows=2, seconds=120, delay=delay, queue=queue, seed=seed) for seed in range(1, 11)
    ]
    assert sum(map(jain, found)) / len(found) >= 0.99
    assert min(map(sum, found)) >= 0.99 * CAPACITY


@pytest.mark.long
@pytest.mark.skipif(bool(REASON), reason=str(REASON))
@pytest.mark.parametrize("upload", [False, True])
def test_goodput_is_the_kernels(upload: bool, tmp_path: Path) -> None:
    """On the same lab file; the kernel's is a measurement, of which the best of three counts: load takes from it."""
    (ours,) = rates(simulate, tmp_path, seconds=15, upload=upload)
    theirs = max(rates(run_in_kernel, tmp_path, seconds=15, upload=upload)[0] for _ in range(3))
    assert ours == pytest.approx(theirs, rel=SHARE_OF_THE_KERNELS)
