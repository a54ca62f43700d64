"""A daemon: a program with its configuration, which must pass its own validator and a shadow start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.components.agreements import Declared
from appliance.components.config_files import ConfigFile, render_files, template_findings
from appliance.components.finding import error
from appliance.components.probing import Probe, until_well
from appliance.contract.components import Component, Finding, Machine, RenderedFile
from appliance.contract.programs import Program, State, Status
from appliance.language import _
from appliance.supervisor.unit import EDITION

__all__ = ["Daemon"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A program that runs while this component is there. ``name`` is the program's.

    Validators are weak, and a reload keeps the old configuration when the new
    one is bad, so that the next restart dies: hence the shadow start of the
    whole daemon on the new files before anything is switched.
    """

    program: Program
    files: tuple[ConfigFile, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Components that it requires beside the programs that ``program`` requires."""
    follows: tuple[str, ...] = ()
    """Of those that it requires: it is reloaded when they act, such as a certificate."""
    trusts: tuple[str, ...] = ()
    """Of those that it follows: data that they have judged themselves, such as a table of accounts. When nothing else
    is new it is reloaded without a shadow start."""
    provides: tuple[Declared, ...] = ()
    probes: tuple[Probe, ...] = ()
    probe_within: float = 5.0
    """Seconds in which the probes must come to pass once it is ready."""

    @property
    def name(self) -> str:
        """The program's."""
        return self.program.name

    @property
    def requires(self) -> tuple[str, ...]:
        """The programs and the other components that it needs."""
        return tuple(dict.fromkeys((*self.program.requires, *self.after)))

    @property
    def edition(self) -> str:
        """How its unit is written."""
        return EDITION

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """Whether its templates are there, nobody else listens where it does, and it follows what it reads."""
        return (
            *template_findings(self.name, self.files),
            *self._collisions(all_components),
            *self._unfollowed(all_components),
        )

    def render(self) -> Sequence[RenderedFile]:
        """Its configuration."""
        return render_files(self.files, self.values)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """What the validator says; when it says nothing, what a shadow start says."""
        if self.program.check and (said := machine.check(self.name, files)):
            return (error(self.name, _("its validator refuses the configuration: {said}"), said=said),)
        if said := machine.shadow(self.name, files):
            return (error(self.name, _("it does not start on this configuration: {said}"), said=said),)
        return ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Start, reload or stop it. Raises RuntimeError with its last words when it is not ready afterwards."""
        if after is None:
            machine.stop(self.name)
            return
        status = machine.start(self.name, after)
        if status.state is not State.READY:
            raise RuntimeError(f"{self.name} is {status.state}: {status.said}")

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether it is ready, then what the probes say."""
        status = self._status(machine)
        if status is None:
            return (error(self.name, _("it is not running")),)
        if status.state is not State.READY:
            return (error(self.name, _("it is {state}: {said}"), state=str(status.state), said=status.said),)
        return until_well(self.probes, files, machine, self.probe_within)

    def _unfollowed(self, all_components: Mapping[str, Component]) -> tuple[Finding, ...]:
        """It runs on copies: without its own act it would never see the other's new files."""
        return tuple(
            error(self.name, _("reads the files of {other} and does not follow it"), other=name)
            for name in self.program.reads
            if name in all_components and name not in self.follows
        )

    def _status(self, machine: Machine) -> Status | None:
        return next((status for status in machine.status() if status.program == self.name), None)

    def _collisions(self, all_components: Mapping[str, Component]) -> tuple[Finding, ...]:
        if self.program.ready.tcp is None:
            return ()
        host, port = self.program.ready.tcp
        return tuple(
            error(self.name, _("listens on {host} port {port}, and so does {other}"), host=host, port=port, other=name)
            for name, other in all_components.items()
            if isinstance(other, Daemon) and name != self.name and other.program.ready.tcp == (host, port)
        )
