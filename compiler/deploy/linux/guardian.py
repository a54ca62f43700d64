"""The process that takes a deployment back when nobody confirms it: ``python -m compiler.deploy.linux.guardian``.

It is on its own before the first change is made: in a session of its own, in
the namespace where it was started, with no terminal. With ``--now`` it acts at
once; so systemd's timers call it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.records import Records, now

__all__ = ["Watched", "arm", "main", "stand_guard"]

_NAP = 0.2
_TRIES = 20
_UNIT = "gerbang-return"
_READY = "ready"


class Watched(Protocol):
    """What a guardian knows of a deployment that waits."""

    @property
    def identity(self) -> str:
        """Its name."""

    @property
    def remaining(self) -> int:
        """Seconds that are left."""


class Guarded(Protocol):
    """What a guardian watches: a folder whose record goes when the deployment is confirmed."""

    folder: Path

    def remaining(self, identity: str) -> float:
        """Seconds until the deployment is to be taken back; none when its time is over, or it waits no more."""

    def put_back(self, identity: str) -> None:
        """Take the deployment back, if it still waits. DeployError when the kernel does not allow it now."""


def arm(folder: Path, waiting: Watched, module: str = "compiler.deploy.linux.guardian") -> None:
    """Start the guardian, and wait until it watches. DeployError when it does not come up.

    ``module`` is run by its name; its ``main`` is :func:`stand_guard` over what it guards.

    systemd's timers run in the namespace of the first process: elsewhere, and
    where systemd does not run, the guardian waits by itself.
    """
    if Path("/run/systemd/system").is_dir() and _is_first_namespace() and _by_systemd(folder, waiting, module):
        return
    command = [sys.executable, "-m", module, str(folder), waiting.identity]
    try:
        done = subprocess.run(
            command,
            env=_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeployError(f"the guardian does not start, so nothing was changed: {error}") from error
    if done.stdout.decode().strip() != _READY:
        raise DeployError("the guardian does not start, so nothing was changed")


def _environment() -> dict[str, str]:
    """Ours, and where our own package lies, for the guardian starts elsewhere."""
    root = str(Path(__file__).resolve().parents[3])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _is_first_namespace() -> bool:
    try:
        return os.readlink("/proc/thread-self/ns/net") == os.readlink("/proc/1/ns/net")
    except OSError:
        return False


def _by_systemd(folder: Path, waiting: Watched, module: str) -> bool:
    command = [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={_UNIT}-{waiting.identity}",
        f"--on-active={max(1, waiting.remaining)}s",
        "--timer-property=AccuracySec=1s",
        f"--setenv=PYTHONPATH={_environment()['PYTHONPATH']}",
        sys.executable,
        "-m",
        module,
        str(folder.resolve()),
        waiting.identity,
        "--now",
    ]
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class _Balance:
    """The balance of one folder of records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records = Records(folder)

    def remaining(self, identity: str) -> float:
        waiting = self._records.waiting()
        return 0 if waiting is None or waiting.identity != identity else waiting.deadline - now()

    def put_back(self, identity: str) -> None:
        from compiler.deploy.linux.kernel import open_kernel
        from compiler.deploy.linux.returning import put_back

        with self._records.alone():
            waiting = self._records.waiting()
            if waiting is not None and waiting.identity == identity:
                with open_kernel() as kernel:
                    put_back(kernel, self._records, waiting)


def main(arguments: list[str]) -> int:
    """Guard the balance of the folder that the arguments name."""
    return stand_guard(arguments, _Balance(Path(arguments[0])))


def stand_guard(arguments: list[str], guarded: Guarded) -> int:
    """Wait for the deadline, and put back; leave as soon as the deployment waits no more.

    ``arguments`` are those that :func:`arm` gives: the folder, the identity, and ``--now``.
    """
    identity = arguments[1]
    if "--now" not in arguments:
        if os.fork():
            os._exit(0)  # the caller has waited for this one; the other lives on
        os.setsid()
        os.write(1, f"{_READY}\n".encode())
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        while guarded.remaining(identity) > 0:
            time.sleep(_NAP)
    for _ in range(_TRIES):
        try:
            guarded.put_back(identity)
            return 0
        except DeployError as error:
            print(error, file=sys.stderr)
        time.sleep(_NAP)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
