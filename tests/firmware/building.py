"""Builds what the firmware's tests run, once, however many workers ask."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware"
BUILD = FIRMWARE / "build"
_HEADERS = {"libsimavr-dev": Path("/usr/include/simavr/sim_avr.h"), "libelf-dev": Path("/usr/include/libelf.h")}
_PROGRAMS = {"make": "make", "gcc": "gcc", "awk": "mawk", "avr-gcc": "gcc-avr and avr-libc", "avr-size": "binutils-avr"}


def missing(*, chips: bool) -> list[str]:
    """The Debian packages without which nothing can be built."""
    wanted = [package for program, package in _PROGRAMS.items() if chips or not program.startswith("avr")]
    programs = {package: program for program, package in _PROGRAMS.items()}
    absent = [package for package in wanted if shutil.which(programs[package]) is None]
    if chips:
        absent += [package for package, header in _HEADERS.items() if not header.exists()]
    return absent


def make(*targets: str, chips: bool = True) -> Path:
    """Makes the targets and returns the build folder; skips the test when a tool is missing, by its package's name."""
    if absent := missing(chips=chips):
        pytest.skip(f"not installed: {', '.join(absent)}")
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = subprocess.run(["make", "-C", str(FIRMWARE), *targets], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return BUILD
