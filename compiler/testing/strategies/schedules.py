"""Fault schedules: which cables and nodes die, when, and when they are well again."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from compiler.simulator.engine import SECOND
from compiler.testing.networks.failures import mortal
from compiler.testing.networks.model import NetworkModel

__all__ = ["Outage", "fault_schedules"]

_BEGINNINGS = tuple(seconds * SECOND for seconds in (0, 5, 30, 60))
_LENGTHS = (None, *(seconds * SECOND for seconds in (60, 30, 1)))


class Outage(NamedTuple):
    """A part of a network is dead from one moment to another; nanoseconds since the beginning, None: for good."""

    part: str
    begins: int = 0
    lasts: int | None = None

    @property
    def ends(self) -> int | None:
        """The moment when it is well again."""
        return None if self.lasts is None else self.begins + self.lasts

    def __repr__(self) -> str:
        lasts = "for good" if self.lasts is None else f"for {self.lasts / SECOND:g} s"
        return f"{self.part} dead from {self.begins / SECOND:g} s {lasts}"


def fault_schedules(
    model: NetworkModel, *, most: int = 2, among: str | tuple[str, ...] = ()
) -> st.SearchStrategy[tuple[Outage, ...]]:
    """Up to ``most`` outages of the parts that ``under`` lets die, or of those named; the simplest has none.

    Times are few and round: from before anything is sent to a minute later, for
    good, for a minute, for 30 s (three times RouterOS's ``check-gateway``) and for one.
    """
    parts = mortal(model, (among,) if isinstance(among, str) and among else tuple(among))
    if not parts or not most:
        return st.just(())
    outages = st.builds(Outage, st.sampled_from(parts), st.sampled_from(_BEGINNINGS), st.sampled_from(_LENGTHS))
    return st.lists(outages, max_size=most).map(tuple)
