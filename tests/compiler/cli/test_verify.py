"""``gerbang verify``: properties of a folder, with and without Python, in every format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

PROPERTIES = """\
policies:
  edge: {file: router.cfg, list: "101"}
properties:
  - {policy: edge, unreachable: {from: 172.16.6.0 0.0.248.3, to: 10.0.0.2, service: tcp/21}}
  - policy: edge
    unreachable: {to: 10.0.0.2, service: tcp/22}
    because: nobody logs in
"""

TESTS = '''\
import pytest


def test_web(policy):
    """the shop is open"""
    edge = policy("router.cfg", list="101")
    edge.reachable("", "10.0.0.2", "tcp/80")
    edge.denies("tcp 172.16.6.1:1025 > 10.0.0.2:21 flags=syn")


def test_telnet(policy):
    edge = policy("router.cfg", list="101")
    with pytest.raises(AssertionError):
        edge.unreachable("", "10.0.0.2", "tcp/80")
    edge.reachable("", "10.0.0.2", "tcp/25")
    edge.unreachable("", "10.0.0.2", "tcp/23")


def test_of_its_own():
    assert 1 == 2


@pytest.mark.skip(reason="later")
def test_later():
    pass


@pytest.mark.xfail
def test_known(policy):
    policy("router.cfg", list="101").unreachable("", "10.0.0.2", "tcp/23")


@pytest.mark.xfail(strict=True)
def test_mended():
    pass
'''


@pytest.fixture
def folder(router, monkeypatch):
    """A folder with a router and properties of it, as the current one."""
    monkeypatch.chdir(router.parent)
    Path("properties.yaml").write_text(PROPERTIES)
    return router.parent


@pytest.fixture
def held(folder):
    """The same with what holds only."""
    Path("properties.yaml").write_text(PROPERTIES.partition("  - policy")[0])
    return folder


def test_what_holds(gerbang, held):
    code, out, err = gerbang("verify")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "properties.yaml:4  held    proved   unreachable: tcp/21 from 172.16.6.0 0.0.248.3 to 10.0.0.2, list 101",
        "1 property: 1 held (1 proved)",
    ]


def test_what_fails_shows_why_the_packet_the_rule_and_a_command_that_repeats_it(gerbang, folder):
    code, out, _ = gerbang("verify")
    assert code == 1
    lines = [line.strip() for line in out.splitlines()]
    assert lines[1] == "properties.yaml:5  FAILED  proved   unreachable: tcp/22 to 10.0.0.2, list 101"
    assert "because: nobody logs in" in lines
    assert "router.cfg:9:1: access-list 101 permit ip any any [permits]" in lines
    assert lines[-1] == "2 properties: 1 held (1 proved), 1 FAILED"
    import shlex

    (command,) = [line.removeprefix("repeat:").strip() for line in lines if line.startswith("repeat:")]
    assert "permit" in gerbang(*shlex.split(command)[1:])[1]


def test_json(gerbang, folder):
    code, out, _ = gerbang("verify", "--format", "json", "--coverage")
    document = json.loads(out)
    assert code == 1
    assert [one["status"] for one in document["properties"]] == ["held", "failed"]
    failed = document["properties"][1]
    assert failed["answer"]["witness"]["path"][0]["rules"][0]["line"] == 9
    assert {one["line"]: one["sets"] > 0 for one in document["coverage"]} == {8: True, 9: True}


def test_junit(gerbang, folder):
    code, out, _ = gerbang("verify", "--format", "junit")
    assert code == 1
    (suite,) = ElementTree.fromstring(out)
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    held, failed = suite
    assert held.find("failure") is None
    assert failed.get("classname") == "properties.yaml"
    assert "router.cfg:9:1" in failed.find("failure").text
    told = {one.get("name"): one.get("value") for one in failed.find("properties")}
    assert told["because"] == "nobody logs in"
    assert told["packet"].startswith("tcp ")


def test_sarif_points_at_the_rule(gerbang, folder):
    code, out, _ = gerbang("verify", "--format", "sarif")
    (run,) = json.loads(out)["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (code, result["ruleId"], result["level"]) == (1, "property-failed", "error")
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("router.cfg", 9)
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "properties.yaml"


def test_markdown(gerbang, folder):
    code, out, _ = gerbang("verify", "--format", "markdown", "--coverage")
    assert code == 1
    assert out.startswith("### Policy properties\n\n2 properties: 1 held (1 proved), 1 FAILED\n")
    assert "| ✅ | unreachable: tcp/21" in out
    assert "2 of     2 rules met" in out


def test_coverage_names_the_rules_that_nothing_has_met(gerbang, held):
    code, out, _ = gerbang("verify", "--coverage", "--coverage-file", "rules.info")
    assert code == 0
    assert "  router.cfg:9: never met: access-list 101 permit ip any any" in out.splitlines()
    assert "DA:9,0" in Path("rules.info").read_text()


def test_a_folder_is_looked_through_and_hidden_ones_are_not(gerbang, held):
    for name in ("site/a", ".hidden", "node_modules"):
        Path(name).mkdir(parents=True)
        Path(name, "properties.yaml").write_text(Path("properties.yaml").read_text().replace("router", "edge"))
        Path(name, "edge.cfg").write_text(Path("router.cfg").read_text())
    code, out, _ = gerbang("verify", ".")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[:-1]] == ["properties.yaml:4", "site/a/properties.yaml:4"]
    assert gerbang("verify", "site")[1].splitlines()[-1] == "1 property: 1 held (1 proved)"


@pytest.mark.parametrize(("target", "said"), [("gone", "there is no folder"), ("empty", "nothing was asked")])
def test_nothing_to_verify_is_no_success(gerbang, held, target, said):
    Path("empty").mkdir()
    code, out, err = gerbang("verify", target)
    assert (code, out) == (2, "")
    assert said in err


def test_wrong_input_has_its_place(gerbang, folder):
    Path("properties.yaml").write_text(PROPERTIES.replace("tcp/22", "tpc/22"))
    code, out, err = gerbang("verify")
    assert (code, out) == (2, "")
    assert err.startswith("properties.yaml:6:42: ")


def test_a_folder_without_tests_needs_no_pytest(held):
    program = (
        "import sys\nsys.modules['pytest'] = None\n"
        "from compiler.cli.verify import verb\nfrom argparse import ArgumentParser\n"
        "parser = ArgumentParser()\nverb.configure(parser)\n"
        "code = verb.run(parser.parse_args(['.']))\n"
        "assert 'hypothesis' not in sys.modules\nsys.exit(code)\n"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_tests_without_pytest_say_what_to_install(gerbang, held, monkeypatch):
    Path("test_edge.py").write_text(TESTS)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = gerbang("verify")
    assert code == 2
    assert "pip install 'gerbang[verify]'" in err


def test_pytest_suites_are_told_property_by_property(gerbang, folder):
    Path("properties.yaml").unlink()
    Path("test_edge.py").write_text(TESTS)
    code, out, _ = gerbang("verify", "--format", "json", "--coverage")
    document = json.loads(out)
    assert code == 1
    told = [(one["line"], one["status"], one["name"].partition(":")[0]) for one in document["properties"]]
    assert told == [
        (4, "held", "reachable"),
        (4, "held", "denies"),
        (11, "held", "reachable"),
        (11, "failed", "unreachable"),
        (19, "failed", "test_of_its_own"),
        (23, "skipped", "test_later"),
        (28, "skipped", "test_known"),
        (33, "failed", "test_mended"),
    ]
    first, failed, own = (document["properties"][at] for at in (0, 3, 4))
    assert (first["file"], first["because"]) == ("test_edge.py", "the shop is open")
    assert failed["answer"]["witness"]["command"].startswith("gerbang trace router.cfg 'tcp ")
    assert "1 == 2" in own["error"]
    assert {(one["source"], one["line"]) for one in document["coverage"]} == {("router.cfg", 8), ("router.cfg", 9)}


def test_broken_suites_are_wrong_input(gerbang, held, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # ours is then named
    Path("test_broken.py").write_text("import nothing_of_the_kind\n")
    Path("test_wrong.py").write_text('def test_it(policy):\n    policy("gone.cfg")\n')
    code, out, _ = gerbang("verify")
    assert code == 2
    assert "No module named 'nothing_of_the_kind'" in out
    assert "there is no gone.cfg" in out  # one file that cannot be collected does not stop the others
    assert out.splitlines()[0].startswith("properties.yaml:4  held ")
    assert out.splitlines()[-1] == "3 properties: 1 held (1 proved), 2 BROKEN"
    Path("pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    code, _, err = gerbang("verify", "test_wrong.py")
    assert code == 2
    assert "--no-such-option" in err


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_where_all_is_skipped_nothing_was_asked(gerbang, folder, form):
    Path("properties.yaml").unlink()
    Path("test_edge.py").write_text('import pytest\npytestmark = pytest.mark.skip("later")\ndef test_it(): pass\n')
    code, out, err = gerbang("verify", "--format", form)
    assert code == 2
    assert "skipped" in out
    assert err == "gerbang verify: every test of . was skipped, so nothing was asked\n"


def test_a_folder_is_met_once_whatever_links_lead_to_it(gerbang, folder, tmp_path_factory):
    Path("properties.yaml").unlink()
    outside = tmp_path_factory.mktemp("outside")
    words = 'policy("router.cfg", list="101").reachable("", "10.0.0.2", "tcp/80")'
    (outside / "test_linked.py").write_text(f"def test_linked(policy): {words}\n")
    (outside / "back").symlink_to(folder)
    Path("test_edge.py").write_text(f"def test_here(policy): {words}\n")
    Path("site").mkdir()
    Path("site/test_below.py").write_text(f"def test_below(policy): {words}\n")
    for name, target in (("loop", "."), ("a_link", outside), ("b_link", outside), ("site/up", ".."), ("twin", "site")):
        Path(name).symlink_to(target)
    for words in (("verify",), ("verify", "loop")):
        code, out, _ = gerbang(*words, "--format", "json")
        found = [Path(one["file"]).name for one in json.loads(out)["properties"]]
        assert (code, sorted(found)) == (0, ["test_below.py", "test_edge.py", "test_linked.py"])


def test_a_test_that_asks_nothing_is_no_property_that_held(gerbang, held):
    Path("test_plain.py").write_text("def test_one(): pass\ndef test_two(): assert 1 == 2\ndef test_three(): pass\n")
    code, out, _ = gerbang("verify")
    assert code == 1
    assert out.splitlines()[1] == "test_plain.py:1    passed           test_one"
    assert out.splitlines()[-1] == "1 property: 1 held (1 proved); 3 tests without a property: 2 passed, 1 FAILED"
    code, out, _ = gerbang("verify", "test_plain.py", "--format", "json")
    document = json.loads(out)
    assert document["summary"] == "no property; 3 tests without a property: 2 passed, 1 FAILED"
    assert [one["status"] for one in document["properties"]] == ["passed", "failed", "passed"]
