"""Where the way back waits on the device, and the one sentence that takes it away.

Rows, in the order in which they are made:

1. ``/system scheduler gerbang-balance-return``: the timer, and the lock, for a
   second one of that name is refused. Its comment holds the identity and the
   digest of what is to stand.
2. ``/system script gerbang-balance-return-1``, …: the restoring script in parts.
3. ``/system scheduler gerbang-balance-return-boot``: the same after a reboot.
4. ``/system script gerbang-balance-return``: runs the parts, then takes all of
   this away. **With this row the deployment is armed, and without it nothing is
   put back**: the timer then only cleans up. So arming and confirming are one
   row each, whole or not at all, wherever the connection is lost.

Source: MikroTik documentation, "Scheduler" and "Scripting".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from compiler.deploy.deployment import DeployError
from compiler.deploy.routeros.session import ApiSession, Refused
from compiler.dialects.routeros.durations import duration

__all__ = ["NAME", "Held", "arm", "clean", "device_time", "disarm", "find", "run_back"]

NAME = "gerbang-balance-return"
_BOOT = f"{NAME}-boot"
_SCHEDULER, _SCRIPT = ("system", "scheduler"), ("system", "script")
_POLICY = "read,write,policy,test,sensitive"
_PART = 24_000
"""Characters of one part: sources of scripts have a limit, and rows are read back after writing anyway."""
_COMMENT = re.compile(r"gerbang deployment (\S+) (\S+)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SECOND = 1_000_000_000

_CLEAN = f"""\
/system script remove [find where name~"^{NAME}-"]
/system script remove [find where name="{NAME}"]
/system scheduler remove [find where name="{_BOOT}"]
/system scheduler remove [find where name="{NAME}"]
"""
_EVENT = f"""\
:if ([:len [/system script find where name="{NAME}"]] = 0) do={{
{_CLEAN}}} else={{
/system script run "{NAME}"
}}
"""


class Held(NamedTuple):
    """What of a deployment stands on the device. ``remaining`` is in seconds, None where the device does not tell."""

    identity: str
    digest: str
    is_armed: bool
    has_lock: bool
    remaining: int | None
    at: str
    """When the device acts, by its own clock."""


def find(session: ApiSession) -> Held | None:
    """The deployment on the device, or what is left of one; None for a device without. Raises Lost and Refused."""
    timers = [row for row in session.told(_SCHEDULER) if row.get("name", "").startswith(NAME)]
    scripts = [row for row in session.told(_SCRIPT) if row.get("name", "").startswith(NAME)]
    if not timers and not scripts:
        return None
    timer = next((row for row in timers if row["name"] == NAME), {})
    found = _COMMENT.match(timer.get("comment", ""))
    identity, digest = (found[1], found[2]) if found is not None else ("", "")
    is_armed = any(row["name"] == NAME for row in scripts)
    at = timer.get("next-run", "")
    remaining = None
    if at:
        moment = _moment(at, device_time(session)[1])
        now = device_time(session)[0]
        remaining = max(int((moment - now).total_seconds()), 0) if moment is not None else None
    return Held(identity, digest, is_armed, bool(timer), remaining, at)


def arm(session: ApiSession, lines: Sequence[str], identity: str, digest: str, within: int) -> None:
    """Have the device put things back in ``within`` seconds. Raises DeployError when it cannot, Lost and Refused."""
    now, day = device_time(session)
    start = now + timedelta(seconds=within)
    timer = {
        "name": NAME,
        "start-date": _day(start, day),
        "start-time": start.strftime("%H:%M:%S"),
        "interval": f"{within}s",
        "policy": _POLICY,
        "on-event": _EVENT,
        "comment": f"gerbang deployment {identity} {digest}",
    }
    session.add(_SCHEDULER, timer)
    sources = {f"{NAME}-{number}": part for number, part in enumerate(_parts(lines), 1)}
    for name, source in sources.items():
        session.add(_SCRIPT, {"name": name, "policy": _POLICY, "source": source})
    boot = {"name": _BOOT, "start-time": "startup", "interval": "0s", "policy": _POLICY, "on-event": _EVENT}
    session.add(_SCHEDULER, boot)
    sources[NAME] = _runner(list(sources))
    session.add(_SCRIPT, {"name": NAME, "policy": _POLICY, "source": sources[NAME]})
    _want_armed(session, sources, identity)


def _runner(parts: Sequence[str]) -> str:
    failed = ':log error "gerbang: a part of the way back did not run"'
    runs = "".join(f':do {{ /system script run "{name}" }} on-error={{ {failed} }}\n' for name in parts)
    return (
        f'/system scheduler set [find where name="{NAME}"] disabled=yes\n{runs}'
        f':log warning "gerbang: not confirmed: what was there before the deployment is back"\n{_CLEAN}'
    )


def _want_armed(session: ApiSession, sources: dict[str, str], identity: str) -> None:
    """A device that cut a script short, or whose timer has run already, is not armed."""
    held = {row.get("name", ""): row.get("source", "") for row in session.told(_SCRIPT)}
    for name, source in sources.items():
        if _bare(held.get(name, "")) != _bare(source):
            raise DeployError(f"the device did not keep the script {name} as it was sent ({len(source)} characters)")
    standing = find(session)
    if standing is None or standing.identity != identity or not standing.has_lock or not standing.at:
        raise DeployError("the time to confirm was over before the first change")


def _bare(source: str) -> str:
    return source.replace("\r\n", "\n").rstrip("\n")


def _parts(lines: Sequence[str]) -> list[str]:
    parts: list[str] = [""]
    for line in lines:
        if parts[-1] and len(parts[-1]) + len(line) > _PART:
            parts.append("")
        parts[-1] += f"{line}\n"
    return parts


def disarm(session: ApiSession) -> None:
    """Take the way back away: the first sentence decides, the rest is cleaning up. Raises Lost and Refused."""
    for row in session.told(_SCRIPT):
        if row.get("name") == NAME:
            session.remove(_SCRIPT, row[".id"])
    clean(session)


def clean(session: ApiSession) -> None:
    """Take away what is left of a deployment that is not armed any more, the lock last."""
    for path in (_SCRIPT, _SCHEDULER):
        rows = [row for row in session.told(path) if row.get("name", "").startswith(f"{NAME}-")]
        rows += [row for row in session.told(path) if row.get("name", "") == NAME]
        for row in rows:
            try:
                session.remove(path, row[".id"])
            except Refused:
                if any(other[".id"] == row[".id"] for other in session.told(path)):
                    raise  # else the device was quicker


def run_back(session: ApiSession) -> None:
    """Have the device put things back now: one sentence, whole even if the connection is lost. Raises Lost, Refused."""
    for row in session.told(_SCRIPT):
        if row.get("name") == NAME:
            session.call(_SCRIPT, "run", {"id": row[".id"]})


# -- the device's clock -------------------------------------------------------------------------------


def device_time(session: ApiSession) -> tuple[datetime, str]:
    """What time the device thinks it is, and its date as it writes it (``nov/22/2026`` or ``2026-11-22``)."""
    (clock,) = session.told(("system", "clock"))
    day, hour = clock.get("date", ""), clock.get("time", "")
    found = _moment(f"{day} {hour}", day)
    if found is None:
        raise Refused(f"its clock says {day!r} {hour!r}: no date and time")
    return found, day


def _day(moment: datetime, like: str) -> str:
    """A date as the device writes one."""
    if "/" in like:
        return f"{_MONTHS[moment.month - 1]}/{moment.day:02}/{moment.year}"
    return moment.strftime("%Y-%m-%d")


def _moment(text: str, today: str) -> datetime | None:
    """``jan/02/2026 10:00:00``, ``2026-01-02 10:00:00``, or a time of today."""
    day, _, hour = text.strip().rpartition(" ")
    day = (day or today).lower()
    if "/" in day:
        month, number, year = day.split("/")
        if month not in _MONTHS:
            return None
        day = f"{year}-{_MONTHS.index(month) + 1:02}-{number}"
    length = duration(hour)
    try:
        start = datetime.strptime(day, "%Y-%m-%d")
    except ValueError:
        return None
    return start + timedelta(seconds=length / _SECOND) if length is not None else None
