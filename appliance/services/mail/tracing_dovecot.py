"""Dovecot's lines as events: deliveries and rules (lmtp, sieve), and what readers do (the plugin mail_log)."""

from __future__ import annotations

import re

from appliance.services.mail.tracing_event import Event, Step

__all__ = ["event_of"]

_LINE = re.compile(
    r"(?P<daemon>lmtp|imap|pop3|lda|doveadm|indexer-worker)\((?P<user>[^)]*)\)"
    r"(?:<\d*>)?(?:<(?P<session>[^>]*)>)?: (?:Info|Warning|Error): (?P<said>.*)"
)
# Dovecot 2.4 says first of which mailbox it speaks.
_LOGGED = re.compile(
    r"(?:Mailbox .*?: )??(?P<what>save|delete|undelete|expunge|copy from (?P<source>.*?)|copy): "
    r"box=(?P<box>.*?)(?:, uid=\d+)?, msgid=(?P<id>.*?)(?:, size=|$)"
)
_SIZE = re.compile(r", size=(\d+)")
# ``deliver_log_format`` may tell more between the Message-ID and what was done.
_SAVED = re.compile(
    r"msgid=(?P<id><[^>]*>|[^\s,:]*)(?:, .*?)?: "
    r"(?:saved mail to (?P<box>.*)|save failed to (?P<failed>[^:]*): (?P<why>.*))"
)
_SIEVE = re.compile(r"sieve: msgid=(?P<id><[^>]*>|[^\s,:]*)(?:, .*?size=\d+)?: (?P<said>.*)")
_STORED = re.compile(r"(?:fileinto action: |keep action: )?stored mail into mailbox '(?P<box>.*)'")
_POP3 = re.compile(r"Disconnected.* retr=(?P<count>\d+)/")
_NONE = frozenset({"unspecified", "?", "(null)", ""})
REASON = 400


def event_of(line: str, at: float) -> Event | None:
    """The event of a line, or None."""
    found = _LINE.search(line)
    if found is None:
        return None
    session = (found["session"] or "").partition(":R")[0]
    base = Event(at, found["daemon"], Step.STORED, session=session, who=found["user"].lower())
    said = found["said"]
    if (logged := _LOGGED.match(said)) is not None:
        return _logged(base, logged, said)
    if (sieve := _SIEVE.match(said)) is not None:
        return _sieve(base._replace(message_id=_id(sieve["id"])), sieve["said"])
    if (saved := _SAVED.match(said)) is not None:
        base = base._replace(message_id=_id(saved["id"]))
        if saved["box"]:
            return base._replace(folder=saved["box"])
        return base._replace(step=Step.NOT_STORED, folder=saved["failed"], reason=saved["why"][:REASON])
    if base.daemon == "pop3" and (pop3 := _POP3.match(said)) is not None and int(pop3["count"]):
        return base._replace(step=Step.FETCHED, noted=int(pop3["count"]))
    return None


def _logged(base: Event, found: re.Match[str], said: str) -> Event | None:
    what = found["what"].partition(" ")[0]
    step = {"save": Step.STORED, "copy": Step.COPIED, "delete": Step.MARKED, "expunge": Step.EXPUNGED}.get(what)
    if step is None:
        return None
    size = _SIZE.search(said)
    return base._replace(
        step=step,
        folder=found["box"],
        source=found["source"] or "",
        message_id=_id(found["id"]),
        noted=int(size[1]) if size else 0,
    )


def _sieve(base: Event, said: str) -> Event | None:
    """The words of Pigeonhole 0.5: each action says its name first, older ones do not."""
    if (stored := _STORED.search(said)) is not None:
        return base._replace(folder=stored["box"])
    lowered = said.lower()
    if "forwarded to <" in lowered:
        return base._replace(step=Step.FORWARDED, recipient=said.rpartition("<")[2].rstrip("> ").lower())
    if "vacation" in lowered and "sent" in lowered:
        return base._replace(step=Step.ANSWERED, reason=said[:REASON])
    if "discard" in lowered:
        return base._replace(step=Step.DISCARDED, reason=said[:REASON])
    if "rejected" in lowered or "failed to store" in lowered:
        return base._replace(step=Step.NOT_STORED, reason=said[:REASON])
    return None


def _id(text: str) -> str:
    return "" if text in _NONE else text
