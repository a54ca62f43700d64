"""All methods on one workload: who is fair, and who is sticky."""

import pytest

from labs.lab_file import read_lab
from labs.published import figures
from labs.simulated import run
from tests.labs.two_isps.papers import LAB, PAPER

STICKY = ("pcc", "pcc-pairs", "ecmp", "failover", "address-list")
FICKLE = ("nth", "pcc-ports", "ecmp-l4")
QUICK = ("nth",)


def measured(variant):
    lab = read_lab(LAB, {}, variant)
    return figures(lab, run(lab))


def methods(*names):
    return [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.long]) for name in names]


@pytest.mark.parametrize("method", methods(*STICKY))
def test_sticky_methods_keep_one_address_and_the_forum(method):
    found = measured(method)
    assert found["public addresses per client and server"] == 1
    assert found["forum: log-outs"] == 0


@pytest.mark.parametrize("method", methods(*FICKLE))
def test_methods_by_connection_lose_the_forum(method):
    found = measured(method)
    assert found["public addresses per client and server"] > 1
    assert found["forum: log-outs"] > 3


@pytest.mark.long
def test_nth_is_the_fairest_in_connections():
    differences = {name: measured(name)["difference of the lines' connections"] for name in PAPER.methods.variants}
    assert differences["nth"] <= 1
    assert min(differences.values()) == differences["nth"]
    assert max(differences.values()) == differences["failover"]


def test_all_methods_are_there():
    assert set(PAPER.methods.variants) == {*STICKY, *FICKLE}


def test_one_seed_one_result():
    lab = read_lab(LAB / "paper", {}, "marks")
    assert run(lab) == run(lab)
