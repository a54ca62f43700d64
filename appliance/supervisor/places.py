"""Where programs have their folders, and what ``{files}``, ``{run}`` and ``{state}`` stand for."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance import durable
from appliance.contract.programs import Program
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["PROGRAM_NAME", "Places", "make_folder"]

PROGRAM_NAME = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*", re.ASCII)
"""What a program may be called: its name is a folder, a file and a unit."""


@dataclass(frozen=True, slots=True)
class Places:
    """The two roots below which each program has a folder of its own. Both belong to the supervisor's user."""

    run: Path
    """Lives as long as the machine runs: ``/run/gerbang-programs``."""
    state: Path
    """Outlives it: ``/var/lib/gerbang-programs``."""

    def run_of(self, program: str) -> Path:
        """The program's ``{run}``."""
        return self.run / program

    def state_of(self, program: str) -> Path:
        """The program's ``{state}``."""
        return self.state / program

    def files_of(self, program: str) -> Path:
        """The link that ``{files}`` stands for, so that a reload by a signal reads the new generation."""
        return self.state / ".files" / program

    def log_of(self, program: str) -> Path:
        """The file of its output."""
        return self.state / ".log" / f"{program}.log"

    def record_of(self, program: str) -> Path:
        """What the next supervisor must know when this one dies."""
        return self.run / ".started" / f"{program}.json"

    def wish_of(self, program: str) -> Path:
        """That somebody wants it to run, also after the next boot."""
        return self.state / ".wanted" / f"{program}.json"

    def notify_of(self, program: str) -> Path:
        """The socket to which it says that it is ready."""
        return self.run / ".notify" / program

    def expanded(self, word: str, program: str, files: str = "") -> str:
        """One word of a command or a path. Other braces stay as they are."""
        return (
            word.replace("{files}", files or str(self.files_of(program)))
            .replace("{run}", str(self.run_of(program)))
            .replace("{state}", str(self.state_of(program)))
        )

    def prepare(self) -> None:
        """Make the roots and the supervisor's own folders."""
        for root in (self.run, self.state):
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o755)
        for folder in (".started", ".notify"):
            make_folder(self.run / folder, mode=0o755)
        make_folder(self.state / ".files", mode=0o755)
        for folder in (".wanted", ".log"):
            make_folder(self.state / folder, mode=0o750)

    def empty_run(self, program: str) -> None:
        """Take away what an earlier start left in ``{run}``, as systemd does: a socket that nobody serves is in the
        way of the next one. Only while the program does not run."""
        with suppress(FileNotFoundError), os.scandir(self.run_of(program)) as entries:
            for entry in entries:
                # It is its user's folder: what was there just now may be gone.
                with suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        os.unlink(entry.path)

    def prepare_for(self, program: Program, *, privileged: bool) -> None:
        """Make the program's folders, owned by its user. Raises SupervisionFailed when there is no such user."""
        owner, group = -1, -1
        if privileged and program.user:
            try:
                entry = pwd.getpwnam(program.user)
            except KeyError:
                raise SupervisionFailed(program.name, f"there is no user {program.user}") from None
            owner, group = entry.pw_uid, entry.pw_gid
        # Other programs reach its sockets through {run}; what it keeps is nobody else's.
        make_folder(self.run_of(program.name), mode=0o755, owner=owner, group=group)
        make_folder(self.state_of(program.name), mode=0o755 if program.passable else 0o750, owner=owner, group=group)

    def link_files(self, program: str, files: str) -> None:
        """Let ``{files}`` mean this folder from now on, in one step."""
        durable.point(self.files_of(program), files)

    def linked_files(self, program: str) -> str:
        """The folder that ``{files}`` means now, or an empty text."""
        try:
            return os.readlink(self.files_of(program))
        except OSError:
            return ""


def make_folder(path: Path, *, mode: int, owner: int = -1, group: int = -1) -> None:
    """Make one folder or set its rights. The parent belongs to us, so nobody swaps it meanwhile; a link is refused."""
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise SupervisionFailed(path.name, f"{path} is there and is no folder") from None
    if (owner, group) != (-1, -1):
        os.chown(path, owner, group, follow_symlinks=False)
    path.chmod(mode)
