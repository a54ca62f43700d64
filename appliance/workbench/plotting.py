"""The plot of a running lab: what links carry, in the console's own plot."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.console.widgets.chart import Series
from appliance.console.widgets.plot import Plot
from appliance.workbench.throughput import Curve

__all__ = ["ThroughputPlot"]


class ThroughputPlot(Plot):
    """Throughput of links over the lab's time."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(unit="Mbit/s", x_title="s", id=id)
        self._curves: tuple[Curve, ...] = ()

    @property
    def curves(self) -> tuple[Curve, ...]:
        """What is drawn."""
        return self._curves

    def draw(self, curves: Sequence[Curve]) -> None:
        """Show these curves."""
        self._curves = tuple(curves)
        self.show([Series(curve.name, curve.points) for curve in curves])
