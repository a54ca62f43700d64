"""The hospital's mail: the network in the simulator, and all of it with the real daemons."""

import re

import pytest

from labs.agreement import compare
from labs.assertions import VerdictState, judge_all
from labs.ftp_filter import FOLDER
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.kernel.programs import why_not_command
from labs.lab_file import read_lab, read_lab_file
from labs.simulated import run as simulate

FILE = FOLDER.parent / "hospital" / "mail.yaml"
OF_THE_NETWORK = {"connected", "answered", "failed"}


def missing():
    """Why the mail cannot run here; empty when it can."""
    reasons = [why_not()]
    reasons += [why_not_command(one.command) for node in read_lab(FILE).nodes for one in node.programs]
    return next((reason for reason in reasons if reason), "")


def test_the_simulator_judges_the_network_and_nothing_else():
    found = read_lab_file(FILE)
    assert found.warnings == ()
    verdicts = judge_all(found.lab, simulate(found.lab))
    assert {one.state for one in verdicts if one.assertion.word in OF_THE_NETWORK} == {VerdictState.HELD}
    others = [one for one in verdicts if one.assertion.word not in OF_THE_NETWORK]
    assert others
    assert all(one.state is VerdictState.SKIPPED and "real process" in one.message for one in others)


def test_it_is_the_star_of_the_hospital():
    plain, mail = read_lab(FOLDER.parent / "hospital"), read_lab(FILE)
    theirs = {node.name: (node.kind, node.addresses, node.wireless) for node in plain.nodes}
    assert {node.name: (node.kind, node.addresses, node.wireless) for node in mail.nodes}.items() <= theirs.items()


def test_every_client_has_its_script():
    for traffic in read_lab(FILE).traffic:
        if traffic.command is not None:
            assert (traffic.command.folder / traffic.command.words[1]).is_file()


def test_the_appliance_is_not_imported():
    for script in (FILE.parent / "setup.py", *FILE.parent.glob("clients/*.py")):
        assert not re.search(r"^\s*(from|import)\s+(appliance|compiler|labs)\b", script.read_text(), re.M), script


@pytest.mark.long
@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_the_mail_goes_through_the_star():
    lab = read_lab(FILE)
    real = run_in_kernel(lab)
    verdicts = judge_all(lab, real)
    assert [one.message for one in verdicts if one.state is not VerdictState.HELD] == []
    assert real.fallen() == ()
    assert [str(one) for one in compare(lab, simulate(lab), real)] == []
