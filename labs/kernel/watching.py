"""The watch of a balanced router: the daemon itself (``gerbang balance watch``), in the router's namespace."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from compiler.deploy.linux.status import read_status
from compiler.errors import UsageError
from labs.kernel.nodes import KernelNode
from labs.topology import Balanced

__all__ = ["KernelWatch"]

_PATIENCE = 20.0
"""Seconds until it has begun; a busy machine is slow to start Python."""
_GOODBYE = 5.0
_LOOK = 0.02


class KernelWatch:
    """One daemon, begun and ready when it is made. :meth:`close` ends it, by its own process.

    UsageError when it does not begin.
    """

    def __init__(self, node: KernelNode, balance: Balanced) -> None:
        self.node = node
        self._folder = TemporaryDirectory(prefix="gerbang-watch-")
        self._said = Path(self._folder.name, "said")
        # A new process is where the thread is that makes it.
        with self._said.open("wb") as said, node.namespace.inside():
            self._process = subprocess.Popen(
                _command(balance, self._folder.name),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await()
        except BaseException:
            self.close()
            raise

    @property
    def why_ended(self) -> str:
        """What it said last, when it has ended by itself; else empty."""
        if self._process.poll() is None:
            return ""
        return f"the watch of {self.node.node.name} ended with {self._process.returncode}: {self._last()}"

    def close(self) -> None:
        """End it and remove what it wrote."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_GOODBYE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()

    def _await(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = read_status(Path(self._folder.name))
            if found and found["running"]:
                return
            if self.why_ended:
                raise UsageError(self.why_ended)
            if time.monotonic() > deadline:
                raise UsageError(f"the watch of {self.node.node.name} does not begin: {self._last()}")
            time.sleep(_LOOK)

    def _last(self) -> str:
        return self._said.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]


def _command(balance: Balanced, folder: str) -> list[str]:
    probing = balance.watch
    assert probing is not None
    return [
        *(sys.executable, "-m", "compiler", "balance", "watch", str(balance.intent.absolute()), "--state", folder),
        *("--interval", f"{probing.interval / 1e9:.9f}", "--timeout", f"{probing.timeout / 1e9:.9f}"),
        *("--misses", str(probing.misses), "--replies", str(probing.replies)),
        *(["--every-probe"] if probing.every_probe else []),
        *(["--no-damping"] if not probing.half_life else []),
    ]
