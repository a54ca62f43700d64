"""Postfix, Dovecot and the limits, run by the appliance's own supervisor in namespaces; without the filter."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from appliance.components.daemon import Daemon
from appliance.contract.components import Component
from appliance.contract.programs import Program
from appliance.helper.packages import make_user
from appliance.services.mail.components import PROGRAMS, parts
from appliance.services.mail.description import MailDescription
from labs.kernel.namespaces import Namespace
from tests.appliance.services.mail.daemons.wishes import SERVER, certificate, wish

__all__ = ["CLIENT", "OURS", "Ward", "needs_daemons"]

CLIENT = "192.168.10.11"
OURS = ("mail.limits", "mail.dovecot", "mail.postfix")
NAMED = {program.name: program for program in PROGRAMS}
_COVERED = 'mount -t tmpfs none /run && mount -t tmpfs none /var/lib && exec "$@"'


def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    missing = [
        one for one in ("postfix", "dovecot", "unshare", "ip") if not shutil.which(one, path="/usr/sbin:/usr/bin")
    ]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", _COVERED, "sh", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "namespaces cannot be made here"


needs_daemons = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")


class Ward:
    """Use it in a ``with``."""

    def __init__(self, described: MailDescription | None = None) -> None:
        self.described = described or wish()
        self._stack = ExitStack()
        self._numbers = count(1)
        self.took: dict[str, float] = {}

    def __enter__(self) -> Ward:
        self._stack.__enter__()
        try:
            make_user("mail", "gerbang-mail")
            # Not in /tmp: behind the walls of a trial (appliance.helper.walls) it would stay, without a place to write,
            # and doveconf of Dovecot 2.4 writes there.
            folder = tempfile.TemporaryDirectory(prefix="gerbang-ward-", dir="/var/tmp")
            self.folder = Path(self._stack.enter_context(folder))
            self.folder.chmod(0o755)
            self.network = self._stack.enter_context(Namespace("ward"))
            with self.network.inside():
                for words in (f"addr add {SERVER}/24 dev lo", f"addr add {CLIENT}/24 dev lo", "link set lo up"):
                    subprocess.run(["ip", *words.split()], check=True)
                self._process = subprocess.Popen(
                    [
                        "unshare",
                        "--mount",
                        "sh",
                        "-c",
                        _COVERED,
                        "sh",
                        sys.executable,
                        "-m",
                        f"{__package__}.supervising",
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=Path(__file__).parents[5],
                    text=True,
                )
            self._stack.callback(self._end)
            self.wish(self.described)
            self._listening()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        self._process.communicate(timeout=60)

    def _listening(self) -> None:
        """Postfix opens its ports one after the other, and is taken for ready by the first."""
        deadline = time.monotonic() + 60
        with self.network.inside():
            for port in (587, 465):
                while not _open(self.described.address, port):
                    assert time.monotonic() < deadline, port
                    time.sleep(0.02)

    def wish(self, described: MailDescription) -> None:
        """Make the daemons serve this."""
        self.described = described
        self.files = self.written(self.components(described))
        for name in OURS:
            assert self.do("start", name, self.files[name]) == "ready"

    def components(self, described: MailDescription) -> tuple[Component, ...]:
        """Ours, and a certificate; Postfix asks no filter."""
        found = []
        for one in parts(described):
            if isinstance(one, Daemon) and one.name == "mail.postfix":
                found.append(replace(one, values={**one.values, "milter": ""}))
            elif one.name not in {"mail.clamd", "mail.rspamd", "mail.senders", "mail.records"}:
                found.append(one)
        return (*found, certificate())

    def written(self, components: Sequence[Component], *, without: str = "") -> Mapping[str, str]:
        """The folder of each program's files, with what it reads beside it, as the helper gives them."""
        home = self.folder / str(next(self._numbers))
        rendered = {one.name: one.render() for one in components}
        folders = {}
        for name in OURS:
            program = NAMED[name]
            for other in (name, *program.reads):
                for file in rendered[other]:
                    if f"{other}/{file.path}" != without:
                        _write(home / name / other / file.path, file.content, file.mode, program)
            folders[name] = str(home / name / name)
        for folder, _, _ in os.walk(home):
            Path(folder).chmod(0o755)
        return folders

    def do(self, what: str, name: str, files: str = "") -> str:
        """``start``, ``stop``, ``check``, ``shadow`` or ``log``; what is said. Raises RuntimeError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, name, files]) + "\n")
        self._process.stdin.flush()
        answer: Any = json.loads(self._process.stdout.readline())
        self.took[f"{what} {name}"] = answer["seconds"]
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return str(answer["said"])

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread in the network of the daemons."""
        with self.network.inside():
            yield

    def path(self, path: str) -> Path:
        """A file as the daemons see it."""
        return Path(f"/proc/{self._process.pid}/root{path}")


def _open(address: str, port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((address, port)) == 0


def _write(path: Path, content: bytes, mode: int, program: Program) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    group = grp.getgrnam(program.readers).gr_gid if program.readers else pwd.getpwnam("root").pw_gid
    os.chown(path, 0, group)
    path.chmod(mode)
