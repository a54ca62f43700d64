"""What the watch tells: one line an event, for people or (JSON lines) for programs."""

from __future__ import annotations

import json
import sys
import time
from typing import TextIO

__all__ = ["Journal"]


class Journal:
    """Lines to a stream, each at once."""

    def __init__(self, *, as_json: bool = False, stream: TextIO | None = None) -> None:
        self._as_json = as_json
        self._stream = stream or sys.stdout

    def tell(self, event: str, text: str, **fields: object) -> None:
        """One event: its kind, what a person wants to read, and what a program does."""
        moment = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z"
        if self._as_json:
            line = json.dumps({"time": stamp, "event": event, **fields, "text": text})
        else:
            line = f"{stamp} {text}"
        print(line, file=self._stream, flush=True)
