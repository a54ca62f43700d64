"""The tour of the README prints what it says. Run as a program, this file writes what is printed into the README."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```(?:yaml|python)\n(# (\S+\.\w+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block whose first line is a comment with the name of a file."""
ROUTER = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def played(readme, folder):
    """The README with what its commands print now; they run in ``folder``, one after another."""
    (router,) = ROUTER.findall(readme)
    Path(folder, "router.cfg").write_text(router)
    Path(folder, "labs").symlink_to(ROOT / "labs")
    for text, name in FILE.findall(readme):
        Path(folder, name).write_text(text)

    def play(block):
        commands = re.findall(r"^\$ (.*)$", block.group(1), re.MULTILINE)
        return "```console\n" + "".join(f"$ {command}\n{printed(command, folder)}" for command in commands) + "```"

    return CONSOLE.sub(play, readme)


def printed(command, folder):
    """What a shell prints for it, both streams."""
    alias = f'gerbang() {{ "{sys.executable}" -m compiler "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", alias + command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def test_the_tour(tmp_path):
    readme = README.read_text()
    assert len(re.findall(r"^\$ gerbang ", readme, re.MULTILINE)) >= 7
    assert timeless(played(readme, tmp_path)) == timeless(readme)


def timeless(text):
    """Without what a clock says."""
    return re.sub(r"\b[0-9.]+ (s\b|million packets a second)", r"… \1", text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        README.write_text(played(README.read_text(), scratch))
