"""An image running in simavr: the bridge (``firmware/simulation``) as a child process, spoken to by lines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

__all__ = ["Event", "Simulator", "SimulatorError"]


class SimulatorError(RuntimeError):
    """The bridge is gone, or did not understand."""


class Event(NamedTuple):
    """What happened at a cycle: ``tx`` a byte in hexadecimal, ``pin`` a name and a level, ``reset``, ``crash``."""

    kind: str
    words: tuple[str, ...]
    cycle: int


class Simulator:
    """A context manager around one bridge. Times are cycles of the chip's clock."""

    def __init__(self, bridge: Path, chip: str, hertz: int, image: Path) -> None:
        self.hertz = hertz
        self.cycle = 0
        self._process = subprocess.Popen(
            [str(bridge), chip, str(hertz), str(image)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def command(self, text: str) -> list[str]:
        """Sends a command; the lines before its ``ok``. Raises SimulatorError."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise SimulatorError("the bridge has ended") from error
        lines: list[str] = []
        for line in self._lines():
            word, _, rest = line.partition(" ")
            if word == "ok":
                self.cycle = int(rest)
                return lines
            if word == "error":
                raise SimulatorError(f"the bridge does not understand {text[:80]!r}")
            lines.append(line)
        raise SimulatorError("the bridge has ended")

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            yield raw.decode().rstrip("\n")

    def run(self, cycles: int) -> list[Event]:
        """Runs for so many cycles, or until the chip has sent the end of a line, or was reset."""
        events = []
        for line in self.command(f"run {max(cycles, 1)}"):
            kind, *words = line.split()
            events.append(Event(kind, tuple(words[:-1]), int(words[-1])))
        return events

    def serial(self, data: bytes) -> None:
        """Queues bytes on the modem's line towards the chip."""
        if data:
            self.command(f"serial {data.hex()}")

    def display(self) -> tuple[str, str]:
        """The two rows of the display."""
        rows = [line[4:20] for line in self.command("display")]
        return rows[0], rows[1]

    def eeprom(self) -> bytes:
        """The whole EEPROM."""
        return bytes.fromhex(self.command("eeprom")[0].split()[1])

    def poke(self, address: int, data: bytes) -> None:
        """Writes EEPROM from outside, as a programmer does."""
        self.command(f"poke {address} {data.hex()}")

    def figures(self) -> dict[str, int]:
        """Counters: free stack ever, resets, lost and bad characters, display and EEPROM misuse."""
        words = self.command("figures")[0].split()[1:]
        return {name: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}

    def close(self) -> None:
        """Ends the bridge."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
