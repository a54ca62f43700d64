"""``python -m appliance.services.dns.checking FILES``: what the native validators say, a line each; exit code 1.

nsd-checkconf reads the configuration, and named-checkzone, of BIND, each zone:
NSD's own nsd-checkzone passes an MX that points at an alias.

``-i local`` and not ``full``: the latter asks the machine's resolver for names
outside the zone, so that a commit would depend on what the Internet answers
just now, and a reverse zone, whose names are all outside, on a forward zone
that is not served yet. Between our own zones ``rules`` looks.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["main", "wrong_in"]

_ZONE = ("named-checkzone", "-i", "local", "-k", "fail", "-m", "fail", "-M", "fail", "-S", "fail", "-n", "fail")
_WITHIN = 30.0
"""Seconds."""


def wrong_in(files: Path) -> Iterator[str]:
    """What nsd-checkconf and named-checkzone refuse."""
    yield from _said(("nsd-checkconf", str(files / "nsd.conf")))
    for path in sorted((files / "zones").glob("*.zone")):
        for line in _said((*_ZONE, path.stem, str(path))):
            yield line.replace(f"{path}:", f"zones/{path.name}:")


def _said(command: tuple[str, ...]) -> Iterator[str]:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        yield from lines or (f"{command[0]} ended with {done.returncode}",)


def main(arguments: list[str]) -> int:
    """The exit code: 0 when nothing is wrong."""
    (folder,) = arguments
    lines = list(wrong_in(Path(folder)))
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
