"""A check that never comes back to the interpreter; whoever imports it waits no seconds of grace."""

from compiler.testing.sweeps import deadline

__all__ = ["stays_away"]

deadline.GRACE = 0.0


def stays_away(number):
    if number == 3:
        sum(range(10**12))  # no byte code between which an exception could come
