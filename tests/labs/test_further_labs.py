"""The further labs: what they assert holds in both worlds, and each could fail."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from labs.agreement import compare
from labs.assertions import VerdictState, judge_all
from labs.ftp_filter import FOLDER
from labs.kernel import run as run_in_kernel
from labs.kernel import why_not
from labs.lab_file import read_lab, read_lab_file
from labs.observation import Observation
from labs.simulated import run as simulate
from labs.topology import Lab

LABS = FOLDER.parent
NAMES = ["flapping-link", "fragments", "ftp-through-firewall", "icmp-through-nat", "ios-edge", "odd-topology"]
REASON = why_not()


def wrong(lab: Lab, observation: Observation) -> list[str]:
    """What did not hold."""
    verdicts = judge_all(lab, observation)
    assert verdicts
    return [
        f"{verdict.assertion.word}: {verdict.message}" for verdict in verdicts if verdict.state is VerdictState.FAILED
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_in_the_simulator(name: str) -> None:
    lab = read_lab(LABS / name)
    observation = simulate(lab)
    assert wrong(lab, observation) == []
    assert observation.lacks == ()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_of(name: str) -> None:
    found = read_lab_file(LABS / name)
    assert found.warnings == ()
    assert found.lab.description
    readme = (LABS / name / "README.md").read_text()
    assert f"gerbang lab run labs/{name}" in readme


@pytest.mark.long
@pytest.mark.skipif(bool(REASON), reason=str(REASON))
@pytest.mark.parametrize("name", NAMES)
def test_both_worlds_agree(name: str) -> None:
    lab = read_lab(LABS / name)
    simulated, real = simulate(lab), run_in_kernel(lab)
    for observation in (simulated, real):
        assert wrong(lab, observation) == [], observation.world
    assert [str(difference) for difference in compare(lab, simulated, real)] == []


CHANGES = [
    # No narrow link: nobody is told of anything.
    ("fragments", "lab.yaml", "narrow: 1400", "narrow: 1500", "loss: 0 of 5 lost"),
    ("fragments", "configurations/far.nft", 'oifname "wan" masquerade', 'oifname "wan" accept', "seen_as: "),
    ("icmp-through-nat", "configurations/gate.nft", "ct status dnat masquerade", "ct status dnat accept", "hairpin"),
    ("icmp-through-nat", "configurations/gate.nft", "established,related", "established", "hops: trace-out"),
    ("icmp-through-nat", "lab.yaml", "type: prohibit", "type: blackhole", "echo-prohibited"),
    # A router that does not translate has nothing to forget.
    ("flapping-link", "lab.yaml", "node: gate, state: down", "node: isp, state: down", "not failed: cut-down"),
    ("flapping-link", "lab.yaml", "link: line, state: down, direction: up", "link: lan-2, state: down", "echo-one-way"),
    ("odd-topology", "lab.yaml", "from: 10.1.0.11/32", "from: 10.1.0.13/32", "hops: trace-anna"),
    ("odd-topology", "lab.yaml", "mark: 0x10/0xf0", "mark: 0x20/0xf0", "carried: p2"),
    ("odd-topology", "lab.yaml", "via: 10.255.2.2, metric: 20", "via: 10.255.3.2, metric: 20", "trace-without-p1"),
    ("ios-edge", "configurations/edge.cfg", " ip access-group 120 out\n", "", "telnet-odd"),
    ("ios-edge", "configurations/edge.cfg", "0.0.0.254 any eq www", "0.0.0.255 any eq www", "connected_only"),
    ("ios-edge", "configurations/edge.cfg", " ipv6 traffic-filter INSIDE6 in\n", "", "mail6-odd"),
    ("ftp-through-firewall", "configurations/gate.nft", ' ct helper set "ftp-control"', " accept", "home-active"),
    (
        "ftp-through-firewall",
        "configurations/firewall.nft",
        "tcp dport 21 ct helper",
        "tcp dport 20 ct helper",
        "open-pas",
    ),
    (
        "ftp-through-firewall",
        "configurations/firewall.nft",
        "tcp dport 21 ct helper",
        "tcp dport 20 ct helper",
        "hidden-",
    ),
]


@pytest.mark.parametrize(("name", "file", "old", "new", "message"), CHANGES)
def test_a_change_is_noticed(name: str, file: str, old: str, new: str, message: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    copytree(LABS / name, folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    lab = read_lab(folder)
    found = wrong(lab, simulate(lab))
    assert any(message in one for one in found), found
