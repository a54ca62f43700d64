"""The labs that come along, in the simulator: everything that they assert holds, and it could fail."""

from pathlib import Path

import pytest

from compiler.testing.answer import Sureness
from labs.assertions import VerdictState, judge_all
from labs.ftp_filter import BASES, FOLDER, cases, client_table, device
from labs.lab_file import find_labs, read_lab, read_lab_file
from labs.simulated import run
from labs.words.connections import address_set

LABS = FOLDER.parent
CASES = [(case, base) for case in dict.fromkeys(case.name for case in cases()) for base in BASES]


def failures(lab, seed=1):
    observation = run(lab, seed=seed)
    verdicts = judge_all(lab, observation)
    assert verdicts
    return [verdict.message for verdict in verdicts if verdict.state is not VerdictState.HELD]


def holds(under_test, seed=1):
    answer = under_test.run(seed=seed).holds()
    assert "skipped" not in answer.decided


def test_the_first_labs_have_descriptions_and_readmes():
    found = find_labs(LABS)
    assert {path.name for path in found} >= {"ftp-filter", "hospital", "two-isps"}
    for path in found:
        assert (path / "README.md").is_file()
        lab_file = read_lab_file(path)
        assert lab_file.warnings == ()
        assert lab_file.lab.description


@pytest.mark.parametrize(("case", "base"), CASES)
def test_exactly_the_right_clients_reach_the_ftp_server(lab, case, base):
    holds(lab("labs/ftp-filter", variant=case, base=base))


@pytest.mark.parametrize(("case", "base"), CASES)
def test_the_clients_of_the_lab_are_on_both_sides_of_the_list(case, base):
    """What the lab asserts is what the compiler says of the list, for every client of the lab."""
    lab = read_lab(FOLDER, {"base": base}, case)
    excluded = address_set(dict(lab.assertions[0].arguments)["except"], 32)
    table = client_table(device(next(one for one in cases() if (one.name, one.base) == (case, base))))
    denied = {
        address
        for row in table.rows
        if not row.permitted
        for address in (node.addresses[0].address for node in lab.nodes if node.name.startswith("client-"))
        if row.first <= address <= row.last
    }
    clients = {node.addresses[0].address for node in lab.nodes if node.name.startswith("client-")}
    assert denied == {address for address in clients if excluded.contains(address)}
    assert denied
    assert case == "full-2" or clients - denied


def test_a_wrong_mask_is_noticed():
    lab = read_lab(FOLDER, {"wildcard": "0.0.0.127"})
    (message,) = failures(lab)
    assert "172.16.6.128" in message


@pytest.mark.parametrize("seed", [1, 2])
def test_the_hospital_stops_with_its_centre(lab, seed):
    hospital = lab("labs/hospital")
    holds(hospital, seed)
    hospital.verify().via("nurse-*", "server", "centre")


def test_the_hospital_has_no_second_way(lab):
    """What the run shows of one moment, over all packets: with the switch in the middle every station is lost."""
    stopped = lab("labs/hospital").verify().under(failures=1, among="centre").ask_reachable("nurse-1", "server")
    assert not stopped.held
    assert stopped.sureness is Sureness.PROVED
    assert "while centre is dead" in stopped.said


def test_the_hospital_goes_on_without_the_fault():
    from dataclasses import replace

    lab = replace(read_lab(LABS / "hospital"), faults=())
    wrong = failures(lab)
    assert len(wrong) == 4  # the three that expect failures, and the octets of the fetches


def test_two_isps_share_the_connections(lab):
    holds(lab("labs/two-isps"))


def test_two_isps_by_failover_use_one_line():
    """What the lab asserts of Nth fails for a method that does not share."""
    wrong = failures(read_lab(LABS / "two-isps", {"method": "failover"}))
    assert any("198.51.100.2 60, 203.0.113.2 0" in message for message in wrong), wrong


def test_a_run_is_the_same_every_time():
    lab = read_lab(LABS / "hospital")
    assert run(lab, seed=3) == run(lab, seed=3)


def test_labs_are_read_from_where_they_are():
    assert read_lab(Path(LABS / "hospital" / "lab.yaml")) == read_lab(LABS / "hospital")
