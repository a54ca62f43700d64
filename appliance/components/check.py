"""A check: a probe by itself, of what several components do together, such as a mail that comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.components.finding import error
from appliance.components.probing import Probe, until_well
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.language import _

__all__ = ["Check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """It is probed whenever something acts that it requires, directly or through others."""

    name: str
    requires: tuple[str, ...]
    probes: tuple[Probe, ...]
    within: float = 5.0
    """Seconds in which it must come to pass."""

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """A check of nothing would never run."""
        return () if self.requires else (error(self.name, _("a check names what it requires")),)

    def render(self) -> Sequence[RenderedFile]:
        """It has no files."""
        return ()

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """It needs what runs."""
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """It only looks."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """What the probes say."""
        return until_well(self.probes, files, machine, self.within)
