"""``gerbang diff`` of commits, in real repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]

EDGE = """\
hostname edge
interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 deny tcp 172.16.6.0 0.0.248.3 host 10.0.0.2 eq ftp
access-list 101 permit ip any any
"""
WIDER = EDGE.replace("0.0.248.3", "0.0.248.1")


def called(name: str) -> str:
    """The router under another name, and in other words."""
    return EDGE.replace("hostname edge", f"hostname {name.translate(str.maketrans('/.', '--'))}")


pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Repository:
    """A repository of its own: no settings of the machine or of whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self("init", "--quiet", "--initial-branch=main")
        self("config", "user.name", "Tester")
        self("config", "user.email", "tester@example.org")

    def __call__(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], cwd=self.folder, check=check, capture_output=True, text=True)

    def commit(self, **files: str | None) -> None:
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self("add", "--all")
        self("commit", "--quiet", "--message", "change")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Repository(folder)


@pytest.fixture
def branches(repository):
    """``main``, and ``work`` with a file of every kind; ``main`` has gone on since they parted."""
    names = ("sites/gone.cfg", "sites/old.cfg", "sites/same.cfg")
    # Files alike by half would be renames to git, so each has a hostname of its own.
    repository.commit(**{name: called(name) for name in names}, **{"README.md": EDGE, "edge.cfg": EDGE})
    repository("checkout", "--quiet", "-b", "work")
    repository("mv", "sites/old.cfg", "sites/renamed.cfg")
    repository.commit(
        **{
            "edge.cfg": WIDER,
            "sites/gone.cfg": None,
            "sites/new.cfg": "table inet f {\n chain c {\n  tcp dport 80 accept\n }\n}\n",
            "sites/same.cfg": called("sites/same.cfg").replace("host 10.0.0.2", "10.0.0.2 0.0.0.0"),
            "bad.cfg": "access-list 1 prmit any\n",
            "README.md": WIDER,
        }
    )
    repository("checkout", "--quiet", "main")
    repository.commit(**{"late.cfg": EDGE})
    repository("checkout", "--quiet", "work")
    return repository


def verdicts(out):
    return {one["path"]: one["verdict"] for one in json.loads(out)["files"]}


EXPECTED = {
    "bad.cfg": "unreadable",
    "edge.cfg": "wider",
    "sites/gone.cfg": "deleted",
    "sites/new.cfg": "added",
    "sites/renamed.cfg": "equal",
    "sites/same.cfg": "equal",
}


def test_what_a_branch_does_to_its_base(gerbang, branches):
    code, out, _ = gerbang("diff", "--base", "main", "--format", "json")
    document = json.loads(out)
    assert code == 1
    assert verdicts(out) == EXPECTED  # late.cfg came to main after the branch began
    assert document["skipped"] == ["README.md"]
    renamed = next(one for one in document["files"] if one["path"] == "sites/renamed.cfg")
    assert renamed["old_path"] == "sites/old.cfg"
    edge = next(one for one in document["files"] if one["path"] == "edge.cfg")
    assert [change["packets"] for change in edge["changes"]] == [
        ["tcp from 172.16.6.2 wildcard 0.0.248.1 to 10.0.0.2 port 21"]
    ]
    assert edge["lines"][0]["line"] == 5  # "permit ip any any" takes what the deny has let go


def test_two_dots_compare_the_ends(gerbang, branches):
    assert gerbang("diff", "--git", "main...work", "--format", "json")[1].count("late.cfg") == 0
    _, out, _ = gerbang("diff", "--git", "main..work", "--format", "json")
    assert verdicts(out) == {**EXPECTED, "late.cfg": "deleted"}
    _, out, _ = gerbang("diff", "--git", "work..main", "edge.cfg", "--format", "json")
    assert verdicts(out) == {"edge.cfg": "narrower"}
    assert verdicts(gerbang("diff", "--git", "main..HEAD", "--format", "json")[1]) == {
        **EXPECTED,
        "late.cfg": "deleted",
    }


def test_paths_limit_what_is_looked_at(gerbang, branches, monkeypatch):
    assert set(verdicts(gerbang("diff", "--base", "main", "sites", "--format", "json")[1])) == {
        path for path in EXPECTED if path.startswith("sites/")
    }
    monkeypatch.chdir("sites")  # pathspecs count from here, names in the review from the top
    code, out, _ = gerbang("diff", "--base", "main", "same.cfg")
    assert code == 0
    assert out.startswith("sites/same.cfg: equal meaning\n")
    monkeypatch.chdir("..")
    assert verdicts(gerbang("diff", "--base", "main", "README.md", "--format", "json")[1]) == {"README.md": "wider"}


