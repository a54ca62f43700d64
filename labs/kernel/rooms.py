"""Where a node's processes run: its network, and mounts, processes and a host name of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from compiler.addresses import format_address
from compiler.errors import UsageError
from labs.kernel.namespaces import Namespace
from labs.programs import Command
from labs.topology import Node

__all__ = ["Room", "search_path"]

_ENCLOSURE = Path(__file__).with_name("enclosure.py")
_SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_PYTHON = (sys.executable, "-I", "-S", str(_ENCLOSURE))


def search_path() -> str:
    """Where commands are looked for: beside this Python, where the caller looks, and where daemons are."""
    folders = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep), *_SYSTEM]
    return os.pathsep.join(dict.fromkeys(folder for folder in folders if folder))


class Room:
    """The namespaces of one node's processes. Whatever is in them ends with :meth:`close`, or with this process.

    ``shared`` is a folder that all nodes of the lab see, ``descriptors`` how many
    files a process may open. UsageError where it cannot be made.
    """

    def __init__(
        self, node: Node, namespace: Namespace, *, folder: Path, shared: Path, descriptors: int, kept: Sequence[Path]
    ) -> None:
        self.node = node
        self.namespace = namespace
        self._descriptors = descriptors
        self._environment = {
            **os.environ,
            "PATH": search_path(),
            "PYTHONUNBUFFERED": "1",
            "LAB_NODE": node.name,
            "LAB_FOLDER": str(folder.resolve()),
            "LAB_SHARED": str(shared),
        }
        plan = {
            "name": node.name,
            "private": list(node.private),
            "kept": [str(one.resolve()) for one in (folder, shared, *kept)],
            "resolver": self._resolver(shared.parent),
        }
        with namespace.inside():
            self._holder = subprocess.Popen(
                [*_PYTHON, "hold", json.dumps(plan)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        assert self._holder.stdout is not None
        said = json.loads(self._holder.stdout.readline() or '{"pid": 0, "error": "it said nothing"}')
        self._pid = int(said["pid"])
        if said["error"] or not self._pid:
            self.close()
            raise UsageError(f"the processes of {node.name} get no place of their own: {said['error']}")

    def start(self, command: Command, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Begin a command: the leader of a group of processes, in a session of its own."""
        plan = {
            "words": list(command.words),
            "folder": str(command.folder.resolve()),
            "descriptors": self._descriptors,
        }
        return subprocess.Popen(
            [*_PYTHON, "enter", str(self._pid), json.dumps(plan)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env=self._environment | dict(command.environment),
        )

    def path(self, name: str) -> str:
        """A file of the room, as this process sees it."""
        return f"/proc/{self._pid}/root/{name.lstrip('/')}"

    def close(self) -> None:
        """Let the first process end, and with it all the others."""
        if self._holder.stdin is not None:
            self._holder.stdin.close()
        self._holder.wait()
        if self._holder.stdout is not None:
            self._holder.stdout.close()

    def _resolver(self, folder: Path) -> str:
        """A resolv.conf(5) for a node that has a name server; else it has the machine's."""
        if self.node.name_server is None:
            return ""
        width = 32 if self.node.name_server < 1 << 32 else 128
        file = folder / f"resolv.conf.{self.node.name}"
        file.write_text(f"nameserver {format_address(self.node.name_server, width)}\n")
        file.chmod(0o644)
        return str(file)
