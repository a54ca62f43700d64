"""What a text is: a configuration of a dialect, or one of the project's own files."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePath

__all__ = ["DIALECTS", "TITLES", "Kind", "kind_of"]


class Kind(StrEnum):
    """What a text is read as. The first three are names of dialects."""

    IOS = "ios"
    ROUTEROS = "routeros"
    NFTABLES = "nftables"
    BALANCE = "balance"
    """An intent of ``gerbang balance compile``."""
    LAB = "lab"
    PROPERTIES = "properties"
    """Questions of ``gerbang verify``."""
    YAML = "yaml"
    JSON = "json"


DIALECTS = frozenset({Kind.IOS, Kind.ROUTEROS, Kind.NFTABLES})
"""What can be compiled, compared and traced."""

TITLES = {
    Kind.IOS: "IOS",
    Kind.ROUTEROS: "RouterOS",
    Kind.NFTABLES: "nftables",
    Kind.BALANCE: "balance",
    Kind.LAB: "lab",
    Kind.PROPERTIES: "properties",
    Kind.YAML: "YAML",
    Kind.JSON: "JSON",
}

_BY_SUFFIX = {
    ".nft": Kind.NFTABLES,
    ".nftables": Kind.NFTABLES,
    ".rsc": Kind.ROUTEROS,
    ".backup": Kind.ROUTEROS,
    ".ios": Kind.IOS,
    ".json": Kind.JSON,
}
_TOP_LEVEL = (
    (re.compile(r"^uplinks\s*:", re.M), Kind.BALANCE),
    (re.compile(r"^nodes\s*:", re.M), Kind.LAB),
    (re.compile(r"^properties\s*:", re.M), Kind.PROPERTIES),
)


def kind_of(text: str, name: str) -> Kind:
    """By the file's name where that tells, else by the text; IOS is what remains, as in ``compiler.dialects``."""
    suffix = PurePath(name).suffix.lower()
    if suffix in (".yaml", ".yml"):
        return next((kind for pattern, kind in _TOP_LEVEL if pattern.search(text)), Kind.YAML)
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    from compiler.dialects import detect

    return Kind(detect(text))
