"""The two boards whole: chip, modem, sensors, buttons, relays and lamps on one clock."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from labs.firmware.modem import Modem
from labs.firmware.settings import SETTINGS_BASE, Settings
from labs.firmware.simulator import Event, Simulator

__all__ = ["Board", "Change", "IrrigationBoard", "LampsBoard", "sensor_millivolts"]

_LAMP_PINS = {"D6": "terrace", "D7": "bedroom", "B0": "kitchen", "B5": "indicator"}
_PUMP_PINS = {"D4": "A", "D5": "B"}


class Change(NamedTuple):
    """An output changed at a time in seconds."""

    name: str
    on: bool
    at: float


def sensor_millivolts(settings: Settings, sensor: int, percent: float) -> float:
    """What a sensor gives at a level: the table's pieces, the last one going on beyond 90 %."""
    levels, volts = settings.levels, settings.sensors[sensor]
    piece = min(max(bisect(levels, percent), 1), len(levels) - 1)
    low, high = levels[piece - 1], levels[piece]
    return volts[piece - 1] + (percent - low) * (volts[piece] - volts[piece - 1]) / (high - low)


class Board:
    """A chip with its modem. :meth:`advance` lets both live; outputs and resets are collected as they change."""

    def __init__(self, simulator: Simulator, modem: Modem, settings: Settings | None, pins: dict[str, str]) -> None:
        self.simulator = simulator
        self.modem = modem
        self.outputs = dict.fromkeys(pins.values(), False)
        self.changes: list[Change] = []
        self.resets: list[float] = []
        self.crashes: list[Event] = []
        self.on_change: Callable[[Change], None] | None = None
        self._pins = pins
        if settings is not None:
            simulator.poke(SETTINGS_BASE, settings.image())
        for pin in pins:
            simulator.command(f"watch {pin}")

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self.simulator.cycle / self.simulator.hertz

    def power(self, on: bool) -> None:
        """The supply. Off: outputs fall, the memory is lost, an EEPROM write under way is torn."""
        self._take(self.simulator.command(f"power {int(on)}"))

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            kind, *words = line.split()
            self._event(Event(kind, tuple(words[:-1]), int(words[-1])))

    def _event(self, event: Event) -> None:
        at = event.cycle / self.simulator.hertz
        if event.kind == "tx":
            self.modem.receive(bytes.fromhex(event.words[0]), at)
        elif event.kind == "pin":
            change = Change(self._pins[event.words[0]], event.words[1] == "1", at)
            self.outputs[change.name] = change.on
            self.changes.append(change)
            if self.on_change:
                self.on_change(change)
        elif event.kind == "reset":
            self.resets.append(at)
        elif event.kind == "crash":
            self.crashes.append(event)

    def advance(self, seconds: float) -> None:
        """Lets the board and its modem live for so long."""
        end = self.simulator.cycle + round(seconds * self.simulator.hertz)
        while self.simulator.cycle < end and not self.crashes:
            self.simulator.serial(self.modem.output(self.now))
            due = self.modem.due()
            target = end if due is None else min(end, int(due * self.simulator.hertz) + 1)
            for event in self.simulator.run(target - self.simulator.cycle):
                self._event(event)

    def until(self, condition: Callable[[], bool], seconds: float, step: float = 0.1) -> bool:
        """Advances in steps until the condition holds; False when it never did in that time."""
        end = self.now + seconds
        while not condition():
            if self.now >= end or self.crashes:
                return False
            self.advance(step)
        return True

    def message(self, sender: str, text: str) -> None:
        """Somebody sends the board an SMS."""
        self.modem.deliver(sender, text, self.now)

    def close(self) -> None:
        """Ends the simulation."""
        self.simulator.close()


class IrrigationBoard(Board):
    """ATmega8535: two sensors, two pumps, two buttons, a display."""

    HERTZ = 7_372_800

    def __init__(self, build: Path, modem: Modem, settings: Settings | None, image: str = "irrigation") -> None:
        simulator = Simulator(build / "bridge", "atmega8535", self.HERTZ, build / f"{image}.elf")
        super().__init__(simulator, modem, settings, _PUMP_PINS)
        self.settings = settings or Settings()
        for field in "AB":
            self.press(field, down=False)
            self.level(field, 50)
        simulator.command("errors 2560 3 0.7")

    def level(self, field: str, percent: float) -> None:
        """The water's level, by the sensor's table."""
        sensor = "AB".index(field)
        self.volts(field, sensor_millivolts(self.settings, sensor, percent))

    def volts(self, field: str, millivolts: float) -> None:
        """The sensor's voltage itself: 0 for a broken wire, some hundred for a short."""
        self.simulator.command(f"input {1 + 2 * 'AB'.index(field)} {millivolts * 1000:.3f}")

    def press(self, field: str, *, down: bool) -> None:
        """The push button: low when pressed."""
        self.simulator.command(f"drive D{2 + 'AB'.index(field)} {int(not down)}")

    def push(self, field: str) -> None:
        """A press of 200 ms."""
        self.press(field, down=True)
        self.advance(0.2)
        self.press(field, down=False)
        self.advance(0.2)

    @property
    def display(self) -> tuple[str, str]:
        """What the display shows."""
        return self.simulator.display()


class LampsBoard(Board):
    """ATmega328P: three lamps, an indicator."""

    HERTZ = 16_000_000

    def __init__(self, build: Path, modem: Modem, settings: Settings | None, image: str = "lamps") -> None:
        simulator = Simulator(build / "bridge", "atmega328p", self.HERTZ, build / f"{image}.elf")
        super().__init__(simulator, modem, settings, _LAMP_PINS)
        simulator.command("drive B2 1")

    @property
    def lamps(self) -> tuple[bool, bool, bool]:
        """Terrace, bedroom, kitchen."""
        return self.outputs["terrace"], self.outputs["bedroom"], self.outputs["kitchen"]
