"""The labs that come along, in both worlds: the same verdicts, connection by connection. It takes real time."""

import pytest

from labs.agreement import compare
from labs.assertions import VerdictState, judge_all
from labs.ftp_filter import FOLDER
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab
from labs.simulated import run as simulate

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=str(why_not()))]


@pytest.mark.parametrize(
    ("name", "variant", "settings"),
    [
        ("hospital", "", {}),
        ("two-isps", "", {}),
        ("two-isps/paper", "marks", {}),
        ("two-isps/paper", "forum", {"method": "nth"}),
        ("two-isps/paper", "forum", {"method": "pcc"}),
        *(
            ("ftp-filter", case, {"base": base})
            for case in ("full-1", "4", "7")
            for base in ("172.16.6.0", "172.16.0.0")
        ),
    ],
)
def test_both_worlds_agree(name, variant, settings):
    lab = read_lab(FOLDER.parent / name, settings, variant)
    simulated, real = simulate(lab), run_in_kernel(lab)
    for observation in (simulated, real):
        failed = [one for one in judge_all(lab, observation) if one.state is VerdictState.FAILED]
        assert failed == [], observation.world
    assert [str(difference) for difference in compare(lab, simulated, real)] == []