def test_a_path_that_did_not_change_or_is_on_one_side_only_is_no_mistake(gerbang, branches):
    branches.commit(**{"still.cfg": called("still.cfg")})
    assert gerbang("diff", "--git", "work~1..work", "edge.cfg")[:2] == (0, "No configuration changed.\n")
    assert gerbang("diff", "--staged", "still.cfg", "*.cfg")[0] == 0
    for path in ("sites/gone.cfg", "sites/new.cfg"):
        assert set(verdicts(gerbang("diff", "--base", "main", path, "--format", "json")[1])) == {path}


def test_colons_in_a_name_are_no_revision(gerbang, repository):
    repository.commit(**{"a:b.cfg": EDGE})
    repository.commit(**{"a:b.cfg": WIDER})
    for base in ("HEAD~1", "HEAD^{/cha}~1"):
        code, out, _ = gerbang("diff", "--git", f"{base}..HEAD")
        assert code == 1
        assert out.startswith("a:b.cfg: wider\n")


def test_names_move_no_cursor_and_begin_no_paragraph(gerbang, repository):
    name = "z\n\n@torvalds ![x](http:x)\n\n# H\x1b[2J\x9b31m.cfg"
    prose = "\x1b]0;title\x07.md"
    repository.commit(**{name: EDGE, prose: "a"})
    repository.commit(**{name: WIDER, prose: "b"})
    code, out, err = gerbang("diff", "--git", "HEAD~1..HEAD", "--verbose")
    assert (code, out.splitlines()[0]) == (1, "z @torvalds ![x](http:x) # H [2J 31m.cfg: wider")
    assert err == " ]0;title .md: no configuration, left out\n"
    text = gerbang("diff", "--git", "HEAD~1..HEAD", "--format", "markdown")[1]
    assert "<summary><code>z @torvalds ![x](http:x) # H [2J 31m.cfg</code>: wider</summary>" in text
    assert not any(line.startswith(("@", "# ")) for line in text.splitlines())
    assert not set(out + err + text) & ({chr(code) for code in (*range(32), *range(127, 160))} - {"\n"})


def test_nothing_but_other_files(gerbang, branches):
    branches("checkout", "--quiet", "-b", "prose")
    branches.commit(**{"README.md": "prose\n"})
    code, out, err = gerbang("diff", "--git", "work..prose", "--verbose")
    assert err == "README.md: no configuration, left out\n"
    assert (code, out.splitlines()) == (
        0,
        ["No configuration changed.", "1 other changed file is no configuration and left out."],
    )


def test_what_is_staged(gerbang, branches):
    Path("edge.cfg").write_text(EDGE)
    assert gerbang("diff", "--staged")[0] == 0
    branches("add", "edge.cfg")
    Path("edge.cfg").write_text("not staged")
    code, out, _ = gerbang("diff", "--staged", "--format", "json")
    assert (code, verdicts(out)) == (1, {"edge.cfg": "narrower"})
    assert gerbang("diff", "--staged", "--fail-on", "wider")[0] == 0


def test_what_is_staged_before_the_first_commit(gerbang, repository):
    Path("edge.cfg").write_text(EDGE)
    repository("add", "edge.cfg")
    assert verdicts(gerbang("diff", "--staged", "--format", "json")[1]) == {"edge.cfg": "added"}


def test_modes_links_and_odd_names(gerbang, repository):
    name = 'a "b"\té.cfg'
    repository.commit(**{name: EDGE, "edge.cfg": EDGE, "target.cfg": EDGE})
    Path("edge.cfg").chmod(0o755)
    Path("target.cfg").unlink()
    Path("target.cfg").symlink_to("edge.cfg")
    repository.commit(**{name: WIDER})
    _, out, _ = gerbang("diff", "--git", "HEAD~1..HEAD", "--format", "json")
    assert verdicts(out) == {name: "wider", "target.cfg": "deleted"}
    assert gerbang("diff", "--git", "HEAD~1..HEAD", "--format", "markdown")[0] == 1


