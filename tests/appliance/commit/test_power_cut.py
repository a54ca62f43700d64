"""What a power cut may leave of a commit: nothing is named before it is on the disk, no step begun before the last one.

Source: Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014): what was not synced may be there in part,
as zeros, or not at all, and a name that was not synced with its folder may be the old one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.commit.journal import Journal, read_journal, write_journal
from appliance.commit.results import Ending
from tests.appliance.commit.parts import ModelMachine, Part, commits_of, stands_whole

OLD = (Part(name="web", text="w1"), Part(name="db", text="d1", secret=True))
NEW = (Part(name="web", text="w2"), Part(name="mail", text="m2"))
NEVER_MATTERS = {"lock", "generations", "0"}
"""A note for people, and folders that are made again when they are missing."""


class Disk:
    """What is not on the disk yet: the content of files, and names in folders."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.content: set[Path] = set()
        self.names: set[Path] = set()
        self.wrong: list[str] = []
        self.journals = 0
        self._open: dict[int, Path] = {}
        self._real = {name: getattr(os, name) for name in ("open", "write", "fsync", "close")}
        self._real |= {name: getattr(os, name) for name in ("replace", "rename", "symlink", "mkdir")}
        for name in self._real:
            monkeypatch.setattr(os, name, getattr(self, name))

    def open(self, path: Any, flags: int, *rest: Any, **options: Any) -> int:
        there = os.path.lexists(path)
        descriptor: int = self._real["open"](path, flags, *rest, **options)
        self._open[descriptor] = Path(path)
        if flags & os.O_CREAT and not there:
            self.names.add(Path(path))
            self.content.add(Path(path))
        return descriptor

    def write(self, descriptor: int, content: Any) -> int:
        if descriptor in self._open:
            self.content.add(self._open[descriptor])
        written: int = self._real["write"](descriptor, content)
        return written

    def fsync(self, descriptor: int) -> None:
        path = self._open[descriptor]
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self.names = {name for name in self.names if name.parent != path}
        else:
            self.content.discard(path)

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        self._real["close"](descriptor)

    def mkdir(self, path: Any, *rest: Any, **options: Any) -> None:
        self._real["mkdir"](path, *rest, **options)
        self.names.add(Path(path))

    def symlink(self, target: Any, path: Any, **options: Any) -> None:
        self._real["symlink"](target, path, **options)
        self.names.add(Path(path))

    def rename(self, source: Any, target: Any) -> None:
        self._moved("rename", Path(source), Path(target))

    def replace(self, source: Any, target: Any) -> None:
        self._moved("replace", Path(source), Path(target))

    def _moved(self, verb: str, source: Path, target: Path) -> None:
        below = {path for path in self.content | self.names if path.is_relative_to(source)}
        # The name itself is given by this very call.
        late = below - {source} | (self.content & {source})
        if late and not target.name.startswith("."):
            self.wrong.append(f"{target} is named before {sorted(map(str, late))}")
        if target.name == "journal.json":
            self.journals += 1
            self.wrong += [f"the journal goes on before {name}" for name in self.matter()]
        self._real[verb](source, target)
        self.content -= below
        self.names -= below
        self.names.add(target)

    def matter(self) -> list[Path]:
        """Names under their final name that may be lost."""
        found = {name for name in self.names if not name.name.startswith(".") and name.name not in NEVER_MATTERS}
        return sorted(name for name in found if not any(part.startswith(".") for part in name.parent.parts))


@contextmanager
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    with monkeypatch.context() as patched:
        yield Disk(patched)


def test_no_step_of_a_commit_is_begun_before_the_one_before_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = ModelMachine()
    commits = commits_of(tmp_path, machine)
    with disk(monkeypatch) as watched:
        commits.commit(OLD, "ana")
        commits.commit(NEW, "ana", confirm_within=600)
        commits.rollback(who="ana")
        commits.commit(NEW, "ana")
        (tmp_path / "journal.json").unlink()
        commits.rescue("ana")
        assert commits.commit(OLD, "ana").ending is Ending.CONFIRMED
    commits.close()
    assert watched.wrong == []
    assert watched.matter() == []
    assert watched.content <= {tmp_path / "lock"}
    assert watched.journals > 20
    stands_whole(tmp_path, machine)


def test_a_power_cut_at_any_step_of_a_write_leaves_the_old_journal_or_the_new_one(tmp_path: Path) -> None:
    """The steps themselves, as the disk sees them: until the new one has its name, nothing of the old is touched."""
    journal = tmp_path / "journal.json"
    write_journal(journal, Journal(standing=1, last=1))
    steps = ("write", "fchmod", "fsync", "replace")
    for name in steps:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(os, name, _cut)
            with pytest.raises(OSError, match="cut"):
                write_journal(journal, Journal(standing=2, last=2))
        assert read_journal(journal).standing == 1
        assert os.listdir(tmp_path) == ["journal.json"]
    (tmp_path / ".journal.json.new").write_bytes(b'{"standing": 2, "la')  # it died in the middle of it
    assert read_journal(journal).standing == 1
    write_journal(journal, Journal(standing=2, last=2))
    assert (read_journal(journal).standing, os.listdir(tmp_path)) == (2, ["journal.json"])


def _cut(*_: Any, **__: Any) -> Any:
    raise OSError(5, "cut")
