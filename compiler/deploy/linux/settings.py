"""Kernel settings that balancing needs (networking/ip-sysctl.rst), read and written in this thread's namespace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from compiler.balancing.plan import Plan, port_of

__all__ = ["needed", "read", "write"]

_ROOT = Path("/proc/sys/net/ipv4")


def needed(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Names below ``net/ipv4`` and their values.

    - Answers come in by any line, so strict reverse-path filtering must be off:
      the larger of ``all`` and the interface's counts, 2 is loose.
    - A route by a dead link must not be chosen while its removal is on the way.
    - ECMP hashes ports too (1), so that one client can use several lines.
    - ip_forward comes first: writing it resets others.
    """
    ports = dict.fromkeys(port_of(uplink) for uplink in plan.balance.uplinks)
    settings = [
        ("ip_forward", "1"),
        ("conf/all/rp_filter", "2"),
        ("conf/all/ignore_routes_with_linkdown", "1"),
        ("fib_multipath_hash_policy", "1"),
    ]
    for port in ports:
        settings.append((f"conf/{port}/ignore_routes_with_linkdown", "1"))
    return tuple(settings)


def read(names: Iterable[str]) -> dict[str, str]:
    """The values that stand; those that this kernel does not have are left out."""
    found = {}
    for name in names:
        try:
            found[name] = (_ROOT / name).read_text().strip()
        except OSError:
            continue
    return found


def write(name: str, value: str) -> None:
    """Set one. OSError when the kernel refuses."""
    (_ROOT / name).write_text(value)
