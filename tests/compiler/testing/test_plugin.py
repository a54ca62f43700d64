"""The pytest plugin, from outside: test suites of somebody who uses it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

EDGE = """\
hostname edge
interface GigabitEthernet0/1
 ip access-group 101 in
access-list 101 permit tcp 10.1.0.0 0.0.0.255 host 10.2.0.2 eq 80
access-list 101 permit udp 10.1.0.0 0.0.0.255 host 10.2.0.2 eq 53
access-list 101 deny ip any 10.2.0.0 0.0.0.255
access-list 101 permit ip any any
"""

SUITE = """\
def test_web(policy):
    policy("edge.cfg", list="101").reachable("10.1.0.0/24", "10.2.0.2", "tcp/80")


def test_names(policy):
    policy("edge.cfg", list="101").reachable("10.1.0.0/25", "10.2.0.2", "udp/53")


def test_one(policy):
    policy("edge.cfg", list="101").denies("tcp 10.1.0.2:1025 > 10.2.0.9:22")
"""


@pytest.fixture
def suite(pytester):
    (pytester.path / "edge.cfg").write_text(EDGE)
    pytester.makepyfile(test_edge=SUITE)
    return pytester


LEFT_OUT = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:schemathesis")


def run(suite, *arguments: str):
    # In this process, and without what the outer run brings along.
    return suite.runpytest_inprocess(*LEFT_OUT, *arguments)


def test_what_holds_is_summed_up(suite):
    result = run(suite)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["properties: 3 proved"])
    result.stdout.no_fnmatch_line("*policy coverage*")


def test_a_failure_shows_packet_line_and_command_and_none_of_our_frames(suite):
    suite.makepyfile(
        test_edge="""\
        def test_all_of_tcp(policy):
            policy("edge.cfg", list="101").reachable("10.1.0.0/24", "10.2.0.2", "tcp")
        """
    )
    result = run(suite)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">   *policy(*reachable(*",
            "E   *PropertyFailed: reachable: tcp from 10.1.0.0/24 to 10.2.0.2, list 101: FAILED (proved: *",
            "E   *packet:  tcp 10.1.0.1:1025 > 10.2.0.2:443 flags=syn",
            "E   *edge.cfg:6:1: access-list 101 deny ip any 10.2.0.0 0.0.0.255 [[]denies[]]",
            "E   *repeat:  gerbang trace *edge.cfg 'tcp 10.1.0.1:1025 > 10.2.0.2:443 flags=syn' --list 101",
            "properties: 1 failed",
        ]
    )
    told = result.stdout.str()
    assert "compiler/testing" not in told
    assert "def demand" not in told


def test_a_failure_of_a_network_hides_our_frames_too(suite):
    suite.makepyfile(
        test_edge="""\
        def test_network(network):
            made = network().host("a", "10.1.0.2/24").host("b", "10.2.0.2/24")
            made.verify().reachable("a", "b")
        """
    )
    result = run(suite)
    result.stdout.fnmatch_lines(["E   *does not arrive: no route (a has no gateway)", "properties: 1 failed"])
    assert "compiler/testing" not in result.stdout.str()


def test_junit_has_the_packet_and_the_command(suite):
    suite.makepyfile(
        test_edge="""\
        def test_all_of_tcp(policy):
            policy("edge.cfg", list="101").reachable("10.1.0.0/24", "10.2.0.2", "tcp")
        """
    )
    run(suite, "--junitxml=report.xml")
    tree = ElementTree.parse(suite.path / "report.xml")
    told = {one.get("name"): one.get("value") for one in tree.iter("property")}
    assert told["gerbang_property"].startswith("reachable: tcp from 10.1.0.0/24")
    assert told["gerbang_packet"] == "tcp 10.1.0.1:1025 > 10.2.0.2:443 flags=syn"
    assert told["gerbang_repeat"].startswith("gerbang trace ")


def test_coverage_as_text_and_as_files(suite):
    result = run(suite, "--policy-coverage", "--policy-coverage-file=rules.json")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "*= policy coverage =*",
            "*edge.cfg *3 of *4 rules met ( 75%), 1 over all their packets",
            "*edge.cfg:7: never met: access-list 101 permit ip any any",
            "policy coverage written to rules.json",
        ]
    )
    rules = {one["line"]: one for one in json.loads((suite.path / "rules.json").read_text())}
    assert {line: (one["packets"], one["sets"] > 0, one["share"]) for line, one in rules.items()} == {
        4: (0, True, 1.0),
        5: (0, True, 0.5),
        6: (1, False, 0.0),
        7: (0, False, 0.0),
    }
    run(suite, "--policy-coverage-file=rules.info")
    records = (suite.path / "rules.info").read_text().splitlines()
    assert "DA:7,0" in records
    assert "LH:3" in records


def test_coverage_without_any_policy_says_so(suite):
    suite.makepyfile(test_edge="def test_nothing(): pass")
    run(suite, "--policy-coverage").stdout.fnmatch_lines(["no property was asked of any policy"])


def test_coverage_cannot_be_written_to_a_folder_that_is_not_there(suite):
    result = run(suite, "--policy-coverage-file=nowhere/rules.json")
    told = result.stdout.str() + result.stderr.str()
    assert "nowhere/rules.json" in told
    assert "Traceback" not in told
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_two_workers_see_what_one_process_sees(suite):
    run(suite, "--policy-coverage-file=one.json")
    result = suite.runpytest_subprocess(*LEFT_OUT, "-n2", "--policy-coverage-file=two.json")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["properties: 3 proved"])
    assert json.loads((suite.path / "one.json").read_text()) == json.loads((suite.path / "two.json").read_text())


def test_a_broken_policy_is_told_by_file_and_line(suite):
    (suite.path / "edge.cfg").write_text("access-list 101 permit tcp any nonsense\n")
    result = run(suite)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["E   *edge.cfg:1:*nonsense*"])
    assert "compiler/" not in result.stdout.str()


def test_a_policy_that_is_not_there_is_told_by_where_it_was_looked_for(suite):
    suite.makepyfile(test_edge='def test_it(policy): policy("missing.cfg")')
    result = run(suite)
    result.stdout.fnmatch_lines([f"E   *there is no missing.cfg in {suite.path}"])


def test_files_are_looked_for_beside_the_test_first(suite):
    folder = suite.mkdir("inner")
    (folder / "edge.cfg").write_text(EDGE.replace("permit udp", "deny udp"))
    (folder / "test_inner.py").write_text(SUITE.replace("def test_", "def test_inner_"))
    result = run(suite)
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["FAILED inner/test_inner.py::test_inner_names*"])


def test_a_fixture_of_the_same_name_is_the_user_s(suite):
    suite.makeconftest("import pytest\n\n\n@pytest.fixture\ndef policy():\n    return 'mine'\n")
    suite.makepyfile(test_edge="def test_it(policy): assert policy == 'mine'")
    run(suite).assert_outcomes(passed=1)


def test_questions_of_fixtures_and_of_set_up_count(suite):
    suite.makepyfile(
        test_edge="""\
        import pytest
        from compiler.testing.policies import read_policy

        @pytest.fixture(scope="session")
        def edge(request):
            made = read_policy(request.path.parent / "edge.cfg" if hasattr(request, "path") else "edge.cfg")
            made.through("101").permits("tcp 10.1.0.2:1025 > 10.2.0.2:80")
            return made

        def test_it(edge):
            edge.through("101").permits("udp 10.1.0.2:1025 > 10.2.0.2:53")
        """
    )
    run(suite).stdout.fnmatch_lines(["properties: 2 proved"])


def test_help_tells_of_the_options(suite):
    run(suite, "--help").stdout.fnmatch_lines(["*--policy-coverage *", "*--policy-coverage-file=FILE*"])
