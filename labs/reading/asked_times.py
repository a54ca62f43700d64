"""The times of assertions against the time of the lab: windows outside it, silence that has no time to be one."""

from __future__ import annotations

from fnmatch import fnmatchcase

from compiler.placed.complaints import Complaints
from compiler.placed.quantities import format_duration
from labs.topology import Assertion, Lab, Traffic

__all__ = ["check_times"]

_RATES = frozenset({"throughput", "fair"})
"""Words that divide by their window: what lies beyond the lab counts as time without octets."""


def check_times(lab: Lab, complaints: Complaints) -> None:
    """Complain about windows that hold no moment of the lab, and warn where a lab ends before a client gives up."""
    for assertion in lab.assertions:
        _check_window(lab, assertion, complaints)
        if _expects_silence(assertion):
            _check_silence(lab, assertion, complaints)


def _check_window(lab: Lab, assertion: Assertion, complaints: Complaints) -> None:
    values = dict(assertion.arguments)
    after, before = values.get("after"), values.get("before")
    end = format_duration(lab.duration)
    if isinstance(after, int) and after >= lab.duration:
        complaints.error(
            f"{assertion.word}: 'after' is {format_duration(after)}, and the lab is over at {end}", assertion.span
        )
    elif isinstance(after, int) and isinstance(before, int) and before <= after:
        window = f"'before' is {format_duration(before)}, not later than 'after', {format_duration(after)}"
        complaints.error(f"{assertion.word}: {window}", assertion.span)
    if assertion.word in _RATES and isinstance(before, int) and before > lab.duration:
        complaints.error(
            f"{assertion.word}: 'before' is {format_duration(before)}, and the lab is over at {end}", assertion.span
        )


def _expects_silence(assertion: Assertion) -> bool:
    return assertion.word == "filtered" and dict(assertion.arguments).get("how") == "silent"


def _check_silence(lab: Lab, assertion: Assertion, complaints: Complaints) -> None:
    pattern = str(dict(assertion.arguments).get("traffic", ""))
    for traffic in lab.traffic:
        waits = _last_start(traffic) + traffic.timeout
        if fnmatchcase(traffic.name, pattern) and waits > lab.duration:
            complaints.warn(
                f"{traffic.name} waits for an answer until {format_duration(waits)}, and the lab is over at "
                f"{format_duration(lab.duration)}: an answer that is still under way then looks like silence",
                assertion.span,
            )


def _last_start(traffic: Traffic) -> int:
    return traffic.start + (traffic.connections - 1) * traffic.interval
