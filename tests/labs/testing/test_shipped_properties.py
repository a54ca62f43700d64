"""The properties that come along with the labs' configurations: they hold, meet every rule, and could fail."""

import json
import shutil

import pytest

from compiler.cli.main import main
from compiler.testing.sweeps import sweep
from compiler.testing.sweeps.configurations import ConfigurationCheck, Fleet, properties_of
from labs.ftp_filter import FOLDER, cases

LABS = FOLDER.parent
CONFIGURATIONS = str(FOLDER / "configurations")


def verified(folder, capsys):
    """The exit code and the document of ``gerbang verify``."""
    code = main(["verify", str(folder), "--coverage", "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def failed(document):
    return [one["answer"]["question"] for one in document["properties"] if one["status"] != "held"]


@pytest.mark.parametrize(("name", "count"), [("ftp-filter", 60), ("ios-edge", 26)])
def test_they_hold_and_meet_every_rule(name, count, capsys):
    code, document = verified(LABS / name, capsys)
    assert (code, failed(document), len(document["properties"])) == (0, [], count)
    rules = document["coverage"]
    assert [rule for rule in rules if not rule["packets"] and not rule["sets"]] == []
    if name == "ftp-filter":
        assert {rule["share"] for rule in rules} == {1.0}


@pytest.mark.parametrize(
    ("before", "after", "question"),
    [
        ("deny   tcp any any eq smtp\n deny   tcp 10.0.0.1", "deny   tcp 10.0.0.1", "unreachable: tcp/25,"),
        ("10.0.0.1 0.0.0.254 any eq www", "10.0.0.1 0.0.0.252 any eq www", "unreachable: tcp/80 from 10.0.0.1"),
        ("172.16.0.0 0.15.255.255", "172.16.0.0 0.7.255.255", "unreachable: packets from 10.0.0.0/24 to 172.16"),
        ("range 8000 8010", "range 8000 8009", "reachable: tcp/80,8000-8010"),
        ("icmp any host 192.0.2.1 echo", "icmp any any echo", "unreachable: icmp echo to 10.0.0.0/24"),
    ],
)
def test_a_mistake_in_the_edge_is_noticed(tmp_path, capsys, before, after, question):
    shutil.copytree(LABS / "ios-edge", tmp_path / "edge")
    file = tmp_path / "edge" / "configurations" / "edge.cfg"
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))
    code, document = verified(tmp_path / "edge", capsys)
    assert code == 1
    assert any(one.startswith(question) for one in failed(document)), failed(document)


def test_what_all_twenty_have_in_common_is_a_sweep(capsys):
    asked = ("reachable any 10.0.0.2 tcp/80 list=101", "reachable any 10.0.0.2 tcp/20 list=101", "no_shadowed_rule")
    found = list(sweep(Fleet([CONFIGURATIONS]), ConfigurationCheck(properties_of(asked)), processes=0))
    assert len(found) == 20
    assert all(one.held for one in found)


def test_a_sweep_tells_the_lists_apart():
    """Just those let a client in whose wildcard does not match it."""
    check = ConfigurationCheck(properties_of(("permits tcp 172.16.6.8:1025 > 10.0.0.2:21 list=101",)))
    held = {one.identity for one in sweep(Fleet([CONFIGURATIONS]), check, processes=0) if one.held}

    def lets_in(case):
        fixed = [255 - int(octet) for octet in case.wildcard.split(".")]
        base = map(int, case.base.split("."))
        return any((own ^ other) & mask for own, other, mask in zip((172, 16, 6, 8), base, fixed, strict=True))

    assert held == {str(case.configuration) for case in cases() if lets_in(case)}
    assert 0 < len(held) < 20
