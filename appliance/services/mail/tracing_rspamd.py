"""rspamd's lines as events: what our own rule writes of each message (``templates/mail/rspamd/tracing.lua.j2``).

``gerbang-trace: JSON`` tells what the filter thinks of it, ``gerbang-subject: ID HASH`` the keyed hash of its subject.
"""

from __future__ import annotations

import json
import re

from appliance.services.mail.tracing_event import Event, Step

__all__ = ["event_of"]

_TRACE = re.compile(r"gerbang-trace: (\{.*\})")
_SUBJECT = re.compile(r"gerbang-subject: (?P<id>[0-9A-Za-z]+) (?P<hash>[0-9a-f]{16,128})", re.ASCII)
REASON = 400
"""Characters of the symbols' names."""


def event_of(line: str, at: float) -> Event | None:
    """The event of a line, or None."""
    if (subject := _SUBJECT.search(line)) is not None:
        return Event(at, "rspamd", Step.SUBJECT, subject["id"], subject=subject["hash"])
    trace = _TRACE.search(line)
    if trace is None:
        return None
    try:
        told = json.loads(trace[1])
    except ValueError:
        return None
    said = {name: str(value) for name, value in told.items() if isinstance(value, str | int | float)}
    message_id = said.get("message_id", "").strip("<>")
    symbols = told.get("symbols")
    return Event(
        at,
        "rspamd",
        Step.FILTERED,
        queue_id=said.get("queue_id", ""),
        message_id=f"<{message_id}>" if message_id and message_id != "undef" else "",
        sender=said.get("from", "").lower(),
        score=said.get("score", ""),
        virus=said.get("virus", "")[:100],
        where=said.get("action", ""),
        who=said.get("user", ""),
        reason=" ".join(map(str, symbols))[:REASON] if isinstance(symbols, list) else "",
    )
