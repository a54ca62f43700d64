"""Reflexive lists: what ``reflect`` and ``evaluate`` mean to the simulator.

Sources: Cisco IOS Security Command Reference, "permit (reflexive)", "evaluate",
"ip reflexive-list timeout"; Cisco IOS IPv6 Command Reference, "permit (IPv6)".
"""

from __future__ import annotations

from compiler.dialects.ios.words import Fault, Words, expected, number
from compiler.fields import Family
from compiler.policy.stateful import Evaluate, Reflect

__all__ = ["check_reflect", "clause_meaning", "reflexive_timeout"]

_DEFAULT = {Family.IPV4: 300, Family.IPV6: 180}
"""Seconds without a packet after which a mirrored entry goes."""

_LONGEST = 0xFFFFFFFF
_SECOND = 1_000_000_000


def check_reflect(line: Words) -> None:
    """A fault unless ``reflect NAME [timeout SECONDS]`` of a permit begins at ``line.at``."""
    at = line.at
    words = line.words
    if next((word for word in words if word.lower() in ("permit", "deny")), "").lower() == "deny":
        raise Fault("'reflect' opens the way back for what is permitted: expected an entry that permits", at)
    if at + 1 >= len(words):
        raise expected("", at + 1, "the name of a reflexive list")
    if words[at + 2 : at + 3] == ["timeout"]:
        _seconds(words, at + 3)


def reflexive_timeout(words: list[str]) -> int:
    """The seconds of ``ip reflexive-list timeout SECONDS``."""
    if words[2:3] != ["timeout"]:
        raise expected(words[2] if len(words) > 2 else "", 2, "timeout", ("timeout",))
    seconds = _seconds(words, 3)
    if len(words) > 4:
        raise Fault(f"'{words[4]}' is too much: expected the end of the line", 4)
    return seconds


def _seconds(words: list[str], at: int) -> int:
    word = words[at] if at < len(words) else ""
    seconds = number(word, 1, _LONGEST)
    if seconds is None:
        raise expected(word, at, f"seconds from 1 to {_LONGEST}")
    return seconds


def clause_meaning(text: str, family: Family, timeout: int | None) -> Reflect | Evaluate:
    """The meaning of a kept clause; ``timeout`` is the configuration's own, in seconds, or None.

    ``ip reflexive-list timeout`` is for lists of IPv4; IPv6 has a default alone.
    """
    words = text.split()
    if words[0].lower() == "evaluate":
        return Evaluate(words[1])
    if len(words) == 4:
        return Reflect(words[1], int(words[3]) * _SECOND)
    own = timeout if family is Family.IPV4 and timeout is not None else _DEFAULT[family]
    return Reflect(words[1], own * _SECOND)
