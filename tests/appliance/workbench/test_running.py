"""Labs as values, and what their links carry."""

from __future__ import annotations

import pytest

from appliance.workbench.running import Chosen, Sample, labs_in, run_lab
from appliance.workbench.throughput import Curve, curves_of
from tests.appliance.workbench.sources import FTP_FILTER


@pytest.mark.long
def test_the_labs_that_come_along_are_found(tmp_path):
    found = labs_in(tmp_path)
    assert {"ftp-filter", "two-isps", "hospital"} <= {lab.name for lab in found}
    here = next(lab for lab in labs_in(FTP_FILTER) if lab.name == "ftp-filter")
    assert len(here.variants) == 10


def test_a_lab_runs_with_samples_and_captures(tmp_path):
    samples: list[Sample] = []
    ran = run_lab(Chosen(FTP_FILTER, captures=tmp_path / "captures"), samples.append)
    assert ran.has_run
    assert (ran.count("held"), ran.count("failed")) == (4, 0)
    assert samples == sorted(samples, key=lambda one: one.moment)
    assert {name for name, _octets in samples[-1].octets} == {link for link, _path in ran.captures}
    assert all((tmp_path / "captures").glob("*.pcapng"))
    assert curves_of(samples)


@pytest.mark.long
def test_every_variant_of_the_paper_holds():
    lab = next(one for one in labs_in(FTP_FILTER) if one.name == "ftp-filter")
    for variant in lab.variants:
        ran = run_lab(Chosen(lab.path, variant), lambda _sample: None)
        assert ran.has_run, ran.remarks
        assert ran.count("failed") == 0


def test_a_lab_that_is_wrong_says_where(tmp_path):
    (tmp_path / "lab.yaml").write_text("name: x\nnodes: {a: {kind: hosst}}\nlinks: []\n")
    ran = run_lab(Chosen(tmp_path), lambda _sample: None)
    assert not ran.has_run
    assert ran.remarks[0].line == 2
    assert not run_lab(Chosen(tmp_path / "missing"), lambda _sample: None).has_run


def test_rates_are_those_of_what_was_carried():
    second = 1_000_000_000
    samples = [Sample(number * second, 3 * second, (("a", number * 125_000), ("b", 0))) for number in range(4)]
    (curve,) = curves_of(samples)
    assert curve == Curve("a", ((1.0, 1.0), (2.0, 1.0), (3.0, 1.0)))
    assert curves_of(samples[:1]) == ()
