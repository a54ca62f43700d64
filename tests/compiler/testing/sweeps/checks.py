"""Checks that the tests' worker processes import."""

import os
import signal
import time
from pathlib import Path

__all__ = [
    "counts",
    "dies",
    "explodes",
    "forgets",
    "hangs",
    "kills_its_worker_once",
    "process_of",
    "refuses_sevens",
    "slow_process_of",
    "waits",
]


def refuses_sevens(number):
    return number % 7 != 0


def counts(number):
    return {"square": number * number}


def explodes(number):
    if number == 2:
        raise ValueError("two is not wanted, says item 2")
    if number == 4:
        raise SystemExit(3)
    assert number != 5, "five is one too many"
    return object() if number == 6 else None


def dies(number):
    if number in (5, 42):
        os.kill(os.getpid(), signal.SIGKILL)
    return number % 7 != 0


def forgets(number):
    from compiler.fields import Family
    from compiler.integers import IntegerSet
    from compiler.policy.match import Match
    from compiler.symbolic.space import space
    from compiler.testing.sweeps.memory import Memory

    before = space(Family.IPV4)
    nodes = before.nodes()
    kept = before.encode(Match(ttl=IntegerSet.values(number)))
    for value in range(1, 200):
        before.encode(Match(source_port=IntegerSet.values(7 * value, 5000 + 11 * value)))
    grown = before.nodes()
    assert grown > nodes + 1000
    assert not Memory(most=1 << 40).tidy()
    assert before.nodes() == grown
    assert Memory(most=0).tidy()
    assert before.nodes() < nodes + 100
    # What was held before and what is made after are sets of one space.
    assert space(Family.IPV4) is before
    assert kept == space(Family.IPV4).encode(Match(ttl=IntegerSet.values(number)))


def hangs(number):
    while number == 3:
        pass


def waits(number):
    time.sleep(0.02)
    return number % 7 != 0


def kills_its_worker_once(number, mark):
    """The first process that comes to item 30 is killed from outside, as it were; the next is not."""
    if number == 30:
        try:
            Path(mark).touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.002)
    return number % 7 != 0


def slow_process_of(number):
    """Long enough that each is a chunk of its own: never more than a few are under way."""
    time.sleep(0.1)
    return os.getpid()


def process_of(number):
    time.sleep(0.005)
    return os.getpid()
