"""Wildcards as they are written: the reader keeps what the router stores, so the text is looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.addresses import Wildcard, format_address, parse_address
from compiler.analysis.findings.finding import Finding
from compiler.analysis.findings.lints.catalogue import finding
from compiler.analysis.findings.lints.quoting import words_at
from compiler.fields import Family
from compiler.policy.access_list import AccessList, Device, Entry, ListKind
from compiler.source import Span

__all__ = ["byte_values", "wildcard_findings"]

_ALL = 0xFFFFFFFF
_ORDINALS = ("first", "second", "third", "fourth")


def wildcard_findings(device: Device) -> Iterator[Finding]:
    """Netmasks for wildcards, bits that the router clears, odd masks, and the host 0.0.0.0."""
    for access_list in device.lists:
        if access_list.family is Family.IPV4:
            for entry in access_list.entries:
                yield from _entry_findings(device.lines, access_list, entry)


def _entry_findings(lines: Sequence[str], access_list: AccessList, entry: Entry) -> Iterator[Finding]:
    words = words_at(lines, entry.span)
    position = 0
    while position < len(words):
        word, column = words[position]
        if word.lower() in ("host", "object-group"):
            position += 2
            continue
        value = _address(word)
        if value is None:
            position += 1
            continue
        following = position + 1
        if [one for one, _ in words[following : following + 2]] == ["wildcard", "bits"]:
            following += 2  # as ``show access-lists`` prints it
        mask = _address(words[following][0]) if following < len(words) else None
        if mask is None:
            if value == 0 and access_list.kind is ListKind.STANDARD:
                yield finding(
                    "host-zero-trap",
                    "0.0.0.0 without a wildcard is the one host 0.0.0.0, which sends no packets; "
                    "write 'any' for every address",
                    entry.span._replace(column=column, end=column + len(word)),
                )
            position += 1
            continue
        end = words[following][1] + len(words[following][0])
        yield from _pair_findings(value, mask, entry.span._replace(column=column, end=end))
        position = following + 1


def _address(word: str) -> int | None:
    try:
        value, width = parse_address(word.rstrip(","))
    except ValueError:
        return None
    return value if width == 32 else None


def _pair_findings(value: int, mask: int, span: Span) -> Iterator[Finding]:
    wildcard = Wildcard.of(value, mask)
    inverse = ~mask & _ALL
    written = f"{format_address(value, 32)} {format_address(mask, 32)}"
    looks_like_netmask = mask not in (0, _ALL) and not inverse & (inverse + 1)
    if looks_like_netmask:
        yield finding(
            "wildcard-looks-like-netmask",
            f"'{format_address(mask, 32)}' is a netmask; a list takes a wildcard, where 1 bits are ignored: "
            f"'{written}' matches {wildcard.size():,} addresses all over the address space; "
            f"the wildcard of that netmask is {format_address(inverse, 32)}",
            span,
        )
        return
    if value & mask and mask != _ALL:
        yield finding(
            "base-bits-ignored",
            f"'{written}': the address has bits that the wildcard ignores; the router stores "
            f"{format_address(wildcard.value, 32)} {format_address(mask, 32)}; write that, or narrow the wildcard",
            span,
        )
    if not wildcard.is_contiguous:
        yield finding("discontiguous-wildcard", _odd_message(wildcard), span)


def _odd_message(wildcard: Wildcard) -> str:
    runs = wildcard.run_count()
    text = (
        f"'{format_address(wildcard.value, 32)} {format_address(wildcard.mask, 32)}' is not a prefix: "
        f"it matches {wildcard.size():,} addresses in {runs:,} separate ranges"
    )
    for place, name in enumerate(_ORDINALS):
        shift = 24 - 8 * place
        base, free = wildcard.value >> shift & 255, wildcard.mask >> shift & 255
        if free in (0, 255):
            continue
        values = byte_values(base, free)
        text += f"; {name} byte {', '.join(str(one) for one in values[:4])}{', …' if len(values) > 4 else ''}"
        compared = ~free & 255
        if compared & (compared + 1) or base & compared:
            # "Multiples of 2^w for w zero bits" holds for low zero bits over a base of zero only.
            text += f", which are not the multiples of {1 << compared.bit_count()}"
            text += f" (a byte matches when it AND {compared} is {base})"
        elif compared:
            text += f" (the multiples of {compared + 1}, 0 among them)"
    return text


def byte_values(base: int, free: int) -> list[int]:
    """The values of one byte that match, ascending, where ``free`` has the ignored bits."""
    return [value for value in range(256) if (value ^ base) & ~free & 255 == 0]
