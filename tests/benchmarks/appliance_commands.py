"""50 clients, 10,000 mixed commands, on SQLite and PostgreSQL side by side: no lost update, and how long each takes.

Run: ``python -m tests.benchmarks.appliance_commands [COMMANDS]``. The daemon is a process of its own, the clients are
tasks of another.
PostgreSQL is a server of its own in a temporary folder.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psycopg

from appliance.client.addresses import Address
from appliance.client.waiting import AsyncClient
from tests.appliance.daemon.process import Process
from tests.appliance.postgresql import ended, started

CLIENTS = 50
ACCOUNTS = 20
KINDS = {"deposit": 40, "get": 35, "listing": 15, "add": 10}
"""In a hundred."""


async def client_of(process: Process, number: int, commands: int, took: dict[str, list[float]]) -> dict[str, int]:
    """One client's commands; answers what it has put in."""
    chance = random.Random(number)
    put: dict[str, int] = defaultdict(int)
    async with AsyncClient(Address(process.socket), process.tokens["admin"]) as client:
        for place in range(commands):
            kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
            code = f"A{chance.randrange(ACCOUNTS)}"
            began = time.perf_counter()
            if kind == "deposit":
                amount = chance.randrange(1, 100)
                await client.call("ledger", "deposit", {"account": code, "amount": amount})
                put[code] += amount
            elif kind == "get":
                await client.call("ledger", "accounts.get", {"code": code})
            elif kind == "listing":
                await client.ask("ledger", "accounts", {"search": "kas", "order": [{"column": "balance"}]})
            else:
                await client.call("ledger", "accounts.add", {"code": f"C{number}-{place}", "title": "Baru"})
            took[kind].append(time.perf_counter() - began)
    return put


async def load(process: Process, commands: int) -> tuple[dict[str, list[float]], float]:
    """All clients; raises when a deposit is lost."""
    took: dict[str, list[float]] = defaultdict(list)
    async with AsyncClient(Address(process.socket), process.tokens["admin"]) as client:
        for number in range(ACCOUNTS):
            await client.call("ledger", "accounts.add", {"code": f"A{number}", "title": "Kas"})
        began = time.perf_counter()
        puts = await asyncio.gather(
            *(client_of(process, number, commands // CLIENTS, took) for number in range(CLIENTS))
        )
        seconds = time.perf_counter() - began
        for number in range(ACCOUNTS):
            held = (await client.call("ledger", "accounts.get", {"code": f"A{number}"}))["row"]["balance"]
            expected = sum(put.get(f"A{number}", 0) for put in puts)
            if held != expected:
                raise SystemExit(f"LOST UPDATE: A{number} has {held}, {expected} was put in")
    return took, seconds


def measure(name: str, folder: Path, commands: int, store: str = "") -> None:
    """One store, printed."""
    process = Process(folder, store)
    process.start()
    try:
        took, seconds = asyncio.run(load(process, commands))
    finally:
        process.stop()
    total = sum(map(len, took.values()))
    print(
        f"{name}: {total} commands of {CLIENTS} clients in {seconds:.1f} s, {total / seconds:.0f} a second, none lost"
    )
    for kind in KINDS:
        ranked = sorted(one * 1000 for one in took[kind])
        p99 = ranked[int(len(ranked) * 0.99)]
        print(f"  {kind:8} {len(ranked):5}  median {statistics.median(ranked):6.1f} ms  p99 {p99:6.1f} ms")


def main() -> None:
    """SQLite, then PostgreSQL."""
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="gerbang-bench-") as folder:
        measure("SQLite", Path(folder), commands)
    server = started()
    try:
        # The tests' server does not wait for the disk; here both do.
        with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = on")
            connection.execute("SELECT pg_reload_conf()")
        with tempfile.TemporaryDirectory(prefix="gerbang-bench-") as folder:
            measure("PostgreSQL", Path(folder), commands, server.create())
    finally:
        ended(server)


if __name__ == "__main__":
    main()
