"""The version of the installed distribution."""

from __future__ import annotations

from functools import cache

__all__ = ["version"]


@cache
def version() -> str:
    """Of the installed ``gerbang``; ``0`` in a tree that is not installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("gerbang")
    except PackageNotFoundError:
        return "0"
