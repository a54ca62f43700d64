"""Which series of NSD is installed: configurations are not compatible, so templates are kept by series."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

__all__ = ["NSD_SERIES", "UNBOUND_SERIES", "fitting", "nsd_series"]

NSD_SERIES = ("4.6", "4.8")
UNBOUND_SERIES = "1.17"
"""The templates there are, the oldest first. Later Unbounds read those of earlier ones."""
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WITHIN = 10.0
"""Seconds."""


def nsd_series() -> str:
    """The series whose template fits; the oldest when NSD is not installed, for a commit then fails anyway."""
    path = shutil.which("nsd", path=_SEARCH)
    return NSD_SERIES[0] if path is None else _nsd_at(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _nsd_at(path: str, _changed: int) -> str:
    """Asked once for each installed program: ``NSD version 4.6.1``, on the output of errors."""
    said = subprocess.run([path, "-v"], capture_output=True, text=True, timeout=_WITHIN, check=False)
    return fitting(f"{said.stdout}{said.stderr}", NSD_SERIES)


def fitting(said: str, series: tuple[str, ...]) -> str:
    """The latest series that is not later than the version that a program said."""
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None:
        return series[0]
    version = (int(found[1]), int(found[2]))
    return max((one for one in series if _numbers(one) <= version), key=_numbers, default=series[0])


def _numbers(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
