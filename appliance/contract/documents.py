"""A document: what a command answers when the answer is a paper. The daemon renders it as the client asks.

``Accept: application/json`` gets the values, ``text/plain`` and ``text/html``
the rendered template, ``application/pdf`` the printed page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """``templates/documents/<template>.txt.j2`` and ``.html.j2`` with these values."""

    template: str
    """``hotel/bill``."""
    title: str
    """``Bill``: English, a key of the translations."""
    values: Any
    """A record: the templates see it as ``it``."""
    subject: str = ""
    """Which one: ``P201302002``. Title and subject are the file's name when it is kept."""
    copies: tuple[str, ...] = ()
    """Who gets a copy; each is printed, with its name on it. None: one page without a name."""