def test_markdown_and_sarif(gerbang, branches):
    code, out, _ = gerbang("diff", "--base", "main", "--format", "markdown")
    assert code == 1
    assert "| ⚠️ | `edge.cfg` | wider | tcp from 172.16.6.2 wildcard 0.0.248.1 to 10.0.0.2 port 21 |" in out
    assert "`bad.cfg:1:15` 'prmit' is not known here" in out
    _, out, _ = gerbang("diff", "--base", "main", "--format", "sarif")
    (run,) = json.loads(out)["runs"]
    levels = {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: one["level"] for one in run["results"]
    }
    assert levels == {"bad.cfg": "error", "edge.cfg": "warning", "sites/gone.cfg": "note", "sites/new.cfg": "note"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base", "nothing"), "git knows no revision 'nothing' here"),
        (("--git", "main"), "expected BASE..HEAD"),
        (("--git", "--output=x..main"), "expected"),
        (("--git", "..HEAD"), "--git ..HEAD: there is no revision before the dots"),
        (("--git", "main.."), "no revision after the dots"),
        (("--git", "...HEAD"), "no revision before the dots"),
        (("--git", "main... "), "no revision after the dots"),
        (("--base", ""), "--base: there is no revision"),
        (("--git", "main..work", "edg.cfg"), "neither main nor work has anything called 'edg.cfg'"),
        (("--base", "main", "edge.cfg", "routers/*.cfg"), "nor HEAD has anything called 'routers/*.cfg'"),
        (("--staged", "edg.cfg"), "neither HEAD nor the index has anything called 'edg.cfg'"),
        (("--base=--output=x",), "git knows no revision '--output=x' here"),
        (("--base", "main", "--list", "1"), "for two files"),
        (("--base", "main", "--from", "ios"), "for two files"),
        (("edge.cfg",), "expected two files"),
        (("edge.cfg", "edge.cfg", "--format", "sarif"), "for changes in git"),
        (("edge.cfg", "edge.cfg", "--fail-on", "wider"), "for changes in git"),
    ],
)
def test_wrong_use(gerbang, branches, words, said):
    code, out, err = gerbang("diff", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert not Path("x").exists()


def test_branches_without_a_common_commit(gerbang, branches):
    branches("checkout", "--quiet", "--orphan", "other")
    branches.commit(**{"edge.cfg": EDGE})
    code, _, err = gerbang("diff", "--base", "main")
    assert code == 2
    assert "main and HEAD have no commit in common" in err


def test_outside_of_a_repository(gerbang, repository, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, _, err = gerbang("diff", "--staged")
    assert code == 2
    assert "not a git repository" in err
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in gerbang("diff", "--staged")[2]


# -- samples for users -------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path, monkeypatch):
    """``gerbang`` on the PATH, as it is in this tree."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "gerbang"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m compiler "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_the_hook_refuses_what_cannot_be_read_and_tells_the_rest(repository, command):
    repository.commit(**{"edge.cfg": EDGE})
    shutil.copy(ROOT / "templates/review/pre-commit", repository.folder / ".git/hooks/pre-commit")
    Path("edge.cfg").write_text(WIDER)
    repository("add", "--all")
    done = repository("commit", "--message", "wider")
    assert "edge.cfg: wider" in done.stdout + done.stderr
    Path("edge.cfg").write_text(WIDER.replace("permit", "prmit"))
    repository("add", "--all")
    done = repository("commit", "--message", "broken", check=False)
    assert done.returncode == 1
    assert "edge.cfg:5:17: 'prmit' is not known here" in done.stdout + done.stderr
    assert repository("log", "--format=%s").stdout.split() == ["wider", "change"]


def test_the_samples_name_options_that_there_are():
    from compiler.cli.main import build_parser
    from compiler.cli.verbs import Registered, load

    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["language"] for hook in hooks] == ["python", "python"]
    lines = [hook["entry"] for hook in hooks]
    github = yaml.safe_load((ROOT / "templates/review/github.yml").read_text())
    gitlab = yaml.safe_load((ROOT / "templates/review/gitlab-ci.yml").read_text())
    steps = [step.get("run", "") for step in github["jobs"]["review"]["steps"]]
    lines += [line for text in (*steps, *gitlab["policy review"]["script"]) for line in text.splitlines()]
    lines += (ROOT / "templates/review/pre-commit").read_text().splitlines()
    commands = [
        line.split(">")[0].replace("|| true", "").split()[1:]
        for line in map(str.strip, lines)
        if line.startswith("gerbang ")
    ]
    assert len(commands) >= 9
    for verb, *words in commands:
        registered = Registered(verb, f"compiler.cli.{verb}:verb", "gerbang")
        build_parser(registered, load(registered)).parse_args(words)
