"""Debian packages of a service, installed without letting their daemons start by themselves."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from appliance.supervisor.bounded import Outcome, run
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["install"]

WITHIN = 1_800.0
"""Seconds for apt."""
POLICY = Path("/usr/sbin/policy-rc.d")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+", re.ASCII)
"""Debian Policy 5.6.7."""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_TURN = threading.Lock()
Run = Callable[[Sequence[str]], Outcome]


def _apt(words: Sequence[str]) -> Outcome:
    return run(words, environment=_ENVIRONMENT, within=WITHIN)


def install(service: str, packages: Sequence[str], *, run: Run = _apt, policy: Path = POLICY) -> None:
    """Install what is missing. Raises SupervisionFailed with apt's words."""
    for name in packages:
        if not _PACKAGE.fullmatch(name):
            raise SupervisionFailed(service, f"{name!r} is no Debian package's name")
    if not packages:
        return
    with _TURN, _no_daemon_starts(policy):
        words = ("apt-get", "install", "--yes", "--no-install-recommends", "--", *packages)
        outcome = run(words)
        if not outcome.fine:
            # The lists may be old or not there at all.
            run(("apt-get", "update"))
            outcome = run(words)
    if not outcome.fine:
        raise SupervisionFailed(service, f"apt could not install {', '.join(packages)}", outcome.said)


@contextlib.contextmanager
def _no_daemon_starts(policy: Path) -> Iterator[None]:
    """invoke-rc.d(8) asks this script; 101 forbids. A script of the administrator's own stays as it is."""
    try:
        with policy.open("x", encoding="utf-8") as file:
            file.write("#!/bin/sh\n# Made by Gerbang while it installs packages.\nexit 101\n")
    except FileExistsError:
        yield
        return
    try:
        policy.chmod(0o755)
        yield
    finally:
        policy.unlink(missing_ok=True)
