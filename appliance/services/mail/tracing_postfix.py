"""Postfix's lines as events: smtpd(8), pickup(8), cleanup(8), qmgr(8), smtp(8) and lmtp(8), bounce(8), postsuper(1)."""

from __future__ import annotations

import re
from collections.abc import Callable

from appliance.services.mail.tracing_event import Event, Step

__all__ = ["event_of"]

_LINE = re.compile(r"postfix\S*?/(?P<daemon>[a-z-]+)\[\d+\]: (?P<id>[0-9A-Za-z]{5,20}): (?P<said>.*)", re.ASCII)
_FIELD = re.compile(r"\b(from|to|orig_to|relay|dsn|size|nrcpt|sasl_username|client|orig_id|proto)=(<[^>]*>|[^\s,]+)")
_STATUS = re.compile(r"status=(sent|deferred|bounced|expired|undeliverable)(?: \((.*)\))?")
_SESSION = re.compile(r"> (\S+?)(?::R\d+)? Saved$")
_REJECTED = re.compile(
    r"(?:milter-|proxy-)?reject(?:_warning)?: (?P<stage>\S+) from (?P<client>\S+): (?P<said>.*?); from="
)
_CODE = re.compile(r"(?P<code>[45])\d\d |(?P<enhanced>[45])\.\d+\.\d+ ")
_NOTICE = re.compile(r"(sender|postmaster) (non-delivery|delivery status|delay) notification: ([0-9A-Za-z]+)", re.ASCII)
_VIRUS = re.compile(r"virus(?: found)?:? *\"?([^\";)]+)", re.IGNORECASE)
REASON = 400
"""Characters."""
_NO_IDS = frozenset({"NOQUEUE", "warning", "error", "fatal", "panic", "statistics"})


def event_of(line: str, at: float) -> Event | None:
    """The event of a line, or None: most lines are not about one message."""
    found = _LINE.search(line)
    if found is None or (found["id"] in _NO_IDS and found["id"] != "NOQUEUE"):
        return None
    daemon, said = found["daemon"], found["said"]
    base = Event(at, daemon, Step.DONE, "" if found["id"] == "NOQUEUE" else found["id"])
    if "reject: " in said or "reject_warning: " in said:
        return _rejected(base, said)
    if not base.queue_id:
        return None
    reader = _READERS.get(daemon)
    return reader(base, said) if reader is not None else _delivery(base, said)


def _smtpd(base: Event, said: str) -> Event | None:
    fields = _fields(said)
    if "client" not in fields:
        return None
    return base._replace(
        step=Step.ACCEPTED,
        who=fields.get("sasl_username", ""),
        where=fields["client"],
        linked=fields.get("orig_id", ""),
    )


def _pickup(base: Event, said: str) -> Event | None:
    fields = _fields(said)
    if "from" not in fields:
        return None
    return base._replace(step=Step.SUBMITTED, sender=_sender(fields["from"]), linked=fields.get("orig_id", ""))


def _cleanup(base: Event, said: str) -> Event | None:
    if said.startswith(("message-id=", "resent-message-id=")):
        number = said.partition("=")[2].strip()
        # Without one, ``<>`` is written.
        return base._replace(step=Step.IDENTIFIED, message_id="" if number == "<>" else number)
    if said.startswith(("milter-hold: ", "hold: ")):
        return base._replace(step=Step.HELD, reason=said.partition(": ")[2].partition("; from=")[0][:REASON])
    return None


def _qmgr(base: Event, said: str) -> Event | None:
    if said == "removed":
        return base
    fields = _fields(said)
    if "status=expired" in said or "status=force-expired" in said:
        return base._replace(step=Step.EXPIRED, sender=_sender(fields.get("from", "")))
    if "from" in fields and "nrcpt" in fields:
        return base._replace(step=Step.QUEUED, sender=_sender(fields["from"]), noted=_number(fields.get("size", "")))
    return _delivery(base, said)


def _bounce(base: Event, said: str) -> Event | None:
    found = _NOTICE.match(said)
    if found is None:
        return None
    return base._replace(step=Step.WARNED if found[2] == "delay" else Step.NOTIFIED, linked=found[3], who=found[1])


_POSTSUPER = {
    "placed on hold": Step.HELD,
    "released from hold": Step.RELEASED,
    "requeued": Step.REQUEUED,
    "removed": Step.REMOVED,
    "expired": Step.EXPIRED,
}


def _postsuper(base: Event, said: str) -> Event | None:
    step = _POSTSUPER.get(said.strip())
    return None if step is None else base._replace(step=step, who="postmaster")


def _delivery(base: Event, said: str) -> Event | None:
    """A line of any of the daemons that deliver: smtp, lmtp, local, virtual, pipe, error, discard, bounce."""
    status = _STATUS.search(said)
    fields = _fields(said)
    if status is None or "to" not in fields:
        return None
    step = {
        "sent": Step.DELIVERED,
        "deferred": Step.DEFERRED,
        "expired": Step.EXPIRED,
    }.get(status[1], Step.BOUNCED)
    reason = status[2] or ""
    session = _SESSION.search(reason)
    return base._replace(
        step=step,
        recipient=_address(fields["to"]),
        original=_address(fields.get("orig_to", "")),
        where=fields.get("relay", ""),
        session=session[1] if session else "",
        reason=reason[:REASON],
    )


def _rejected(base: Event, said: str) -> Event | None:
    found = _REJECTED.match(said)
    if found is None or said.startswith("reject_warning"):
        return None
    told = found["said"]
    code = _CODE.match(told)
    later = code is not None and (code["code"] or code["enhanced"]) == "4"
    virus = _VIRUS.search(told)
    fields = _fields(said[found.end() - len("from=") :])
    return base._replace(
        step=Step.POSTPONED if later else Step.REFUSED,
        sender=_sender(fields.get("from", "")),
        recipient=_address(fields.get("to", "")),
        who=fields.get("sasl_username", ""),
        where=found["client"],
        virus=virus[1].strip()[:100] if virus else "",
        reason=told[:REASON],
    )


_READERS: dict[str, Callable[[Event, str], Event | None]] = {
    "smtpd": _smtpd,
    "pickup": _pickup,
    "cleanup": _cleanup,
    "qmgr": _qmgr,
    "bounce": _bounce,
    "postsuper": _postsuper,
}


def _fields(said: str) -> dict[str, str]:
    # What a server answered comes in brackets behind the status, and may look like fields: the first of a name counts.
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(said.partition(" status=")[0] if " status=" in said else said):
        fields.setdefault(found[1], found[2])
    return fields


def _address(text: str) -> str:
    return text.strip("<>").lower()


def _sender(text: str) -> str:
    return "<>" if text == "<>" else _address(text)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
