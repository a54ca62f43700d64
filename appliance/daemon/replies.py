"""Answers: values as JSON, and documents as the client asks for them."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from appliance.daemon.running import adapter

__all__ = ["json_bytes", "plain", "wanted"]

MEDIA = ("application/json", "text/plain", "text/html", "application/pdf")


def json_bytes(content: bytes, status: int = 200) -> Response:
    """JSON that is made already."""
    return Response(content, status, media_type="application/json", headers={"Cache-Control": "no-store"})


def plain(value: Any, status: int = 200) -> Response:
    """One of the daemon's own answers."""
    if isinstance(value, dict):
        return json_bytes(to_json(value), status)
    if isinstance(value, list):
        return json_bytes(b"[" + b",".join(adapter(type(one)).dump_json(one) for one in value) + b"]", status)
    return json_bytes(adapter(type(value)).dump_json(value), status)


def wanted(accept: str) -> str:
    """The media type that the client likes best (RFC 9110, 12.5.1); JSON when it does not say."""
    best, weight = "application/json", -1.0
    for part in accept[:1000].split(","):
        name, _, rest = part.strip().partition(";")
        name = name.strip().lower()
        quality = 1.0
        for parameter in rest.split(";"):
            key, _, value = parameter.strip().partition("=")
            if key == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        found = {"*/*": MEDIA[0], "application/*": MEDIA[0], "text/*": MEDIA[1]}.get(name, name)
        # Written out it counts before a star of the same weight.
        if found in MEDIA and quality > 0 and quality - ("*" in name) * 0.001 > weight:
            best, weight = found, quality - ("*" in name) * 0.001
    return best
