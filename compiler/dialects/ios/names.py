"""Names that IOS can have for lists, groups and time ranges."""

from __future__ import annotations

import re

from compiler.dialects.ios.facts import list_kind
from compiler.fields import Family
from compiler.integers import is_number
from compiler.policy.access_list import ListKind

__all__ = ["is_word", "list_name_fault"]

_WORD = re.compile(r"[\x21\x23-\x3e\x40-\x7e]+")


def is_word(name: str) -> bool:
    """Whether the name is one word of printable ASCII without quotation mark and question mark."""
    return _WORD.fullmatch(name) is not None


def list_name_fault(name: str, family: Family, kind: ListKind) -> str:
    """Why IOS cannot have a list of that name, or the empty string."""
    if not is_word(name):
        return "a name is one word of printable ASCII without quotation mark and question mark"
    if family is Family.IPV4 and is_number(name) and (str(int(name)) != name or list_kind(int(name)) is not kind):
        return f"it is not a number of {kind.value} lists"
    return ""
