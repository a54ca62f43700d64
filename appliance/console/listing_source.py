"""Rows for a grid from the daemon's listings: it keeps the sorted ids of a question, and hands out pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.console.door import Failure
from appliance.console.widgets.rows import Row
from appliance.contract.listings import Column, Question, columns_of

if TYPE_CHECKING:
    from appliance.console.door import Door

__all__ = ["ListingSource", "TotalledSource"]


class ListingSource:
    """A RowSource and PlacesRows. A query that the daemon has forgotten is asked again."""

    def __init__(self, door: Callable[[], Door], service: str, listing: str, row: type) -> None:
        self.columns: Sequence[Column] = columns_of(row)
        self._door = door
        self._service = service
        self._listing = listing
        self._question = Question()
        self._query = ""
        self._first: Sequence[Row] = ()
        self._count = 0
        self._newest = 0

    async def ask(self, question: Question) -> int:
        """Ask the daemon; a later question wins."""
        self._newest += 1
        mine = self._newest
        answer = await self._door().ask(self._service, self._listing, question)
        if mine == self._newest:
            self._question, self._query = question, answer["query"]
            self._first = [_row(one) for one in answer["rows"]]
            self._count = int(answer["count"])
        return int(answer["count"])

    async def page(self, offset: int, limit: int) -> Sequence[Row]:
        """A page. The first hundred rows came with the answer, and are those of this moment when first looked at."""
        first, self._first = self._first, ()
        if first and offset + min(limit, self._count - offset) <= len(first):
            return first[offset : offset + limit]
        rows: list[dict[str, Any]] = await self._again(lambda: self._door().rows(self._query, offset, limit))
        return [_row(one) for one in rows]

    async def place(self, identity: int) -> int | None:
        """Where the row is now."""
        offset: int | None = await self._again(lambda: self._door().position(self._query, identity))
        return offset

    async def export(self, form: str, into: Path) -> None:
        """All rows of the last question, as ``csv`` or ``xlsx``."""
        await self._again(lambda: self._door().export(self._query, form, into))

    async def _again(self, request: Callable[[], Any]) -> Any:
        try:
            return await request()
        except Failure as error:
            if error.status != 404 or not self._query:
                raise
        await self.ask(self._question)
        return await request()


class TotalledSource(ListingSource):
    """One that AddsUp too, in these columns."""

    def __init__(
        self, door: Callable[[], Door], service: str, listing: str, row: type, *, totals: Sequence[str]
    ) -> None:
        super().__init__(door, service, listing, row)
        self._totals = frozenset(totals)

    async def totals(self) -> Mapping[str, Any]:
        """The sums."""
        sums: Mapping[str, Any] = await self._again(lambda: self._door().totals(self._query))
        return {name: value for name, value in sums.items() if name in self._totals}


def _row(answer: Mapping[str, Any]) -> Row:
    return Row(int(answer["id"]), int(answer.get("version") or 0), answer["values"])
