"""How a message is found by its subject without keeping the subject: by a keyed hash of it.

The filter writes the hash of each message into its log
(``templates/mail/rspamd/subjects.lua.j2``); who looks for a message hashes
what he remembers. Without the key nobody can try subjects against the log.
"""

from __future__ import annotations

import hashlib
import re
import sys
from functools import cache
from types import MappingProxyType

__all__ = ["lower_letters", "normalised", "subject_hash"]

_SPACE = re.compile("[\x00-\x20\x7f\xa0]+")
"""ASCII's white space and control characters, and U+00A0, which web pages put in the place of spaces."""


def normalised(subject: str) -> str:
    """The form in which two spellings of a decoded subject are the same: white space folded, letters small.

    Each letter by itself and only where one letter becomes one letter, so that
    the filter, which has no Python, does it by the same table.
    """
    return _SPACE.sub(" ", subject).strip(" ").translate(_translation())


def subject_hash(key: str, subject: str) -> str:
    """128 hexadecimal digits: BLAKE2b (RFC 7693) of the normalised subject in UTF-8. ``key``: hexadecimal digits.

    Raises ValueError for a key that is none.
    """
    text = normalised(subject).encode("utf-8", "replace")
    return hashlib.blake2b(text, key=bytes.fromhex(key)).hexdigest()


@cache
def lower_letters() -> MappingProxyType[str, str]:
    """All letters beyond ASCII that have a small form of one letter, with that form."""
    letters = (chr(code) for code in range(0x80, sys.maxunicode + 1))
    return MappingProxyType({one: small for one in letters if (small := one.lower()) != one and len(small) == 1})


@cache
def _translation() -> dict[int, str]:
    small = {ord(one): lower for one, lower in lower_letters().items()}
    return small | {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
