"""Pages of rows, the least recently used dropped, and which page is wanted next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from appliance.console.widgets.rows import Row

__all__ = ["PAGE", "RowCache"]

PAGE = 100
"""Rows of a page: about two large screens, and as many as come with the daemon's answer to a question."""


class RowCache:
    """Rows by their offset, some of them there."""

    def __init__(self, count: int = 0, pages: int = 64) -> None:
        self.count = count
        self._most = pages
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()

    def row(self, offset: int) -> Row | None:
        """The row, or None while it is not there."""
        page, place = divmod(offset, PAGE)
        rows = self._pages.get(page)
        if rows is None or not 0 <= place < len(rows):
            return None
        self._pages.move_to_end(page)
        return rows[place]

    def put(self, page: int, rows: Sequence[Row]) -> None:
        """Keep a page; ``rows`` are those from ``page * PAGE``."""
        self._pages[page] = rows
        self._pages.move_to_end(page)
        while len(self._pages) > self._most:
            self._pages.popitem(last=False)

    def wanted(self, first: int, last: int) -> int | None:
        """The next page to load while the offsets ``first`` to ``last`` are on the screen: those seen, then one after
        and one before them."""
        low, high = max(first, 0) // PAGE, max(min(last, self.count - 1), 0) // PAGE
        pages: tuple[int, ...] = (*range(low, high + 1), high + 1, low - 1)
        for page in pages:
            if 0 <= page * PAGE < self.count and page not in self._pages:
                return page
        return None

    def offset_near(self, identity: int, near: int) -> int | None:
        """The offset of the row with this id, if it is in a kept page; the closest to ``near``."""
        found: list[int] = [
            page * PAGE + place
            for page, rows in self._pages.items()
            for place, row in enumerate(rows)
            if row.id == identity
        ]
        return min(found, key=lambda offset: abs(offset - near)) if found else None

    def rows(self) -> Iterator[Row]:
        """All rows that are there."""
        for page in self._pages.values():
            yield from page
