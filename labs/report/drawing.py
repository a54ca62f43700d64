"""Plots as SVG to stand inside a page: the same bytes for the same run.

matplotlib is used without its state machine, and with a salt for its
identifiers that is the plot's own, so that several plots of a page do not clash.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from compiler.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "drawn", "drawn_figure", "tidy"]

COLOURS = ("#2f6f9f", "#c8553d", "#3d8a6b", "#8a5fa8", "#b8860b", "#4d7ea8", "#a83d6b", "#5b6570")

_PROLOG = re.compile(r"^.*?(?=<svg )", re.S)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.S)


def drawn(salt: str, draw: Callable[[Axes], None], height: float) -> str:
    """One plot, so many inches high."""

    def whole(figure: Figure) -> None:
        axes = figure.subplots()
        tidy(axes)
        draw(axes)

    return drawn_figure(salt, whole, height)


def tidy(axes: Axes) -> None:
    """A light grid behind, and no frame above and beside."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="#e3e8ec", linewidth=0.6)
    axes.set_axisbelow(True)


def drawn_figure(salt: str, draw: Callable[[Figure], None], height: float) -> str:
    """A figure with whatever axes ``draw`` gives it. UsageError without matplotlib."""
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise UsageError("reports need matplotlib: pip install 'gerbang[labs]'") from missing
    with rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(figsize=(11.6, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    # Inside a page there is no room for a prolog; identifiers of groups are made the plot's own.
    text = _METADATA.sub("", _PROLOG.sub("", buffer.getvalue(), count=1))
    return re.sub(r'<g id="([A-Za-z_0-9.]+)"', rf'<g id="{salt}-\1"', text)
