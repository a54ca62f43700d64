"""The search through the logs, as root: ``python -I -m … STATE BY SINCE UNTIL MOST``, the text as JSON on its input.

Nothing that is written in a message comes out: the logs have neither texts nor
subjects.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance.services.mail.tracing_event import Event
from appliance.services.mail.tracing_linking import Trace
from appliance.services.mail.tracing_search import Sought, search
from appliance.services.mail.tracing_verdict import outcomes_of

__all__ = ["main"]

MOST_STEPS = 300
"""Of one trace."""
LARGEST = 3 << 20
"""Bytes of the answer; then the oldest traces are left out."""


def main(words: Sequence[str]) -> int:
    """Search, and print the answer."""
    state, by, since, until, most = words
    text = str(json.loads(sys.stdin.read() or '""'))
    sought = Sought(by=by, text=text, since=float(since), until=float(until), most=int(most))
    found = search(Path(state).parent, sought)
    told: list[str] = []
    room = LARGEST
    for trace in found.traces:
        line = json.dumps(_told(trace))
        room -= len(line)
        if room < 0:
            break
        told.append(line)
    cut = found.cut or len(told) < len(found.traces)
    facts = json.dumps({"matching": found.matching, "lines": found.lines, "cut": cut})
    print(f'{facts[:-1]}, "traces": [{",".join(told)}]}}')
    return 0


def _told(trace: Trace) -> dict[str, Any]:
    return {
        "message_id": trace.message_id,
        "queue_ids": trace.queue_ids,
        "sender": trace.sender,
        "began": trace.began,
        "steps": [_step(event) for event in trace.events[:MOST_STEPS]],
        "more": max(0, len(trace.events) - MOST_STEPS),
        "outcomes": [outcome._asdict() for outcome in outcomes_of(trace)[:MOST_STEPS]],
    }


def _step(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event._asdict().items() if value not in ("", 0)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
