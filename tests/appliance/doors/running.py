"""A real daemon and a real web door, each a process, for a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ENTRY = "[gerbang.services]\nlobby = tests.appliance.doors.lobby:service\n"


class Processes:
    """``public``: with the lobby, which has something for visitors."""

    def __init__(self, folder: Path, *, public: bool, words: tuple[str, ...] = ()) -> None:
        self.socket = folder / "api.sock"
        self.environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1")
        if public:
            installed = folder / "site" / "lobby-1.0.dist-info"
            installed.mkdir(parents=True)
            (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: lobby\nVersion: 1.0\n")
            (installed / "entry_points.txt").write_text(ENTRY)
            self.environment["PYTHONPATH"] += os.pathsep + str(installed.parent)
        self.daemon = self._start(folder / "daemon.log", "appliance", "run", "--demo", "--socket", str(self.socket))
        try:
            self._line(self.daemon, "ready ")
            self.log = folder / "door.log"
            self.door = self._start(self.log, "web", "--socket", str(self.socket), "--port", "0", *words)
            self.origin = self._line(self.door, "The console is at ").split()[-1]
        except BaseException:
            self.daemon.kill()
            self.daemon.wait()
            raise

    def _start(self, log: Path, *words: str) -> subprocess.Popen[str]:
        with log.open("w") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "compiler", *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=self.environment,
            )

    def _line(self, process: subprocess.Popen[str], start: str) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(start):
                return line
        raise AssertionError(f"it ended with {process.wait()} and never said {start!r}")

    def consoles(self) -> dict[int, str]:
        """The processes of consoles of this door, and their words."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    words = (entry / "cmdline").read_bytes().decode().replace("\0", " ").strip()
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except (OSError, ValueError):
                    continue
                if re.search(r" console --socket ", words) and str(self.socket) in words and parent == self.door.pid:
                    found[int(entry.name)] = words
        return found

    def stop(self) -> None:
        """End both."""
        for process in (self.door, self.daemon):
            process.terminate()
            process.wait(20)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
