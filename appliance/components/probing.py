"""Probes: functions that look at a service from outside, kept by their names."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator

from appliance.commit.keeping import function_named, name_of_function
from appliance.contract.components import Finding, Machine, Severity

__all__ = ["Probe", "ProbeFunction", "until_well"]

ProbeFunction = Callable[[Path, Machine], Sequence[Finding]]
"""Given the component's folder below ``current``; what is wrong."""

PAUSE = 0.1
"""Seconds between two looks."""


def _again(kept: object) -> ProbeFunction:
    found = kept if callable(kept) else function_named(kept) if isinstance(kept, str) else None
    if found is None:
        raise ValueError(f"the probe {kept} is not there any more")
    return found


Probe = Annotated[ProbeFunction, PlainSerializer(name_of_function, return_type=str), PlainValidator(_again)]
"""A function at the level of its module, so that a generation can name it."""


def until_well(probes: Sequence[ProbeFunction], files: Path, machine: Machine, within: float) -> tuple[Finding, ...]:
    """What the probes say; while there is an error, again, until ``within`` seconds have passed."""
    end = time.monotonic() + within
    while True:
        findings = tuple(finding for probe in probes for finding in probe(files, machine))
        wrong = any(finding.severity is Severity.ERROR for finding in findings)
        if not wrong or time.monotonic() >= end:
            return findings
        time.sleep(PAUSE)
