"""What the commands of health take and answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen

from appliance.contract.kinds import Code, Count, Entry, Line, Moment, Whole, YesNo
from appliance.contract.programs import State
from appliance.contract.records import record
from appliance.language import _

__all__ = ["DaemonRow", "Health", "LogDaemon", "MailLogAsked", "ProbeResult", "Probed"]

Text = Annotated[str, MaxLen(1_000), Entry("line")]
"""What a daemon has said."""


class LogDaemon(StrEnum):
    """Whose log."""

    POSTFIX = "postfix"
    DOVECOT = "dovecot"
    RSPAMD = "rspamd"
    LIMITS = "limits"
    CLAMD = "clamd"


@record(title=_("log"))
class MailLogAsked:
    """The last lines of a daemon's log in which a text stands."""

    daemon: LogDaemon = LogDaemon.POSTFIX
    search: Line = ""
    lines: Annotated[int, Ge(1), Le(5_000)] = 500


@record(title=_("daemon"))
class DaemonRow:
    """One daemon of mail."""

    program: Code
    state: State
    since: Moment | None
    restarts: Count
    said: Text
    """Its last words, when it failed."""


@record(title=_("health of mail"))
class Health:
    """How mail stands. None: it does not tell."""

    daemons: tuple[DaemonRow, ...]
    queued: Count | None
    deferred: Count
    held: Count
    oldest: Moment | None
    room: Whole
    """Octets that are free where mail is kept."""
    size: Whole
    files_left: Whole
    logs: Whole
    """Octets of all logs."""
    signatures: Text
    signature_days: Count | None
    """How old the virus signatures are."""
    certificate_days: Whole | None
    """Days until the certificate of the mail host ends; less than nothing: it has ended."""
    last_snapshot: Moment | None


@record(title=_("probe"))
class ProbeResult:
    """One test."""

    fine: YesNo
    said: Text


@record(title=_("probes"))
class Probed:
    """A test virus was sent, and a message to the postmaster; and every component was probed."""

    virus: ProbeResult
    """Fine: it was refused."""
    round: ProbeResult
    """Fine: it has arrived, and is removed again."""
    findings: tuple[Text, ...]
    """What the probes of the components found."""
