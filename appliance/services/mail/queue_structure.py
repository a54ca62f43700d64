"""A message as its headers and the tree of its parts: what a postmaster may look at without reading the mail.

The subject and the names of attachments are the patient's matter too: they are
left out, and so are headers that nobody knows.
"""

from __future__ import annotations

from email import policy
from email.parser import BytesParser
from typing import Any

__all__ = ["HEADERS", "structure_of"]

HEADERS = (
    "Return-Path",
    "Received",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "List-Id",
    "DKIM-Signature",
    "Authentication-Results",
    "X-Spamd-Result",
    "X-Spam",
)
LONGEST = 400
"""Characters of one header."""
MOST = 60
"""Parts, and headers, that are told."""


def structure_of(message: bytes) -> dict[str, Any]:
    """``headers`` as pairs in their order, ``parts`` as depth, type and octets. Nothing of the content."""
    # compat32 gives the headers as they came: the newer policies raise on some that are ill-formed.
    read = BytesParser(policy=policy.compat32).parsebytes(message)
    known = {name.lower() for name in HEADERS}
    headers = [(name, _shown(name, str(value))) for name, value in read.items() if name.lower() in known]
    parts: list[dict[str, Any]] = []
    _parts(read, 0, parts)
    return {"headers": headers[:MOST], "parts": parts[:MOST], "more_parts": max(0, len(parts) - MOST)}


def _shown(name: str, value: str) -> str:
    one_line = " ".join(value.split())
    if name.lower() == "content-type":
        # Its parameter ``name`` is the name of the attachment.
        one_line = one_line.partition(";")[0]
    return one_line[:LONGEST]


def _parts(message: Any, depth: int, parts: list[dict[str, Any]]) -> None:
    content = message.get_payload()
    if isinstance(content, list):
        parts.append({"depth": depth, "type": message.get_content_type(), "octets": 0})
        for one in content:
            _parts(one, depth + 1, parts)
    else:
        parts.append({"depth": depth, "type": message.get_content_type(), "octets": len(content or "")})
