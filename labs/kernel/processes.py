"""All real processes of a lab: a room for each node that has some, its programs, and the commands of its clients."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

from compiler.errors import UsageError
from labs.kernel.commands import Commands
from labs.kernel.programs import RunningProgram, why_not_command
from labs.kernel.rooms import Room
from labs.kernel.world import KernelWorld
from labs.observation import CommandRecord, ProgramRecord
from labs.programs import program_feature
from labs.topology import Lab, Node, Service, Traffic

__all__ = ["Processes"]


class Processes:
    """Begins what the nodes run when it is entered, ends it when it is left.

    ``outputs`` is a folder where the outputs stay, None where they need not.
    What cannot be run here is among the world's ``lacks``, with the reason: all
    programs of a node for one that is missing, as they are made to work together.
    UsageError where one begins and does not get ready.
    """

    def __init__(self, world: KernelWorld, descriptors: int, outputs: Path | None) -> None:
        self._world = world
        self._descriptors = descriptors
        self._stack = ExitStack()
        self._rooms: dict[str, Room] = {}
        self._running: list[RunningProgram] = []
        self._commands: list[Commands] = []
        self._missing = {node.name: reason for node in world.lab.nodes if (reason := _why_not_node(world, node))}
        self._kept = outputs
        self._outputs = outputs or Path()
        self._shared = Path()

    def __enter__(self) -> Self:
        lab = self._world.lab
        if not has_processes(lab):
            return self
        try:
            folder = Path(mkdtemp(prefix="gerbang-lab-"))
            self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o755)  # programs that are not root look into what is shared
            self._shared = folder / "shared"
            self._shared.mkdir(mode=0o1777)
            self._shared.chmod(0o1777)
            if self._kept is None:
                self._outputs = folder / "outputs"
                self._outputs.mkdir(mode=0o700)
            for node in lab.nodes:
                self._begin(node)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def is_stood_for(self, node: Node, service: Service) -> bool:
        """Whether the program that the service stands for is there itself."""
        return bool(service.stands_for) and node.name not in self._missing

    def why_skip(self, traffic: Traffic) -> str:
        """Why the command of that traffic is not run: it, or a program that it needs, is missing. Empty when it is."""
        assert traffic.command is not None
        reason = why_not_command(traffic.command)
        # Nobody says whom it talks to: then it may be any program of the lab.
        of = (traffic.client, traffic.server) if traffic.server in self._world.nodes else tuple(self._missing)
        missing = next((f"{node} has no programs: {self._missing[node]}" for node in of if node in self._missing), "")
        return reason or missing

    def command(self, traffic: Traffic) -> Commands:
        """The commands of that traffic, at their moments."""
        made = Commands(self._world.loop, self._room(traffic.client), traffic, self._outputs)
        self._commands.append(made)
        self._stack.callback(made.close)
        return made

    @property
    def are_over(self) -> bool:
        """Whether every command has run."""
        return all(one.is_over for one in self._commands)

    def look(self, now: int) -> None:
        """Notice programs that have ended."""
        for one in self._running:
            one.look(now)

    def records(self) -> tuple[tuple[CommandRecord, ...], tuple[ProgramRecord, ...]]:
        """What became of commands and programs, in the lab's order; where nothing is kept, no path is told."""
        from dataclasses import replace

        commands = [record for one in self._commands for record in one.records()]
        programs = [one.record() for one in self._running]
        if self._kept is None:
            commands = [replace(one, path="") for one in commands]
            programs = [replace(one, path="") for one in programs]
        return tuple(commands), tuple(programs)

    def _begin(self, node: Node) -> None:
        if not node.programs or node.name not in self._world.nodes:
            return
        if node.name in self._missing:
            reason = self._missing[node.name]
            self._world.lacks += [(program_feature(node.name, one.name), reason) for one in node.programs]
            return
        for program in node.programs:
            output = self._outputs / f"{node.name}-{program.name}.log"
            try:
                running = RunningProgram(self._room(node.name), program, output)
            except UsageError as error:
                kept = f"\nall of it: {output}" if self._kept is not None else ""
                raise UsageError(f"{program.span}: {error}{kept}") from None
            self._stack.callback(running.close)
            self._running.append(running)

    def _room(self, name: str) -> Room:
        if name not in self._rooms:
            made = self._world.nodes[name]
            kept = () if self._kept is None else (self._kept,)
            room = Room(
                made.node,
                made.namespace,
                folder=self._world.lab.folder,
                shared=self._shared,
                descriptors=self._descriptors,
                kept=kept,
            )
            self._stack.callback(room.close)
            self._rooms[name] = room
        return self._rooms[name]


def has_processes(lab: Lab) -> bool:
    """Whether the lab runs anything real."""
    return any(node.programs for node in lab.nodes) or any(traffic.command is not None for traffic in lab.traffic)


def _why_not_node(world: KernelWorld, node: Node) -> str:
    """Why the node's programs are not run: the first that cannot be, and what it lacks."""
    if node.programs and node.name not in world.nodes:
        return "the node itself is not realised"
    for program in node.programs:
        reason = why_not_command(program.command)
        if reason:
            return f"{program.name}: {reason}"
    missing = [path for path in node.private if not Path(path).is_dir()]
    return f"there is no folder {missing[0]} that could be private" if missing and node.programs else ""
