"""What the shells would offer, asked of the shells themselves where they are installed."""

import shutil
import subprocess

import pytest

from compiler.cli.main import main
from compiler.cli.verbs import BUILT_IN


@pytest.fixture
def script(capsys):
    def made(shell):
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return made


def offered_by_bash(script, *words, folder):
    """COMPREPLY for a command line whose last word is being completed."""
    array = " ".join(f"'{word}'" for word in words)
    program = (
        f"{script}\nCOMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _gerbang; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    result = subprocess.run(["bash", "-eu", "-c", program], capture_output=True, text=True, cwd=folder, check=True)
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gerbang", "com"], ["compile", "completion"]),
        (["gerbang", "--v"], ["--version"]),
        (["gerbang", "compile", "--to", ""], ["ios", "nftables", "routeros"]),
        (["gerbang", "compile", "--routeros", ""], ["6", "7"]),
        (["gerbang", "compile", "rou"], ["router.cfg"]),
        (["gerbang", "compile", "-o", "rou"], ["router.cfg"]),
        (["gerbang", "compile", "--unm"], ["--unmodelled"]),
        (["gerbang", "prove", "a.cfg", "rou"], ["router.cfg"]),
        (["gerbang", "completion", ""], ["bash", "zsh", "fish"]),
        (["gerbang", "compile", "--list", ""], []),
    ],
)
def test_bash(script, tmp_path, words, expected):
    (tmp_path / "router.cfg").touch()
    assert offered_by_bash(script("bash"), *words, folder=tmp_path) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_knows_each_verb(script, shell):
    text = script(shell)
    assert [name for name in BUILT_IN if name not in text] == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_shell_can_read_its_script(script, tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "script"
    path.write_text(script(shell))
    assert subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False).stderr == ""
