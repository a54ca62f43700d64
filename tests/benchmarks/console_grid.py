"""The console's Grid beside Textual's DataTable on a real pty of 140x45: from a key to the first and the last byte.

    python -m tests.benchmarks.console_grid [rounds]
    python -m tests.benchmarks.console_grid kept [rounds]

The first has the rows in memory. The second has 100,000 of them in a daemon's store, on SQLite and on PostgreSQL: the
grid as people use it.
A busy Pilot loop measures itself: the pty measures what a person waits for. The
last byte is the last one before QUIET seconds without any.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from appliance.contract.kinds import Code, Count, Day, Name, Note, Rupiah
from appliance.contract.records import record

if TYPE_CHECKING:
    from appliance.client.blocking import Client

QUIET = 0.25
BLINK = 0.4
"""The cursor of a line that is open blinks each half second."""
LONG = 1.0
"""After the word "reading" nothing comes until the daemon has sorted."""
WIDTH, HEIGHT = 140, 45
KEPT = 100_000
KEYS = {"Down": b"\x1b[B", "Up": b"\x1b[A", "PgDn": b"\x1b[6~", "End": b"\x1b[F", "Home": b"\x1b[H"}
FACILITIES = ("lotus", "jasmine", "orchid", "rose", "lily", "dahlia")


@record
class Booking:
    """One row."""

    code: Code
    name: Name
    rate: Rupiah
    beds: Count
    status: Literal["free", "dirty", "taken"]
    day: Day
    note: Note


def values(count: int) -> Iterable[tuple[str, str, int, int, str, date, str]]:
    """The same rows for both."""
    chance = random.Random(6)
    for number in range(count):
        yield (
            f"P{number:06}",
            f"{chance.choice(FACILITIES)} {chance.randrange(1000)}",
            chance.randrange(100, 2000) * 1000,
            chance.randrange(1, 9),
            chance.choice(("free", "dirty", "taken")),
            date(2013, 1 + number % 12, 1 + number % 28),
            f"note of {chance.randrange(10**6)}",
        )


def run_grid(count: int) -> None:
    """The application with our grid."""
    from textual.app import App, ComposeResult

    from appliance.console.widgets.grid import Grid
    from appliance.console.widgets.list_source import ListSource

    names = ("code", "name", "rate", "beds", "status", "day", "note")
    source = ListSource.of(Booking, [Booking(**dict(zip(names, row, strict=True))) for row in values(count)])  # type: ignore[arg-type]

    class GridApp(App[None]):
        """One grid."""

        def compose(self) -> ComposeResult:
            """It has the focus."""
            yield Grid(source)

        def on_mount(self) -> None:
            """As a screen does."""
            self.query_one(Grid).body.focus()

    GridApp().run()


def run_table(count: int) -> None:
    """The application with Textual's table."""
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class TableApp(App[None]):
        """One table; ``s`` sorts, ``f`` filters by building it again, which is the only way it has."""

        def compose(self) -> ComposeResult:
            """Rows of text, as the grid's are."""
            yield DataTable(cursor_type="row")

        def on_mount(self) -> None:
            """Fill it."""
            self.fill(list(values(count)))

        def fill(self, rows: Iterable[tuple[object, ...]]) -> None:
            """These rows and no others."""
            table = self.query_one(DataTable)
            table.clear(columns=True)
            for name in ("code", "name", "rate", "beds", "status", "day", "note"):
                table.add_column(name, key=name)
            for row in rows:
                table.add_row(*[f"{value:,}" if isinstance(value, int) else str(value) for value in row])

        def key_s(self) -> None:
            """Sort by name."""
            self.query_one(DataTable).sort("name")

        def key_f(self) -> None:
            """Those of a high rate."""
            self.fill([row for row in values(count) if row[2] > 1_900_000])

    TableApp().run()


def run_kept(socket: str, token: str) -> None:
    """The application with our grid over a daemon's listing."""
    from textual.app import App, ComposeResult

    from appliance.client.addresses import Address
    from appliance.client.waiting import AsyncClient
    from appliance.console.door import Door
    from appliance.console.listing_source import ListingSource
    from appliance.console.transport import ClientTransport
    from appliance.console.widgets.grid import Grid
    from tests.appliance.daemon.ledger.model import Account

    async def no_more() -> bool:
        return False

    class KeptApp(App[None]):
        """One grid."""

        def compose(self) -> ComposeResult:
            """It has the focus."""
            door = Door(ClientTransport(AsyncClient(Address(Path(socket)), token)), no_more)
            yield Grid(ListingSource(lambda: door, "ledger", "accounts", Account))

        def on_mount(self) -> None:
            """As a screen does."""
            self.query_one(Grid).body.focus()

    KeptApp().run()


class Terminal:
    """An application under a pty."""

    def __init__(self, what: str, *arguments: str) -> None:
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.environ.pop("TEXTUAL", None)
            os.execv(sys.executable, [sys.executable, "-m", __spec__.name if __spec__ else "", what, *arguments])
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))

    def key(self, data: bytes, quiet: float = QUIET, within: float = 4.0) -> tuple[float, float]:
        """Send; seconds to the first and to the last byte of the answer."""
        began = time.perf_counter()
        if data:
            os.write(self.descriptor, data)
        first = last = 0.0
        while True:
            waiting = quiet if last else within
            if not select.select([self.descriptor], [], [], waiting)[0]:
                return first, last
            os.read(self.descriptor, 1 << 20)
            last = time.perf_counter() - began
            first = first or last

    def close(self) -> None:
        """End it."""
        os.kill(self.process, signal.SIGTERM)
        time.sleep(0.2)
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.descriptor)


