"""From opening a form in a running application to its first paint, beside a widget of one line.

    python -m tests.benchmarks.console_form [rounds]

CPU time of one core, without a terminal: a loaded machine shows in it little. The first round of a process also reads
style sheets and makes pydantic's validators; what a person feels when he opens a second form is the median.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import make_dataclass

from textual.app import App
from textual.widget import Widget
from textual.widgets import Static

from appliance.console.widgets.form import Form
from appliance.contract.fields import fields_of
from appliance.contract.records import STRICT
from tests.appliance.console.widgets.rooms import Room


class Bare(App[None]):
    """A screen without anything."""


def first_fields(count: int) -> type:
    """A record of the first fields of a room, which has one of each kind in its twenty."""
    fields = [(field.name, field.type) for field in fields_of(Room)[:count]]
    return make_dataclass("Part", fields, frozen=True, kw_only=True, namespace={"__pydantic_config__": STRICT})


async def painted(make: Callable[[], Widget]) -> tuple[float, int]:
    """CPU milliseconds from the widget's making to its first paint, and the widgets of the screen."""
    app = Bare()
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.pause()
        began = time.process_time()
        await app.mount(make())
        await pilot.pause()
        return 1000 * (time.process_time() - began), len(list(app.screen.walk_children(with_self=False)))


def told(name: str, make: Callable[[], Widget], rounds: int) -> float:
    """One line of the table; the median."""
    measured: list[tuple[float, int]] = [asyncio.run(painted(make)) for _ in range(rounds)]
    times = [one for one, _ in measured]
    middle = statistics.median(times)
    print(f"  {name:<24}{times[0]:9.0f} {middle:9.0f} {min(times):9.0f} {measured[0][1]:9}", flush=True)
    return middle


def main() -> None:
    """All sizes."""
    rounds = int(sys.argv[1]) if sys.argv[1:] else 5
    print(f"{'CPU ms to first paint':<26}    first    median     least   widgets")
    told("one line", lambda: Static("x"), rounds)
    for count in (5, 10, 20):
        record = first_fields(count)
        told(f"form of {count} fields", lambda record=record: Form(record), rounds)  # type: ignore[misc]


if __name__ == "__main__":
    main()
