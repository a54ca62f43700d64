"""How large the terminal of somebody else may be. A screen is held cell by cell: the 65,535 columns and rows that SSH
and websockets can say would take all memory of the machine."""

from __future__ import annotations

__all__ = ["LARGEST"]

LARGEST = (500, 200)
"""Columns and rows."""
