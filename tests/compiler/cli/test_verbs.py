"""Verbs are found by name, ours and strangers'."""

import tomllib
from pathlib import Path

import pytest

from compiler.cli import verbs
from compiler.cli.arguments import DIALECT_NAMES
from compiler.cli.main import main
from compiler.dialects import DIALECTS

ROOT = Path(__file__).parents[3]

GREETING = """
from compiler.cli.verb import Verb


def run(arguments):
    print("hello", arguments.whom)
    return 7


verb = Verb("say something kind", lambda parser: parser.add_argument("whom"), run)
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """Installs a distribution with these entry points, on a path of its own."""

    def install(entry_points, module=""):
        information = tmp_path / "greeter-1.0.dist-info"
        information.mkdir()
        (information / "entry_points.txt").write_text(entry_points)
        (tmp_path / "greeter_module.py").write_text(module)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(__import__("sys").modules, "greeter_module", raising=False)

    return install


def test_the_table_and_the_entry_points_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"][verbs.GROUP]
    assert {verb.name: verb.target for verb in map(verbs.find, verbs.BUILT_IN)} == {
        name: target for name, target in declared.items() if target.startswith("compiler.")
    }


def test_the_dialects_named_in_arguments_are_those_there_are():
    assert DIALECT_NAMES == DIALECTS


def test_a_verb_of_another_distribution_is_listed_and_runs(stranger, capsys):
    stranger("[console_scripts]\ngreet = x:y\n\n[gerbang.verbs]\n# kind\ngreet = greeter_module:verb\n", GREETING)
    assert main(["--help"]) == 0
    assert "  greet       say something kind\n" in capsys.readouterr().out
    assert main(["greet", "world"]) == 7
    assert capsys.readouterr().out == "hello world\n"


def test_nobody_replaces_our_verbs(stranger):
    stranger("[gerbang.verbs]\ncompile = greeter_module:verb\n", GREETING)
    assert verbs.find("compile").target == "compiler.cli.compile:verb"
    assert [verb.target for verb in verbs.all_verbs() if verb.name == "compile"] == ["compiler.cli.compile:verb"]


@pytest.mark.parametrize("module", ["import does_not_exist", "raise ValueError('broken')", "verb_is_missing = 1"])
def test_a_broken_verb_of_another_distribution_breaks_nothing_else(stranger, capsys, module):
    stranger("[gerbang.verbs]\ngreet = greeter_module:verb\n", module)
    assert main(["--help"]) == 0
    assert "the verb 'greet' of greeter cannot be loaded" in capsys.readouterr().out
    assert main(["greet"]) == 2
    assert "the verb 'greet' of greeter cannot be loaded" in capsys.readouterr().err
    assert main(["completion", "bash"]) == 0
