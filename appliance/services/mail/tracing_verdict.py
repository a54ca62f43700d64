"""Where a message is: for each of its recipients one answer, and one for all of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from appliance.services.mail.tracing_event import Event, Step
from appliance.services.mail.tracing_linking import Trace

__all__ = ["Outcome", "Verdict", "outcomes_of", "verdict_of"]


class Verdict(StrEnum):
    """What became of it. The first that holds for one recipient is said of the whole message."""

    VIRUS = "virus"
    """Refused, because it carries a virus."""
    REFUSED = "refused"
    BOUNCED = "bounced"
    """Its sender was told that it could not be delivered."""
    NOT_STORED = "not-stored"
    REMOVED = "removed"
    """The postmaster has deleted it from the queue."""
    HELD = "held"
    WAITS = "waits"
    """In the queue, and delivery has failed so far."""
    POSTPONED = "postponed"
    """Not taken yet: who sends it shall try again."""
    ON_ITS_WAY = "on-its-way"
    EXPUNGED = "expunged"
    """It was delivered, and its reader has deleted it."""
    DISCARDED = "discarded"
    """Its reader's own rules have thrown it away."""
    FORWARDED = "forwarded"
    """Its reader's own rules have sent it on."""
    SENT = "sent"
    """Another server has taken it."""
    DELIVERED = "delivered"
    """It lies in a mailbox here."""


_RANK = {verdict: place for place, verdict in enumerate(Verdict)}


class Outcome(NamedTuple):
    """What became of it for one recipient."""

    verdict: Verdict
    at: float
    recipient: str
    """Empty: of all, before anybody knew for whom it is."""
    original: str = ""
    """The alias or the list by which it came."""
    folder: str = ""
    who: str = ""
    """Who has deleted it."""
    reason: str = ""
    where: str = ""


def verdict_of(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The one that is said of the whole message."""
    return min(outcomes, key=lambda one: (_RANK[one.verdict], one.at), default=None)


def outcomes_of(trace: Trace) -> tuple[Outcome, ...]:
    """One for each recipient, in the order of their addresses."""
    found: dict[str, Outcome] = {}
    whole: Outcome | None = None
    notified = {event.linked for event in trace.events if event.step is Step.NOTIFIED}
    for event in trace.events:
        # The notification is a message of its own in the same trace: what becomes of it is not what became of the mail.
        if event.queue_id in notified:
            continue
        if event.recipient and event.step in _OF_RECIPIENT:
            found[event.recipient] = _of_recipient(event)
        elif event.step in _OF_ALL and not found:
            whole = _of_all(event, whole)
        elif event.step in _IN_QUEUE:
            _queue_changed(event, found)
    for recipient, outcome in found.items():
        if outcome.verdict is Verdict.SENT:
            found[recipient] = _in_mailbox(outcome, trace.events)
    if found:
        return tuple(found[recipient] for recipient in sorted(found))
    return (whole,) if whole is not None else _read_only(trace)


_OF_RECIPIENT = {
    Step.DELIVERED: Verdict.SENT,
    Step.DEFERRED: Verdict.WAITS,
    Step.BOUNCED: Verdict.BOUNCED,
    Step.EXPIRED: Verdict.BOUNCED,
    Step.REFUSED: Verdict.REFUSED,
    Step.POSTPONED: Verdict.POSTPONED,
}
_OF_ALL = {
    Step.ACCEPTED: Verdict.ON_ITS_WAY,
    Step.SUBMITTED: Verdict.ON_ITS_WAY,
    Step.QUEUED: Verdict.ON_ITS_WAY,
    Step.HELD: Verdict.HELD,
    Step.RELEASED: Verdict.ON_ITS_WAY,
    Step.REQUEUED: Verdict.ON_ITS_WAY,
    Step.REMOVED: Verdict.REMOVED,
    Step.EXPIRED: Verdict.BOUNCED,
}
_IN_QUEUE = {Step.HELD: Verdict.HELD, Step.RELEASED: Verdict.WAITS, Step.REMOVED: Verdict.REMOVED}
_WAITING = frozenset({Verdict.WAITS, Verdict.HELD})


def _of_recipient(event: Event) -> Outcome:
    verdict = Verdict.VIRUS if event.virus else _OF_RECIPIENT[event.step]
    reason = event.virus or event.reason
    return Outcome(verdict, event.at, event.recipient, event.original, reason=reason, where=event.where)


def _of_all(event: Event, before: Outcome | None) -> Outcome:
    # An earlier word stays when a later one tells less.
    if before is not None and before.verdict in {Verdict.REMOVED, Verdict.BOUNCED}:
        return before
    return Outcome(_OF_ALL[event.step], event.at, "", reason=event.reason)


def _queue_changed(event: Event, found: dict[str, Outcome]) -> None:
    for recipient, outcome in found.items():
        if outcome.verdict in _WAITING:
            found[recipient] = outcome._replace(verdict=_IN_QUEUE[event.step], at=event.at)


def _in_mailbox(outcome: Outcome, events: Iterable[Event]) -> Outcome:
    """What the mailbox of this recipient says of it; as it is, where there is no mailbox of ours."""
    local = outcome.recipient.partition("@")[0]
    folders: dict[str, None] = {}
    last: Event | None = None
    for event in events:
        if event.daemon not in {"lmtp", "imap", "pop3", "lda", "doveadm"} or event.queue_id:
            continue
        if event.who.partition("@")[0] != local:
            continue
        if event.step in {Step.STORED, Step.COPIED}:
            folders[event.folder] = None
        elif event.step is Step.EXPUNGED:
            folders.pop(event.folder, None)
        elif event.step not in _OF_READER:
            continue
        last = event
    if last is None:
        return outcome
    if folders:
        return outcome._replace(verdict=Verdict.DELIVERED, folder=", ".join(folders))
    verdict = _OF_READER.get(last.step, Verdict.EXPUNGED)
    return outcome._replace(
        verdict=verdict, at=last.at, folder=last.folder, who=last.who, reason=last.recipient or last.reason
    )


_OF_READER = {
    Step.DISCARDED: Verdict.DISCARDED,
    Step.FORWARDED: Verdict.FORWARDED,
    Step.NOT_STORED: Verdict.NOT_STORED,
}


def _read_only(trace: Trace) -> tuple[Outcome, ...]:
    """Only mailboxes know of it: the lines of its delivery are older than the period."""
    readers = dict.fromkeys(
        event.who for event in trace.events if event.who and event.daemon in {"imap", "pop3", "lmtp"}
    )
    known = [_in_mailbox(Outcome(Verdict.SENT, trace.began, who), trace.events) for who in sorted(readers)]
    return tuple(one for one in known if one.verdict is not Verdict.SENT)
