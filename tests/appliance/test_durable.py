"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from appliance import durable


def test_what_is_put_has_its_mode_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content, mode in ((b"one", 0o600), (b"two", 0o644)):
        before = os.umask(0o077)
        try:
            durable.put(path, content, mode)
        finally:
            os.umask(before)
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (content, mode)
    assert os.listdir(tmp_path) == ["x"]


def test_what_cannot_be_put_leaves_the_old_one_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    durable.put(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            durable.put(path, b"new")
    assert (os.listdir(tmp_path), path.read_bytes()) == (["x"], b"old")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"p")
    (tmp_path / ".x.new").symlink_to(tmp_path / "precious")
    (tmp_path / "x").symlink_to(tmp_path / "precious")
    durable.put(tmp_path / "x", b"new")
    assert (tmp_path / "precious").read_bytes() == b"p"
    assert (tmp_path / "x").read_bytes() == b"new"
    with pytest.raises(FileExistsError):
        durable.write(tmp_path / "precious", b"", 0o600)


def test_a_folder_goes_from_its_name_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "f"
    durable.make_folder(folder, 0o750)
    (folder / "x").write_bytes(b"")
    durable.move(folder, tmp_path / "g")
    durable.point(tmp_path / "now", "g")
    durable.point(tmp_path / "now", "h")
    assert os.readlink(tmp_path / "now") == "h"
    monkeypatch.setattr("shutil.rmtree", lambda path, **options: None)
    durable.remove(tmp_path / "g")
    assert sorted(os.listdir(tmp_path)) == [".old-g", "now"]
