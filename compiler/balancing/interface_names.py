"""Names of interfaces that a target cannot hold: told with the place of their network or uplink."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.balancing.plan import Plan
from compiler.errors import Refusal

__all__ = ["names_refused_by_linux", "names_refused_by_routeros"]

_LONGEST_ON_LINUX = 15
"""IFNAMSIZ less the octet at the end (Linux include/uapi/linux/if.h)."""
_NOT_ON_LINUX = re.compile(r"[\s/:]")
"""What dev_valid_name refuses (Linux net/core/dev.c)."""
_IN_FILES = re.compile(r"[A-Za-z0-9_.+@-]+")
"""nft takes a star for a wildcard, ip -batch # for a comment; neither file has a way to quote the like."""


def names_refused_by_linux(plan: Plan) -> Iterator[Refusal]:
    """What no interface of Linux is called, or what nft and ip cannot be told."""
    for one in plan.balance.ends:
        name, why = one.interface, ""
        if len(name) > _LONGEST_ON_LINUX:
            why = f"on Linux a name has at most {_LONGEST_ON_LINUX} characters"
        elif name in (".", "..") or _NOT_ON_LINUX.search(name):
            why = "on Linux a name has no blank, slash or colon"
        elif not _IN_FILES.fullmatch(name):
            why = "nft and ip -batch cannot name it"
        if why:
            yield Refusal(f"the interface {name!r} of {one.name}", why, one.span)


def names_refused_by_routeros(plan: Plan) -> Iterator[Refusal]:
    """``*1`` is an internal number, ``!x`` means "not x"."""
    for one in plan.balance.ends:
        if one.interface[:1] in ("*", "!"):
            why = f"RouterOS takes {one.interface[:1]!r} at the beginning for a sign"
            yield Refusal(f"the interface {one.interface!r} of {one.name}", why, one.span)
