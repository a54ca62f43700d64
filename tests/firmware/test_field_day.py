"""Field life on the real image: levels rise and fall, it rains, the tank runs dry, wires break, the modem resets and
runs out of credit, the power goes at random cycles. Nothing is speeded up: the image is the one that is flashed, and
simavr skips only the cycles in which the chip sleeps. Three hours in the ordinary suite, days with GERBANG_LONG.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from labs.firmware.modem import Modem
from labs.firmware.settings import Settings
from tests.conftest import LONG
from tests.firmware.conftest import OWNER

HOURS = 24 if LONG else 3
SEEDS = range(4) if LONG else range(1)
STEP = 4.0
PUMP, DRAIN, RAIN = 3.0, 0.6, 2.5  # percent a minute
FILL_MINUTES = 10
SLACK = 0.8  # percent: noise and resolution of the converter
REACTION = 8.0  # seconds: the median's window and a step


@dataclass
class Water:
    level: float
    dry: bool = False  # the tank is empty: the pump runs, nothing comes
    broken: bool = False
    above: float = 0.0  # seconds on above 85 %
    below: float = 0.0  # seconds on below 30 % since it last had risen by 5 points
    base: float | None = None
    alarms: list[tuple[float, str]] = field(default_factory=list)
    shown: str = ""

    def live(self, minutes, pump, rain):
        rise = (PUMP if pump and not self.dry else 0) - DRAIN + (RAIN if rain else 0)
        self.level = min(max(self.level + rise * minutes, 0), 108)

    def judge(self, pump, seconds):
        self.above = self.above + seconds if pump and self.level > 85 + SLACK else 0
        if self.level >= 31 + SLACK:
            self.below, self.base = 0, None
        elif pump and self.level < 30 - SLACK:
            self.base = self.level if self.base is None else self.base
            self.below += seconds
            if self.level >= self.base + 5 - SLACK:
                self.below, self.base = 0, self.level
        assert self.above <= REACTION, "a pump is on above 85 %"
        assert self.below <= FILL_MINUTES * 60 + REACTION, "a pump is on below 30 % beyond the filling time"


class Day:
    def __init__(self, board, chance):
        self.board, self.chance = board, chance
        self.water = {"A": Water(50), "B": Water(25)}
        self.rain_until = self.credit_at = self.powered_at = 0.0
        self.happened = dict.fromkeys(["cut", "reset", "credit", "rain", "dry", "wire"], 0)

    def maybe(self, name, per_hour):
        if self.chance.random() < per_hour * STEP / 3600:
            self.happened[name] += 1
            return True
        return False

    def weather(self):
        now, modem = self.board.now, self.board.modem
        if self.maybe("rain", 2):
            self.rain_until = now + self.chance.uniform(300, 1500)
        if self.maybe("reset", 2):
            modem.reset(now)
        if self.maybe("credit", 1):
            modem.credit, self.credit_at = False, now + self.chance.uniform(300, 1500)
        if not modem.credit and now > self.credit_at:
            modem.credit = True
        for water in self.water.values():
            if self.maybe("dry", 2):
                water.dry = not water.dry
            if self.maybe("wire", 0.7) or (water.broken and self.chance.random() < STEP / 120):
                water.broken = not water.broken
        if self.maybe("cut", 3):
            self.board.simulator.run(self.chance.randrange(self.board.HERTZ))
            self.board.power(False)
            self.board.advance(self.chance.uniform(0.05, 20))
            self.board.power(True)
            self.powered_at = self.board.now

    def step(self):
        self.weather()
        for name, water in self.water.items():
            if water.broken:
                self.board.volts(name, 0)
            else:
                self.board.level(name, water.level)
        self.board.advance(STEP)
        display = self.board.display
        for row, (name, water) in enumerate(self.water.items()):
            pump = self.board.outputs[name]
            water.live(STEP / 60, pump, self.board.now < self.rain_until)
            if not water.broken:
                water.judge(pump, STEP)
            self.note(name, water, display[row])

    def note(self, name, water, row):
        """What the display tells is an alarm must come by SMS as well; the farmer answers a lock after a while."""
        if self.board.now - self.powered_at < 15:  # the display starts anew, the alarm does not
            return
        words = {"LOCK": "dikunci|dimatikan", "OPEN": "putus", "FILL": "di bawah 30%"}
        shown = next((words[word] for word in words if word in row), "")
        if shown and shown != water.shown:
            water.alarms.append((self.board.now, shown))
        if "dikunci" in water.shown and "dikunci" not in shown:  # the farmer's command gave all fields a new time
            for other in self.water.values():
                other.below, other.base = 0, None
        water.shown = shown
        if "LOCK" in row and self.chance.random() < STEP / 200:
            water.dry = False
            self.board.message("081234567890", "#SYS_ON")

    def unreported(self):
        for name, water in self.water.items():
            for at, words in water.alarms:
                texts = [
                    sent.text for sent in self.board.modem.sent if sent.at > at - 30 and f"awah {name}:" in sent.text
                ]
                if not any(word in text for word in words.split("|") for text in texts):
                    yield name, at, words


@pytest.mark.parametrize("seed", SEEDS)
def test_field_life(irrigation, seed):
    chance = random.Random(seed)
    board = irrigation(modem=Modem(send_time=1.0), settings=Settings(numbers=(OWNER,), fill_minutes=FILL_MINUTES))
    board.simulator.command(f"seed {seed + 7}")
    board.power(True)
    board.advance(10)
    board.message(OWNER, "#SYS_ON")
    board.advance(5)
    day = Day(board, chance)
    while board.now < HOURS * 3600:
        day.step()
    board.modem.credit = True
    for water in day.water.values():
        water.broken = False
        water.level = 50
    for _ in range(int(2700 / STEP)):  # a quiet end, longer than any wait for a report
        board.level("A", 50)
        board.level("B", 50)
        board.advance(STEP)
        if not list(day.unreported()):
            break
    assert not list(day.unreported())
    assert all(day.happened.values()) or HOURS < 6, day.happened
    assert board.simulator.figures()["watchdog"] == 0
    sent = len(board.modem.sent)
    assert sent <= HOURS * 2 * 8 * 6, "reports are limited"
    alarms = [len(water.alarms) for water in day.water.values()]
    print(f"{board.now / 3600:.1f} h, {day.happened}, alarms {alarms}, reports {sent}")
