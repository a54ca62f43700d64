"""Results are written whole, and coloured only for people."""

import io
import os
import stat

import pytest

from compiler.cli.output import Paint, write_whole
from compiler.errors import UsageError


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def plain_environment(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_new_file_has_the_mode_that_umask_leaves(tmp_path):
    path = tmp_path / "out"
    before = os.umask(0o027)
    try:
        write_whole(str(path), "wörd\n")
    finally:
        os.umask(before)
    assert path.read_bytes() == "wörd\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_an_old_file_keeps_its_mode_and_its_links(tmp_path):
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    write_whole(str(link), "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(str(path), "new \udc80")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_device_is_written_to(tmp_path):
    write_whole(os.devnull, "text")
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize("name", ["missing/out", "."])
def test_what_cannot_be_written_is_said(tmp_path, name):
    with pytest.raises(UsageError, match="cannot write"):
        write_whole(str(tmp_path / name), "text")


@pytest.mark.usefixtures("plain_environment")
def test_colours_on_a_terminal():
    assert Paint(Terminal()).bad("no") == "\x1b[1;31mno\x1b[0m"
    assert Paint(io.StringIO()).bad("no") == "no"


@pytest.mark.usefixtures("plain_environment")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert Paint(Terminal()).good("yes") == "yes"
