"""The frame of the command: verbs, help, errors, exit codes."""

import os
import subprocess
import sys

import pytest

from compiler.cli.main import main
from compiler.cli.verbs import BUILT_IN


def gerbang(*arguments, stdin=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "compiler", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_help_names_each_verb_with_its_summary(capsys):
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in BUILT_IN:
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert len(line.split()) > 3


def test_no_arguments_is_wrong_use(capsys):
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: gerbang")


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("gerbang 0.")


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_verb_has_help(name, capsys):
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: gerbang {name}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chekc"], "unknown verb 'chekc': did you mean 'check'?"),
        (["zzz"], "unknown verb 'zzz': see gerbang --help"),
        (["--verbos"], "unknown option '--verbos'"),
        (["compile"], "the following arguments are required: FILE, --to"),
        (["compile", "x", "--to", "junos"], "invalid choice: 'junos'"),
        (["compile", "x", "--to", "ios", "--verb"], "unrecognized arguments: --verb"),
        (["compile", "x", "--to", "ios", "--interface", "a"], "'a': expected A=B"),
        (["compile", "x", "--to", "ios", "--address-limit", "0"], "expected a whole number above zero"),
        (["compile", "/does/not/exist", "--to", "ios"], "cannot read '/does/not/exist': No such file or directory"),
        (["prove", "-", "-"], "only one of the two can be standard input"),
    ],
)
def test_wrong_use_is_said_and_exits_with_2(words, said, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_an_empty_input_is_refused():
    result = gerbang("compile", "-", "--to", "nftables", stdin=" \n")
    assert (result.returncode, result.stderr) == (2, "gerbang compile: <stdin> is empty\n")


def test_an_input_error_begins_with_its_place():
    result = gerbang("compile", "-", "--to", "nftables", stdin="access-list 101 permt ip any any\n")
    assert result.returncode == 2
    assert result.stdout == ""
    first, second, third = result.stderr.splitlines()[:3]
    assert first.startswith("<stdin>:1:17: ")
    assert second.strip() == "access-list 101 permt ip any any"
    assert third.strip() == "^" * len("permt")


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m compiler completion bash | head -c 1"
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert result.returncode in (0, 141)


def in_shell(command, **environment):
    return subprocess.run(
        ["sh", "-c", f"{sys.executable} -m compiler {command}"],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture
def unbound(tmp_path):
    """A configuration that every verb takes as it stands."""
    path = tmp_path / "unbound.cfg"
    path.write_text("access-list 101 permit ip any any\n")
    return path


WRITING = [
    ("explain", "explain {}"),
    ("compile", "compile {} --to ios --no-proof"),
    ("check", "check {} --format json"),
    ("completion", "completion bash"),
    ("explain", "explain --help"),
]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirection", "why"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")], ids=["full", "closed"]
)
@pytest.mark.parametrize(("verb", "command"), WRITING)
def test_output_that_cannot_be_written(verb, command, redirection, why, unbuffered, unbound):
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    result = in_shell(f"{command.format(unbound)} {redirection}", PYTHONUNBUFFERED=unbuffered)
    assert result.returncode == 2
    assert f"gerbang {verb}: cannot write the output: {why}\n" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_the_frame_itself_cannot_be_written():
    result = in_shell("--help >&-")
    assert (result.returncode, result.stderr) == (2, "gerbang: cannot write the output: it is closed\n")


def test_a_closed_output_does_not_matter_where_nothing_is_written_to_it(unbound, tmp_path):
    result = in_shell(f"compile {unbound} --to ios -o {tmp_path / 'out'} >&-")
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    assert (tmp_path / "out").read_text()


def test_messages_that_cannot_be_written_leave_the_exit_code():
    assert in_shell("check /does/not/exist 2>&-").returncode == 2
    closed = in_shell("completion bash 2>&-")
    assert (closed.returncode, closed.stdout) == (0, in_shell("completion bash").stdout)
    if os.path.exists("/dev/full"):
        assert in_shell("check /does/not/exist 2>/dev/full").returncode == 2


def test_an_interrupt_leaves_no_traceback(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    from compiler.cli import completion

    monkeypatch.setattr(completion, "verb", completion.verb._replace(run=interrupted))
    assert main(["completion", "bash"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from compiler.cli.main import main; main(['--help']); "
        "print(sorted({'numpy', 'oxidd', 'netaddr', 'jinja2', 'json', 'dataclasses', 'importlib.metadata'}"
        " & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
