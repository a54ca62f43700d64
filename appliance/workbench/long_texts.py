"""Texts of ten thousand lines in a TextArea: two measures that Textual 8.2.8 takes over all lines at every key.

``WrappedDocument.height`` adds up all lines for each row that is drawn, and
``Document.get_size`` measures the cells of each line at every edit, with a cache
that holds 4096. The editor does not wrap lines, so both are simpler here.
"""

from __future__ import annotations

from rich.cells import cell_len
from textual.geometry import Size
from textual.widgets.text_area import Document, WrappedDocument

__all__ = ["QuickDocument", "UnwrappedDocument"]


class UnwrappedDocument(WrappedDocument):
    """A document whose lines are one row each."""

    @property
    def height(self) -> int:
        """The number of lines."""
        return self.document.line_count


class QuickDocument(Document):
    """A document that is measured quickly."""

    def get_size(self, tab_width: int) -> Size:
        """The cells of the longest line, and the number of lines."""
        widths = (_width(line, tab_width) for line in self.lines)
        return Size(max(widths, default=0), self.line_count)


def _width(line: str, tab_width: int) -> int:
    if line.isascii():
        return len(line.expandtabs(tab_width)) if "\t" in line else len(line)
    return cell_len(line.expandtabs(tab_width))
