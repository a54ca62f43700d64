"""Every published figure that there is a row for: ours has the published shape, or what must stand in its place."""

import pytest

from labs.lab_file import read_lab
from labs.published.judging import Verdict, judged
from labs.published.paper import PaperRow, Run
from labs.published.running import Place, places_of
from labs.simulated import run
from tests.labs.two_isps.papers import LAB, PAPER, TWO

LONG = {
    "speedtest-many",
    "dead-isp",
    "dead-isp-published",
    "unplugged-published",
    "dead-isp-routeros6",
    "dead-isp-routeros7",
}
"""What takes a second or more, mostly a minute of lab time each."""


def title(asked: Run) -> str:
    return "-".join([asked.variant or "speedtest", *(value for _, value in asked.settings)])


RUNS = [
    pytest.param(asked, id=title(asked), marks=[pytest.mark.long] if asked.variant in LONG else [])
    for asked in dict.fromkeys(row.run for row in PAPER.rows)
]


@pytest.mark.parametrize("asked", RUNS)
def test_ours_has_the_shape(asked):
    lab = read_lab(asked.lab, dict(asked.settings), asked.variant)
    seen = lab, run(lab)
    rows = [judged(row, {"simulator": seen}) for row in PAPER.rows if row.run == asked]
    assert rows
    for one in rows:
        assert one.verdict is not Verdict.DIFFERS, (one.row.what, one.ours["simulator"].shown, one.why)
        assert one.row.because, "each row says why it is so"


def test_all_that_was_published_is_there():
    published = {row.published for row in PAPER.rows}
    for figure in ("0.97", "0.28", "1.44", "0.31", "2.41", "0.59", "2.90", "0.41"):
        assert f"{figure} Mbit/s" in published
    assert {"about 3.2 Mbit/s", "753.4 kbit/s", "118.96.94.36", "118.96.95.250"} <= published
    assert {"23:57:59 ISP 1, 23:58:02 ISP 2, 00:00:13 ISP 1"} <= published


def test_a_row_of_another_shape_is_noticed():
    """Failover gives everybody one line: the speedtest's rows must not be judged the same."""
    rows = [row for row in PAPER.rows if row.run == PAPER.rows[0].run]
    lab = read_lab(rows[0].run.lab, {"method": "failover"})
    verdicts = {
        row.what: judged(row, {"simulator": (lab, observation)}).verdict for observation in [run(lab)] for row in rows
    }
    assert verdicts["… public address of Sakti1"] is Verdict.DIFFERS
    assert verdicts["… Yudiz-PC down"] is Verdict.DIFFERS


def test_a_row_that_no_world_ran_is_not_judged():
    row: PaperRow = next(row for row in PAPER.rows if row.kernel)
    found = judged(row, {"kernel": row.kernel})
    assert found.verdict is Verdict.UNKNOWN
    assert found.ours["kernel"].shown == f"cannot: {row.kernel}"


def test_both_labs_are_of_one_network():
    """The measurements are made on the network of the lab, not on another."""
    other = read_lab(LAB / "paper")
    assert [(node.name, node.kind, node.addresses, node.interfaces) for node in TWO.nodes] == [
        (node.name, node.kind, node.addresses, node.interfaces) for node in other.nodes
    ]
    assert [(link.name, link.ends, link.up, link.down) for link in TWO.links] == [
        (link.name, link.ends, link.up, link.down) for link in other.links
    ]


def test_the_kernel_is_not_asked_what_it_cannot():
    kernel = set(places_of(PAPER, ["kernel"], with_methods=False))
    assert kernel
    assert all("published" not in place.run.variant and "routeros" not in place.run.variant for place in kernel)
    assert Place(PAPER.rows[0].run, "kernel") in kernel
