"""What the commands of the trace take and answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen

from appliance.contract.kinds import Count, Entry, Line, Moment, YesNo
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.language import _

__all__ = [
    "Rotated",
    "RotationWish",
    "TraceAsked",
    "TraceBy",
    "TraceFound",
    "TraceOutcome",
    "TraceRow",
    "TraceStep",
    "Traced",
]

Text = Annotated[str, MaxLen(1_000), Entry("line")]
"""What came from outside: shown through ``plain``, and cut."""


class TraceBy(StrEnum):
    """What is known of the message."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    SUBJECT = "subject"
    """All of it; only its hash is looked for."""
    MESSAGE_ID = "message-id"
    QUEUE_ID = "queue-id"
    EVERYTHING = "everything"


@record(title=_("where is my mail?"))
class TraceAsked:
    """A message by what is known of it, in a period that ends now when it is not said."""

    by: TraceBy = TraceBy.RECIPIENT
    text: Line = ""
    """An address or a part of it, the whole subject, or an id."""
    days: Annotated[int, Ge(1), Le(366)] = 2
    until: Moment | None = None
    most: Annotated[int, Ge(1), Le(200)] = 50

    def __post_init__(self) -> None:
        if not self.text and self.by is not TraceBy.EVERYTHING:
            raise RuleBroken(_("say what is looked for"), field="text")


@record(title=_("step"))
class TraceStep:
    """One thing that a daemon did with the message."""

    at: Moment
    daemon: Line
    step: Line
    """``appliance.services.mail.tracing_event.Step``."""
    queue_id: Line = ""
    linked: Line = ""
    message_id: Text = ""
    sender: Text = ""
    recipient: Text = ""
    original: Text = ""
    who: Text = ""
    folder: Text = ""
    source: Text = ""
    where: Text = ""
    score: Text = ""
    virus: Text = ""
    reason: Text = ""
    noted: Count = 0


@record(title=_("outcome"))
class TraceOutcome:
    """What became of it for one recipient."""

    verdict: Line
    """``appliance.services.mail.tracing_verdict.Verdict``."""
    at: Moment
    recipient: Text = ""
    original: Text = ""
    folder: Text = ""
    who: Text = ""
    reason: Text = ""
    where: Text = ""


@record(title=_("message"))
class TraceFound:
    """One message."""

    began: Moment
    sender: Text
    message_id: Text
    queue_ids: tuple[Line, ...]
    outcomes: tuple[TraceOutcome, ...]
    steps: tuple[TraceStep, ...]
    more: Count
    """Steps that are left out."""


@record(title=_("trace"))
class Traced:
    """The messages, the newest first."""

    found: tuple[TraceFound, ...]
    matching: Count
    """Messages that match, those beyond ``most`` too."""
    lines: Count
    """Lines of logs that were looked through."""
    cut: YesNo
    """There was more than one answer may hold."""


@record(title=_("message"))
class TraceRow:
    """One message of a trace, in a grid."""

    began: Moment
    outcome: Text
    """What became of it, before who sent it to whom: it is what is asked for, and is seen at any width."""
    recipients: Text
    sender: Text


@record
class RotationWish:
    """How long old logs are kept."""

    days: Annotated[int, Ge(1), Le(3_650)] = 90


@record
class Rotated:
    """The logs that were put aside, and how many old files are gone."""

    rotated: tuple[Line, ...]
    removed: Count
