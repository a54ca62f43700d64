"""Where a grid's rows come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from appliance.contract.listings import Column, Question

__all__ = ["AddsUp", "PlacesRows", "Row", "RowSource"]


class Row(NamedTuple):
    """One row. ``values`` are in the order of the source's columns: of Python, or as in JSON."""

    id: int
    version: int
    values: Sequence[Any]


class RowSource(Protocol):
    """Rows that are asked for and come in pages. Any exception is shown in place of the rows."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, in their order."""

    async def ask(self, question: Question) -> int:
        """Choose and sort; how many rows there are. Pages are of the last question."""

    async def page(self, offset: int, limit: int) -> Sequence[Row]:
        """The rows from ``offset`` (the first is 0), at most ``limit``."""


@runtime_checkable
class PlacesRows(Protocol):
    """A source that knows where a row went: the cursor follows it through sorting and filtering."""

    async def place(self, identity: int) -> int | None:
        """The offset of the row with this id in the last question's rows, or None."""


@runtime_checkable
class AddsUp(Protocol):
    """A source with a totals line."""

    async def totals(self) -> Mapping[str, Any]:
        """Column names to values, over all rows of the last question."""
