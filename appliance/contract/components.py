"""A component: a part of the machine that a service needs, as an immutable value made from the store.

The commit (``appliance.commit``) takes the components of all services through
its phases: verify, render, preflight, switch, act, probe, and undo in reverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from appliance.contract.programs import Status

__all__ = ["Component", "Finding", "Guarded", "Machine", "RenderedFile", "Severity"]


class Severity(StrEnum):
    """Whether a finding stops the commit."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong, said of one component. ``template`` is English with ``{names}``."""

    component: str
    severity: Severity
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    """``file:line`` of a rendered file, or a record: ``hotel.rooms/104``."""

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{self.component}: {place}{self.template.format_map(self.values)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """A file of a generation. ``path`` is relative to the component's own folder."""

    path: str
    content: bytes
    mode: int = 0o640
    secret: bool = False
    """A difference says only that it changed."""


class Machine(Protocol):
    """What may be done to the machine, all of it through the root helper's allow-list.

    ``files`` is ``<folder>/generations/7/mail.postfix`` before the switch
    (``check``, ``shadow``), and ``<folder>/current/mail.postfix`` from then on
    (``start``): a running daemon is told the second path only, so that its
    reload reads the new generation, and no old one is missed when it is pruned.
    The helper runs programs on copies of its own. A configuration names files of
    another component, such as a certificate, by their place beside its own folder:
    ``../mail.certificate/key.pem``; the program says that it ``reads`` it.
    """

    def start(self, program: str, files: Path) -> Status:
        """Start the program, or reload it when it runs."""

    def stop(self, program: str) -> Status:
        """Stop the program."""

    def check(self, program: str, files: Path) -> str:
        """Run the program's native validator on the files; what it said when it refused, or an empty text."""

    def shadow(self, program: str, files: Path) -> str:
        """Start the program on the files in namespaces of its own, wait until it is ready, and stop it; what it said
        when it failed, or an empty text."""

    def status(self) -> tuple[Status, ...]:
        """All programs that are supervised."""

    def log(self, program: str, lines: int) -> tuple[str, ...]:
        """The last lines of the program's output."""

    def perform(self, operation: str, arguments: Mapping[str, str], given: str = "") -> str:
        """Do a declared operation (``appliance.contract.operations``) and answer what it printed. Raises
        SupervisionFailed with what it said when it failed."""

    def install_packages(self, service: str) -> str:
        """Install the packages that the service's installed code declares; what the installer said. Takes minutes."""

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None:
        """Make addresses, routes, filter and balance of the folder hold; put back what was
        when nobody confirms in time."""

    def confirm_network(self) -> None:
        """Keep what apply_network did."""

    def roll_back_network(self) -> None:
        """Undo what apply_network did and nobody has confirmed."""

    def network_status(self) -> str:
        """How the network stands, as the JSON of the network service's ``NetworkStatus``."""


class Component(Protocol):
    """One part. Implementations are frozen dataclasses; only ``act`` changes anything."""

    @property
    def name(self) -> str:
        """``mail.postfix``: unique among all components; its folder in the generation."""

    @property
    def requires(self) -> tuple[str, ...]:
        """Names of the components that act before it."""

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        """What is wrong with the wish itself, or with how it fits the others. Touches nothing."""

    def render(self) -> Sequence[RenderedFile]:
        """Its files. Pure: the same value gives the same bytes."""

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """What the native validator and a shadow start say of the rendered files."""

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        """Make the machine run ``after`` in place of ``before``; None: not there. Undoing is acting the
        other way round. Doing it twice is doing it once. ``after`` is the path below ``current``,
        ``before`` that below the numbered generation. Raises whatever says why it could not."""

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        """Whether it serves, seen from outside."""


class Guarded(Protocol):
    """What a component has beside when the root helper itself takes its change back: one that can cut us off.

    A component may also have ``follows``, a part of its ``requires``: when one of
    those acts, it acts too, though its own files are the same. Of those it may name
    some in ``trusts``: it acts on what is new of them without a preflight of its own.
    And ``edition``, a text that names how our own code makes the machine run it: where
    an upgrade has changed that, the component acts once more, and the plan says so.
    """

    def act_guarded(self, before: Path | None, after: Path | None, machine: Machine, within: int) -> None:
        """``act``, in such a way that the helper takes it back ``within`` seconds from now if ``confirm`` was not
        called. This is behind the commit's own timer, for the day when the daemon dies: it is always later."""

    def confirm(self, files: Path, machine: Machine) -> None:
        """Keep it for good. Raises when the helper has taken it back already. Doing it twice is doing it once."""
