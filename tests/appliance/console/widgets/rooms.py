"""Records, rows and applications that the tests of the widgets share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import field, make_dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from appliance.contract.fields import fields_of
from appliance.contract.kinds import (
    Code,
    Count,
    Day,
    Decimals,
    Line,
    Moment,
    Name,
    Note,
    Phone,
    Refers,
    Rupiah,
    Secret,
    Share,
    Unit,
    Whole,
    YesNo,
)
from appliance.contract.records import STRICT, record
from appliance.contract.refusals import RuleBroken

SIZES = ((80, 24), (140, 45))


class Kind(Enum):
    """A type of room."""

    SINGLE = "single"
    DOUBLE = "double"


@record(title="bill line")
class BillLine:
    """A line of a bill."""

    what: Name
    count: Count
    each: Rupiah = 0


@record
class Room:
    """All kinds of value."""

    code: Code
    name: Name
    rate: Rupiah
    status: Literal["free", "dirty", "taken"]
    kind: Kind = Kind.SINGLE
    beds: Annotated[Count, Unit("beds")] = 1
    discount: Share = 0
    area: Decimals = 0.0
    offset: Whole = 0
    vip: YesNo = False
    smoke: bool | None = None
    built: Day | None = None
    cleaned: Moment | None = None
    phone: Phone | None = None
    nick: Line = ""
    note: Note = ""
    pin: Secret = ""
    hotel: Annotated[Code, Refers("hotels")] | None = None
    facilities: tuple[Name, ...] = ()
    lines: tuple[BillLine, ...] = ()

    def __post_init__(self) -> None:
        if self.beds > 9 and self.rate < 100:
            raise RuleBroken("{beds} beds cost more than {rate}", field="rate", beds=self.beds, rate=self.rate)


def part(*names: str) -> type:
    """A record of these fields of a room, with the values of 104: an application of few widgets starts at once."""
    known = {"code": "104", "name": "Lotus", "rate": 300_000, "status": "free"}
    chosen = [one for one in fields_of(Room) if one.name in names]
    fields = [(one.name, one.type, field(default=known.get(one.name, one.default))) for one in chosen]
    return make_dataclass("Part", fields, frozen=True, kw_only=True, namespace={"__pydantic_config__": STRICT})


@record
class Small:
    """What a grid of few columns shows."""

    code: Code
    name: Line
    rate: Rupiah
    free: YesNo
    status: Literal["free", "dirty", "taken"]
    built: Day | None = None


texts = st.text(alphabet="aAbBßé日x[/] @=\"'", max_size=12).map(str.strip)
names = texts.filter(bool)
codes = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._/-]{0,8}\Z")
days = st.dates(date(1900, 1, 1), date(2999, 12, 31))
moments = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=8))))
lines = st.builds(BillLine, what=names, count=st.integers(0, 10**9), each=st.integers(-(10**15), 10**15))
rooms = st.builds(
    Room,
    code=codes,
    name=names,
    rate=st.integers(100, 10**15),
    status=st.sampled_from(["free", "dirty", "taken"]),
    kind=st.sampled_from(Kind),
    beds=st.integers(0, 10**9),
    discount=st.integers(0, 100),
    area=st.floats(-1e15, 1e15),
    offset=st.integers(-(2**53) + 1, 2**53 - 1),
    vip=st.booleans(),
    smoke=st.none() | st.booleans(),
    built=st.none() | days,
    cleaned=st.none() | moments,
    phone=st.none() | st.just("+62 361 123456"),
    nick=texts,
    note=st.lists(texts, max_size=3).map("\n".join).map(str.rstrip),
    pin=texts,
    hotel=st.none() | codes,
    facilities=st.lists(names, max_size=3).map(tuple),
    lines=st.lists(lines, max_size=3).map(tuple),
)
smalls = st.builds(
    Small,
    code=codes,
    name=texts,
    rate=st.integers(0, 2000),
    free=st.booleans(),
    status=st.sampled_from(["free", "dirty", "taken"]),
    built=st.none() | days,
)


def small(number: int) -> Small:
    """One of many, all different."""
    status = ("free", "dirty", "taken")[number % 3]
    return Small(code=f"P{number:06}", name=f"Lotus {number * 7919 % 1000}", rate=number * 1000, free=number % 2 == 0,
                 status=status, built=date(2013, 1, 1) + timedelta(days=number % 300))  # fmt: skip


class Stage(App[None]):
    """An application around widgets; it keeps what they say."""

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.widgets = widgets
        self.said: list[Any] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        """The widgets."""
        yield from self.widgets

    def copy_to_clipboard(self, text: str) -> None:
        """Keep it."""
        self.copied.append(text)


def play(
    make: Callable[[], Widget],
    act: Callable[[Stage, Pilot[None], Any], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
    listen: tuple[str, ...] = (),
) -> Stage:
    """Run an application with the widget; ``listen`` names the messages that it keeps."""

    async def run() -> Stage:
        widget = make()
        app = Stage(widget)

        def hear(message: Message) -> None:
            # Each node that it reaches hears it: once is enough.
            if message.handler_name in listen and not any(message is one for one in app.said):
                app.said.append(message)

        async with app.run_test(size=size, message_hook=hear) as pilot:
            await pilot.pause()
            await settle(pilot)
            await act(app, pilot, widget)
        return app

    return asyncio.run(run())


async def settle(pilot: Pilot[None]) -> None:
    """Until all workers of the application are done."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
