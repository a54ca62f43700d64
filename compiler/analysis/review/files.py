"""The files of a change, before and after, and which of them are configurations."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.placed.source_text import SourceText, decode

__all__ = ["ChangedFile", "Version", "is_configuration", "may_be_configuration"]

_SURE = frozenset({".nft", ".nftables", ".rsc", ".ios"})
"""Endings that only configurations have."""

_NEVER = re.compile(
    r"\.(?:adoc|bash|c|cc|cpp|cs|css|csv|diff|fish|gif|go|h|hpp|htm|html|ini|ipynb|j2|java|jinja|"
    r"jpeg|jpg|js|json|jsx|kt|lock|log|md|mk|odt|patch|pcap|pcapng|pdf|php|pl|png|po|proto|"
    r"ps1|py|pyc|pyi|rb|rs|rst|sarif|scss|sh|sql|svg|swift|tex|tf|toml|ts|tsv|tsx|xls|xlsx|"
    r"xml|yaml|yml|zip|zsh)$",
    re.IGNORECASE,
)
"""Endings of documents, programs and data: those may quote a configuration and are none."""

_NFTABLES = re.compile(r"\A#!.*\bnft\b|^\s*flush ruleset\b|^\s*(?:add\s+)?table\s+(?:ip|ip6|inet)\s+\S+\s*\{", re.M)
_ROUTEROS = re.compile(r"^\s*(?:/(?:ip|ipv6) firewall\b|#.*by RouterOS)", re.M)
_IOS = re.compile(
    r"^(?:access-list\s+\S+\s+\S|ip(?:v6)?\s+access-list\s|object-group\s+(?:network|service)\s"
    r"|interface\s+[A-Za-z][\w/.:-]*\s*\n[ \t]+(?:ip|ipv6|no|description|shutdown|switchport)\b)",
    re.M,
)


class Version(NamedTuple):
    """One text. ``name`` is how messages call it: a path, or ``REVISION:path`` for what the change replaces.

    ``path`` is where it lies; when it is not given, what follows the first colon of the name.
    """

    name: str
    content: bytes
    path: str = ""


class ChangedFile(NamedTuple):
    """One file of a change: ``old`` is None where it was added, ``new`` where it was deleted.

    ``named`` is set for a file that the user asked for by its name: it is a
    configuration, whatever it looks like.
    """

    path: str
    old: Version | None
    new: Version | None
    named: bool = False

    @property
    def old_path(self) -> str | None:
        """Where the file was before it was renamed, or None."""
        if self.old is None:
            return None
        was = self.old.path or self.old.name.partition(":")[2] or self.old.name  # a path may hold colons too
        return was if was != self.path else None


def may_be_configuration(path: str) -> bool:
    """Whether it is worth looking into the file: its ending is no document's or program's."""
    return _NEVER.search(path) is None


def is_configuration(changed: ChangedFile) -> bool:
    """Whether either version is one: by its ending, or by lines that only a configuration has."""
    if changed.named:
        return True
    if not may_be_configuration(changed.path):
        return False
    if PurePosixPath(changed.path).suffix.lower() in _SURE:
        return True
    return any(version is not None and _looks_like(version) for version in (changed.old, changed.new))


def _looks_like(version: Version) -> bool:
    try:
        text = text_of(version).text
    except UsageError:  # binary
        return False
    return any(pattern.search(text) for pattern in (_NFTABLES, _ROUTEROS, _IOS))


def text_of(version: Version) -> SourceText:
    """The text. Raises UsageError for a binary file."""
    return decode(version.content, version.name)
