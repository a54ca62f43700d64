"""Debian packages of a service, installed without letting their daemons start by themselves."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from appliance import durable
from appliance.supervisor.bounded import Outcome, run
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["displace", "install", "make_user", "take_away"]

WITHIN = 1_800.0
"""Seconds for apt."""
POLICY = Path("/usr/sbin/policy-rc.d")
BOOTED = Path("/run/systemd/system")
"""There when systemd is process 1 (sd_booted(3))."""
_SCRIPT = b"#!/bin/sh\n# Made by Gerbang while it installs packages.\nexit 101\n"
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+", re.ASCII)
"""Debian Policy 5.6.7."""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_REPAIR = "dpkg --configure -a"
"""What apt and dpkg ask for after a power cut in the middle of an installation; they do nothing else before."""
_TURN = threading.Lock()
Run = Callable[[Sequence[str]], Outcome]


def _apt(words: Sequence[str]) -> Outcome:
    return run(words, environment=_ENVIRONMENT, within=WITHIN)


def install(service: str, packages: Sequence[str], *, run: Run = _apt, policy: Path = POLICY) -> str:
    """Install what is missing; apt's words. Raises SupervisionFailed with them."""
    for name in packages:
        if not _PACKAGE.fullmatch(name):
            raise SupervisionFailed(service, f"{name!r} is no Debian package's name")
    if not packages:
        return ""
    with _TURN, _no_daemon_starts(policy):
        words = ("apt-get", "install", "--yes", "--no-install-recommends", "--", *packages)
        outcome = run(words)
        if not outcome.fine and _REPAIR in outcome.said:
            run(("dpkg", "--force-confdef", "--force-confold", "--configure", "-a"))
            outcome = run(words)
        if not outcome.fine:
            # The lists may be old or not there at all.
            run(("apt-get", "update"))
            outcome = run(words)
    if not outcome.fine:
        raise SupervisionFailed(service, f"apt could not install {', '.join(packages)}", outcome.said)
    return outcome.said


def displace(service: str, units: Sequence[str], *, run: Run = _apt, booted: Path = BOOTED) -> None:
    """Mask the units with which Debian would start the same daemons at the next boot. Raises SupervisionFailed.

    Where systemd is not installed there is none to mask; where it does not run
    the masks are for the boot after which it does (systemctl(1) of ``mask``).
    """
    if not units or shutil.which("systemctl", path=_ENVIRONMENT["PATH"]) is None:
        return
    now = ("--now",) if booted.is_dir() else ()
    outcome = run(("systemctl", "mask", "--quiet", *now, "--", *units))
    if not outcome.fine:
        raise SupervisionFailed(service, f"systemd does not mask {', '.join(units)}", outcome.said)


def make_user(service: str, name: str, *, run: Run = _apt) -> None:
    """A system user that owns a service's data and never logs in; one that is there stays. Raises SupervisionFailed."""
    try:
        pwd.getpwnam(name)
        return
    except KeyError:
        pass
    words = ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
    outcome = run((*words, "--shell", "/usr/sbin/nologin", "--", name))
    if not outcome.fine:
        raise SupervisionFailed(service, f"the user {name} cannot be made", outcome.said)


def take_away(policy: Path = POLICY) -> None:
    """Take the script away that an installation left when we were killed. One of the administrator's own stays."""
    with contextlib.suppress(OSError):
        if policy.read_bytes() == _SCRIPT:
            policy.unlink()


@contextlib.contextmanager
def _no_daemon_starts(policy: Path) -> Iterator[None]:
    """invoke-rc.d(8) asks this script; 101 forbids. A script of the administrator's own stays as it is."""
    take_away(policy)
    aside = policy.with_name(f".{policy.name}.gerbang")
    aside.unlink(missing_ok=True)
    durable.write(aside, _SCRIPT, 0o755)
    try:
        # It is there whole or not at all, and never in the place of another.
        os.link(aside, policy)
    except FileExistsError:
        yield
        return
    finally:
        aside.unlink()
    try:
        yield
    finally:
        take_away(policy)
