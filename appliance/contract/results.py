"""Files between services and those who call them: what a command answers as a file, and what was sent to one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

__all__ = ["ClaimedFile", "KeptFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """What a command answers when the answer is a file on disk: it is streamed to who asked.

    Of work: ``GET /v1/work/{id}/result``; ``gerbang call --output FILE``. As JSON
    it is its name and media type; where it lies is nobody's business.
    """

    path: Annotated[Path, Field(exclude=True)]
    name: str
    """As it is called where it arrives."""
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedFile:
    """A file that somebody has sent and a service has taken as its own (``Context.claim_file``)."""

    path: Path
    """In the service's folder, from now on the service's to keep and to remove."""
    name: str
    """As the sender calls it; never a path."""
    media_type: str
    """As the sender says; it is not looked at."""
    size: int
    """Bytes."""

    def content(self) -> bytes:
        """All of it."""
        return self.path.read_bytes()