def told(name: str, times: list[tuple[float, float]]) -> None:
    """One line of the table, in milliseconds."""
    first = sorted(1000 * one for one, _ in times)
    last = sorted(1000 * one for _, one in times)
    worst = first[-1]
    print(
        f"  {name:<34}{statistics.median(first):9.1f} {statistics.median(last):9.1f} {worst:9.1f}   n={len(times)}",
        flush=True,
    )


def measure(what: str, count: int, rounds: int) -> None:
    """All keys of one application."""
    terminal = Terminal(what, str(count))
    try:
        print(f"{what} of {count:,} rows{'':<12}    first      last     worst (ms)")
        told("start to content", [terminal.key(b"", quiet=1.5, within=60)])
        for name in ("Down", "PgDn"):
            told(name, [terminal.key(KEYS[name]) for _ in range(rounds)])
        ends = (KEYS["End"], KEYS["Home"]) if what == "grid" else (b"\x1b[1;5F", b"\x1b[1;5H")
        told("last row and first", [terminal.key(data) for data in ends * 5])
        if what == "grid":
            terminal.key(b"\x1b[C")
            # The first byte is the word "reading"; the last the rows.
            told("sort by text, first time", [terminal.key(b"s")])
            told("sort by text, reversed", [terminal.key(b"s")])
            terminal.key(b"\x1b[C")
            told("sort by number", [terminal.key(b"s")])
            terminal.key(b"f")
            os.write(terminal.descriptor, b"rate>190000")
            time.sleep(0.6)
            drain(terminal)
            told("filter, with the wait for typing", [terminal.key(b"0")])
            told("filter by Enter", [filter_by_enter(terminal, digit) for digit in b"123456"])
        else:
            told("sort by text", [terminal.key(b"s", quiet=1.0, within=30)])
            told("filter", [terminal.key(b"f", quiet=2.0, within=60)])
    finally:
        terminal.close()


def measure_kept(name: str, url: str, rounds: int) -> None:
    """The same keys over a daemon. Before each sort that is new somebody else changes a row."""
    from sqlalchemy import insert

    from appliance.store.engine import Store
    from tests.appliance.daemon.ledger.tables import MASTER
    from tests.appliance.daemon.process import Process

    with tempfile.TemporaryDirectory(prefix="gerbang-bench-") as folder:
        process = Process(Path(folder), url)
        store = Store(process.url)
        names = ("code", "title", "balance", "note")
        more = {"version": 1, "changed_by": "ani", "changed_at": datetime.now(UTC)}
        with store.writing() as connection:
            rows = [dict(zip(names, (row[0], row[1], row[2], row[6]), strict=True)) | more for row in values(KEPT)]
            connection.execute(insert(MASTER["accounts"]), rows)
        store.close()
        process.start()
        terminal = Terminal("kept", str(process.socket), process.tokens["maya"])
        try:
            _measure_keys(name, terminal, process.client("ani"), rounds)
        finally:
            terminal.close()
            process.stop()


def _measure_keys(name: str, terminal: Terminal, client: Client, rounds: int) -> None:
    def changed() -> None:
        client.call("ledger", "deposit", {"account": "P000007", "amount": 1})

    def sorted_anew() -> tuple[float, float]:
        changed()
        return terminal.key(b"s", LONG)

    print(f"grid over a daemon, {name}, {KEPT:,} rows{'':<4}    first      last     worst (ms)")
    told("start to content", [terminal.key(b"", quiet=1.5, within=60)])
    for key in ("Down", "PgDn"):
        told(key, [terminal.key(KEYS[key]) for _ in range(rounds)])
    told("last row and first", [terminal.key(data) for data in (KEYS["End"], KEYS["Home"]) * 5])
    for column in ("text", "number", "text again"):
        terminal.key(b"\x1b[C")
        told(f"sort by {column}, after a change", [sorted_anew() for _ in range(rounds)])
        told(f"sort by {column}, as before", [terminal.key(b"s", LONG) for _ in range(rounds)])
    terminal.key(b"f")
    terminal.key(b"title~lotus balance>190000")
    told("filter of text and number, Enter", [filter_by_enter(terminal, digit) for digit in b"123456"])
    terminal.key(b"\x1b")
    terminal.key(b"/")
    terminal.key(b"rose 1")
    told("search, Enter", [terminal.key(b"\x7f" + bytes([digit]) + b"\r/", BLINK) for digit in b"234567"])


def filter_by_enter(terminal: Terminal, digit: int) -> tuple[float, float]:
    """Another bound in the open line: Enter asks at once."""
    terminal.key(b"f", within=0.3)
    return terminal.key(b"\x7f" + bytes([digit]) + b"\r", BLINK)


def drain(terminal: Terminal) -> None:
    """Read what is there."""
    while select.select([terminal.descriptor], [], [], 0.3)[0]:
        os.read(terminal.descriptor, 1 << 20)


def main() -> None:
    """As a child: the application. Else: both, side by side."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["grid"]:
        run_grid(int(arguments[1]))
    elif arguments[:1] == ["kept"] and len(arguments) == 3:
        run_kept(*arguments[1:])
    elif arguments[:1] == ["kept"]:
        from tests.appliance.postgresql import ended, started

        rounds = int(arguments[1]) if arguments[1:] else 15
        measure_kept("SQLite", "", rounds)
        server = started()
        try:
            measure_kept("PostgreSQL", server.create(), rounds)
        finally:
            ended(server)
    elif arguments[:1] == ["table"]:
        run_table(int(arguments[1]))
    else:
        rounds = int(arguments[0]) if arguments else 25
        measure("grid", 10_000, rounds)
        measure("table", 10_000, rounds)
        measure("grid", 100_000, rounds)


if __name__ == "__main__":
    main()
