"""Values as PHP's source has them: what an administrator types is text there, and never code."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["php_literal"]


def php_literal(value: str | bool | int | Sequence[str]) -> str:
    """Single quotes, in which only ``\\\\`` and ``\\'`` mean something (PHP manual, "Strings: single quoted")."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return f"[{', '.join(php_literal(one) for one in value)}]"
