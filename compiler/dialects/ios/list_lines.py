"""An access list of the tree -> its block, with explicit sequence numbers."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

from compiler.dialects.ios.entry_lines import Groups, entry_lines
from compiler.dialects.ios.phrases import Unsayable
from compiler.errors import Refusal
from compiler.fields import Family
from compiler.policy.access_list import AccessList, Entry, ListKind, Remark

__all__ = ["list_lines"]

STEP = 10
LAST_SEQUENCE = 0xFFFFFFFE
REMARK_LENGTH = 100
"""Characters of a remark (Cisco IOS Security Command Reference, "remark")."""


def list_lines(access_list: AccessList, groups: Groups, refuse: Callable[[Refusal], None]) -> list[str]:
    """The header and its lines. What cannot be said goes to ``refuse``."""
    family, kind = access_list.family, access_list.kind
    said: list[tuple[Entry | Remark, tuple[str, ...]]] = []
    for line in access_list.lines:
        if isinstance(line, Remark):
            said.append((line, _remark(line.text)))
            continue
        try:
            said.append((line, entry_lines(line, family, kind, groups)))
        except Unsayable as unsayable:
            what = f"list {access_list.name}, entry {line.sequence}: {unsayable.what}"
            refuse(Refusal(what, unsayable.why, line.span))
    if family is Family.IPV6:
        header, number = f"ipv6 access-list {access_list.name}", " sequence {} "
    else:
        header, number = f"ip access-list {kind.value} {access_list.name}", " {} "
    lines = [header]
    if _keeps_numbers(said):
        for line, texts in said:
            lead = number.format(line.sequence) if line.sequence else " "
            lines += [lead + text for text in texts]
    else:
        lines += _renumbered(said, number)
    if access_list.entries and not any(texts for line, texts in said if isinstance(line, Entry)):
        # No entry matches anything. A list without entries would permit all, so the denial must be said.
        lines.append(number.format(STEP) + _deny_all(family, kind))
    return lines


def _deny_all(family: Family, kind: ListKind) -> str:
    if family is Family.IPV6:
        return "deny ipv6 any any"
    return "deny any" if kind is ListKind.STANDARD else "deny ip any any"


def _keeps_numbers(said: list[tuple[Entry | Remark, tuple[str, ...]]]) -> bool:
    """Whether each entry is one line and the numbers ascend, so that they may stay."""
    last = last_remark = 0
    for line, texts in said:
        sequence = line.sequence
        if isinstance(line, Remark):
            if (sequence and not last < sequence <= LAST_SEQUENCE) or 0 < sequence < last_remark:
                return False
            last_remark = max(last_remark, sequence)
        elif len(texts) != 1 or not last < sequence <= LAST_SEQUENCE or sequence < last_remark:
            return False
        else:
            last = sequence
    return True


def _renumbered(said: list[tuple[Entry | Remark, tuple[str, ...]]], number: str) -> list[str]:
    """Fresh numbers by ten; a numbered remark takes the number of the entry below it."""
    lines: list[str] = []
    following = STEP
    for line, texts in said:
        for text in texts:
            if isinstance(line, Remark):
                lines.append((number.format(following) if line.sequence else " ") + text)
            else:
                lines.append(number.format(following) + text)
                following += STEP
    return lines


def _remark(text: str) -> tuple[str, ...]:
    """One line as a rule; more when the text is too long for one."""
    pieces = text.splitlines() or [""]
    return tuple(
        f"remark {part}".rstrip()
        for piece in pieces
        for part in ((piece,) if len(piece) <= REMARK_LENGTH else wrap(piece, REMARK_LENGTH))
    )
