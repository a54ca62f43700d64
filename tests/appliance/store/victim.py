"""A process that is killed: random transactions, each with its line of the audit log, acknowledged on standard output.

``python -m tests.appliance.store.victim URL`` forks one for each seed that it
reads on standard input (the imports would take longer than the work), says
``pid N``, and ``end`` when it is dead. A transaction moves an amount between two
accounts and writes down the move; the sum of all accounts is always nothing.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, insert, select, update

from appliance.store.audit import Line, append
from appliance.store.engine import Store
from appliance.store.failures import StoreBusy, StoreFault

TABLES = MetaData()
ACCOUNTS = Table(
    "accounts", TABLES, Column("id", Integer, primary_key=True), Column("amount", BigInteger, nullable=False)
)
MOVES = Table("moves", TABLES, Column("id", Integer, primary_key=True), Column("token", Integer, nullable=False))
KEY = b"k" * 32


def main(url: str, seed: int) -> None:
    """Own the store, and move until somebody kills us, or the server."""
    chance = random.Random(seed)
    store = Store(url)
    while True:  # the server needs a moment to see that the owner before us is dead
        try:
            store.own()
            break
        except StoreBusy:
            time.sleep(0.005)
    os.write(1, b"0\n")
    while True:
        token = chance.randrange(1, 2**31)
        giver, taker = chance.sample(range(1, 6), 2)
        try:
            with store.writing() as connection:
                connection.execute(
                    update(ACCOUNTS).where(ACCOUNTS.c.id == giver).values(amount=ACCOUNTS.c.amount - token)
                )
                # Something that is large enough to spill out of caches and pages.
                connection.execute(insert(MOVES), [{"token": token} for _ in range(chance.choice((1, 1, 1, 300)))])
                connection.execute(
                    update(ACCOUNTS).where(ACCOUNTS.c.id == taker).values(amount=ACCOUNTS.c.amount + token)
                )
                line = Line(at=datetime.now(UTC), person="x", service="x", command="move", arguments={"token": token})
                append(connection, line, KEY)
        except StoreFault:
            return
        os.write(1, b"%d\n" % token)


def made(store: Store) -> None:
    """The tables and the accounts."""
    TABLES.create_all(store.engine)
    with store.writing() as connection:
        if connection.execute(select(ACCOUNTS.c.id).limit(1)).first() is None:
            connection.execute(insert(ACCOUNTS), [{"id": number, "amount": 0} for number in range(1, 6)])


def nursery(url: str) -> None:
    """One victim after the other, each with no connection of another's."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.write(1, b"pid %d\n" % os.getpid())
            try:
                main(url, int(line))
            except BaseException as error:
                os.write(1, f"raised {error!r}\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"end\n")


if __name__ == "__main__":
    nursery(sys.argv[1])
