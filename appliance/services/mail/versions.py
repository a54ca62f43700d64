"""Which series of a daemon is installed: their configurations are not compatible, so templates are kept by series.

Dovecot 2.4 (Debian 13) reads no configuration of 2.3 (Debian 12). The templates were run against Dovecot 2.3.19,
Postfix 3.7 and rspamd 3.4, and against Dovecot 2.4.1, Postfix 3.10 and rspamd 3.12.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

__all__ = ["DOVECOT_SERIES", "POSTFIX_SERIES", "SUFFIXES", "dovecot_series", "postfix_series", "public_suffixes"]

DOVECOT_SERIES = ("2.3", "2.4")
POSTFIX_SERIES = ("3.7",)
"""The templates there are, the oldest first. A later Postfix reads an earlier one's (``compatibility_level``)."""
SUFFIXES = ("/usr/share/rspamd/effective_tld_names.dat", "/usr/share/publicsuffix/effective_tld_names.dat")
"""Where rspamd has the suffixes of all domains: its own copy in Debian 12, that of another package in Debian 13."""
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WITHIN = 10.0
"""Seconds."""


def dovecot_series() -> str:
    """``2.3`` or ``2.4``; the oldest when it is not installed yet, for a commit then fails at its preflight anyway."""
    path = shutil.which("dovecot", path=_SEARCH)
    return DOVECOT_SERIES[0] if path is None else _dovecot_at(path, Path(path).stat().st_mtime_ns)


def postfix_series() -> str:
    """The series whose templates fit."""
    return POSTFIX_SERIES[-1]


def public_suffixes(places: tuple[str, ...] = SUFFIXES) -> str:
    """The first of the files that is there; the first at all when rspamd is not installed yet."""
    return next((place for place in places if Path(place).is_file()), places[0])


@lru_cache(maxsize=4)
def _dovecot_at(path: str, _changed: int) -> str:
    """Asked once for each installed program."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_WITHIN, check=False).stdout
    return fitting(said, DOVECOT_SERIES)


def fitting(said: str, series: tuple[str, ...]) -> str:
    """The latest series that is not later than the version that a program said: ``2.3.19.1 (9b53102964)``."""
    found = re.match(r"\s*(\d+)\.(\d+)", said)
    if found is None:
        return series[0]
    version = (int(found[1]), int(found[2]))
    return max((one for one in series if _numbers(one) <= version), key=_numbers, default=series[0])


def _numbers(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))
