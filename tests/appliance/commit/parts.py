"""A model of a machine, and a component of it: what runs is a dictionary, and anything may fail or be killed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from appliance.commit.clock import Clock
from appliance.commit.commits import Commits
from appliance.contract.components import Component, Finding, Machine, RenderedFile, Severity
from appliance.contract.programs import State, Status

STEPS = ("open", "mkdir", "symlink", "replace", "rename", "unlink", "sched_yield")
FINE_STEPS = (*STEPS, "write", "fchmod", "fsync")


class Killed(BaseException):
    """The process dies here: nothing but ``finally`` runs, which the kernel would do for us too."""


class Broke(Exception):
    """An injected failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A program whose configuration is one text. Words in it make it fail at home: ``unwanted``, ``unrenderable``."""

    name: str
    text: str = ""
    requires: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    secret: bool = False

    def verify(self, all_components: Mapping[str, Component]) -> Sequence[Finding]:
        return (_error(self.name, "is not wanted"),) if "unwanted" in self.text else ()

    def render(self) -> Sequence[RenderedFile]:
        if "unrenderable" in self.text:
            raise Broke("cannot be rendered")
        return (RenderedFile(path="etc/config", content=self.text.encode(), mode=0o600, secret=self.secret),)

    def preflight(self, files: Path, machine: Machine) -> Sequence[Finding]:
        said = machine.check(self.name, files) or machine.shadow(self.name, files)
        return (_error(self.name, said),) if said else ()

    def act(self, before: Path | None, after: Path | None, machine: Machine) -> None:
        if after is None:
            machine.stop(self.name)
        else:
            machine.start(self.name, after)

    def probe(self, files: Path, machine: Machine) -> Sequence[Finding]:
        ready = {status.program for status in machine.status()}
        assert isinstance(machine, ModelMachine)
        return (
            ()
            if self.name in ready and not machine.strikes("probe", self.name)
            else (_error(self.name, "does not serve"),)
        )


def _error(name: str, words: str) -> Finding:
    return Finding(component=name, severity=Severity.ERROR, template="{words}", values={"words": words})


@dataclass
class ModelMachine:
    """``running`` is what each program has read. ``faults`` are ``(verb, program)``, taken when they strike unless
    they are in ``lasting``."""

    running: dict[str, str] = field(default_factory=dict)
    faults: set[tuple[str, str]] = field(default_factory=set)
    lasting: bool = False
    did: list[tuple[str, str]] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    def strikes(self, verb: str, program: str) -> bool:
        struck = (verb, program) in self.faults
        if struck and not self.lasting:
            self.faults.discard((verb, program))
        return struck

    def start(self, program: str, files: Path) -> Status:
        os.sched_yield()  # a step at which it may be killed
        if self.strikes("start", program):
            raise Broke(f"{program} does not start")
        self.running[program] = (files / "etc/config").read_text()
        self.did.append(("start", program))
        if self.strikes("started", program):
            raise Broke(f"{program} started and then broke")
        return Status(program=program, state=State.READY)

    def stop(self, program: str) -> Status:
        os.sched_yield()
        if self.strikes("stop", program):
            raise Broke(f"{program} does not stop")
        self.running.pop(program, None)
        self.did.append(("stop", program))
        return Status(program=program, state=State.STOPPED)

    def check(self, program: str, files: Path) -> str:
        os.sched_yield()
        (files / "etc/config").read_text()
        self.checked.append(program)
        return "the validator refuses" if self.strikes("check", program) else ""

    def shadow(self, program: str, files: Path) -> str:
        return "it dies in the shadow" if self.strikes("shadow", program) else ""

    def status(self) -> tuple[Status, ...]:
        return tuple(Status(program=name, state=State.READY) for name in self.running)

    def apply_network(self, before: Path | None, after: Path | None, confirm_within: int) -> None: ...

    def confirm_network(self) -> None: ...

    def roll_back_network(self) -> None: ...


class ModelClock(Clock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.boots = 1
        self.wall_offset = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds + self.wall_offset)

    def since_boot(self) -> float:
        return self.seconds

    def boot(self) -> str:
        return f"boot-{self.boots}"


@contextmanager
def dying(at: int, names: Sequence[str] = STEPS) -> Iterator[list[int]]:
    """Raise Killed at the step of this number (from 0); real fsync is left out. Yields a list whose length is the
    number of steps gone through."""
    steps: list[int] = []
    real = {name: getattr(os, name) for name in names} | {"fsync": lambda descriptor: None}

    def step(name: str):
        def call(*arguments, **options):
            if len(steps) == at:
                raise Killed
            steps.append(0)
            return real[name](*arguments, **options)

        return call

    patches = [patch.object(os, name, step(name)) for name in names]
    if "fsync" not in names:
        patches.append(patch.object(os, "fsync", real["fsync"]))
    for one in patches:
        one.start()
    try:
        yield steps
    finally:
        for one in patches:
            one.stop()


def stands_whole(folder: Path, machine: ModelMachine) -> int:
    """The generation that the machine is, exactly. Raises AssertionError when it is none or a mixture."""
    pointed = int(os.readlink(folder / "current").removeprefix("generations/"))
    there = {path.parts[-3]: path.read_text() for path in (folder / "current").glob("*/etc/config")}
    assert machine.running == there, f"the machine runs {machine.running}, generation {pointed} is {there}"
    return pointed


def commits_of(folder: Path, machine: ModelMachine, clock: Clock | None = None, **options) -> Commits:
    return Commits(folder, machine, (Part,), clock=clock, **options)
