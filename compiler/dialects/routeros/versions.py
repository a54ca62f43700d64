"""Which version of RouterOS a script is for, when its head does not tell.

Source: MikroTik documentation, "Moving from ROSv6 to v7 with examples".
"""

from __future__ import annotations

from compiler.dialects.routeros.script import Script, Statement

__all__ = ["evident_version"]

_ROUTES = (("ip", "route"), ("ipv6", "route"))


def evident_version(script: Script) -> int | None:
    """6 or 7 where a statement has words of that version alone; the first such statement decides."""
    for statement in script.statements:
        version = _version(statement)
        if version is not None:
            return version
    return None


def _version(statement: Statement) -> int | None:
    path = statement.path
    if path in (("routing", "table"), ("routing", "rule")):
        return 7
    if path == ("ip", "route", "rule"):
        return 6
    if path in _ROUTES:
        names = {name or value for name, value in statement.arguments}
        if "routing-table" in names or "blackhole" in names:
            return 7
        if "routing-mark" in names or "type" in names:
            return 6
    return None
