"""The web server's log put aside: ``python -I -m appliance.services.webmail.log_turning STATE RUN``.

Everybody who reaches the server writes a line by each request that fails, so the log grows by a stranger's will. The
newest part that was put aside is compressed a time later, when no worker of nginx writes to it any more. Prints JSON.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["KEPT", "main", "turned"]

NAME = "access.log"
KEPT = 14
"""Parts that were put aside."""


def main(words: Sequence[str]) -> int:
    """Put it aside and let nginx begin a new one. Raises OSError."""
    state, run = (Path(word) for word in words)
    done = turned(state / "log")
    if done:
        _reopened(run / "nginx.pid")
    print(json.dumps({"turned": done}))
    return 0


def turned(folder: Path) -> bool:
    """Whether there was anything. The folder is root's own. Raises OSError."""
    current = folder / NAME
    if not current.is_file() or not current.stat().st_size:
        return False
    (folder / f"{NAME}.{KEPT}.gz").unlink(missing_ok=True)
    for number in range(KEPT - 1, 1, -1):
        with suppress(FileNotFoundError):
            (folder / f"{NAME}.{number}.gz").rename(folder / f"{NAME}.{number + 1}.gz")
    first = folder / f"{NAME}.1"
    if first.is_file():
        _compressed(first, folder / f"{NAME}.2.gz")
    current.rename(first)
    return True


def _compressed(plain: Path, packed: Path) -> None:
    making = packed.with_name(f".{packed.name}")
    # By its mode too it is as the web server has made it.
    with plain.open("rb") as old, gzip.open(making, "wb", compresslevel=6) as new:
        shutil.copyfileobj(old, new, 1 << 20)
    shutil.copystat(plain, making)
    making.rename(packed)
    plain.unlink()


def _reopened(pid: Path) -> None:
    """USR1: https://nginx.org/en/docs/control.html. Nobody is told when it does not run: it opens a new one then."""
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        number = int(pid.read_text(encoding="utf-8"))
        if Path(f"/proc/{number}/comm").read_text(encoding="utf-8").strip() == "nginx":
            os.kill(number, signal.SIGUSR1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
