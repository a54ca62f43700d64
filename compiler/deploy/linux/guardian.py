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

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.records import Records, Waiting, now

__all__ = ["arm", "main"]

_NAP = 0.2
_TRIES = 20
_UNIT = "gerbang-return"
_READY = "ready"


def arm(records: Records, waiting: Waiting) -> None:
    """Start the guardian, and wait until it watches. DeployError when it does not come up.

    systemd's timers run in the namespace of the first process: elsewhere, and
    where systemd does not run, the guardian waits by itself.
    """
    if Path("/run/systemd/system").is_dir() and _is_first_namespace() and _by_systemd(records, waiting):
        return
    command = [sys.executable, "-m", "compiler.deploy.linux.guardian", str(records.folder), waiting.identity]
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


def _by_systemd(records: Records, waiting: Waiting) -> bool:
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
        "compiler.deploy.linux.guardian",
        str(records.folder.resolve()),
        waiting.identity,
        "--now",
    ]
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main(arguments: list[str]) -> int:
    """Wait for the deadline, and put back; leave as soon as the deployment waits no more."""
    folder, identity = arguments[:2]
    records = Records(Path(folder))
    if "--now" not in arguments:
        if os.fork():
            os._exit(0)  # the caller has waited for this one; the other lives on
        os.setsid()
        os.write(1, f"{_READY}\n".encode())
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        while _still(records, identity) > 0:
            time.sleep(_NAP)
    waiting = records.waiting()
    if waiting is None or waiting.identity != identity:
        return 0
    from compiler.deploy.linux.kernel import open_kernel
    from compiler.deploy.linux.returning import put_back

    for _ in range(_TRIES):
        with records.alone():
            waiting = records.waiting()
            if waiting is None or waiting.identity != identity:
                return 0
            try:
                with open_kernel() as kernel:
                    put_back(kernel, records, waiting)
                return 0
            except DeployError as error:
                print(error, file=sys.stderr)
        time.sleep(_NAP)
    return 1


def _still(records: Records, identity: str) -> float:
    """Seconds to wait; none when the time is over, or the deployment waits no more."""
    waiting = records.waiting()
    return 0 if waiting is None or waiting.identity != identity else waiting.deadline - now()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
