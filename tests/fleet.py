"""A fleet of router configurations, the same in every run: access lists of 20 to 200 entries, some of them wrong."""

from __future__ import annotations

import random
from pathlib import Path

from tests.benchmarks.rules import as_ios, make_rules

__all__ = ["CLOSED", "OPENED", "configuration", "is_open", "is_unreadable", "write_fleet"]

CLOSED = "203.0.113.0/24"
"""Nobody may telnet there, says the policy of the fleet."""

OPENED = "permit tcp 192.0.2.0 0.0.0.255 host 203.0.113.9 eq 23"
"""What some sites have all the same."""


def is_open(number: int) -> bool:
    """Whether that site lets telnet through."""
    return number % 97 == 13


def is_unreadable(number: int) -> bool:
    """Whether that site's configuration has a slip of the pen."""
    return number % 331 == 40


def configuration(number: int, *, most: int = 200) -> str:
    """The configuration of one site."""
    own = random.Random(f"site {number}")
    rules = make_rules(own.randrange(most // 10, most + 1), seed=number)
    lines = as_ios(rules, name="EDGE").splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("ip access-list")) + 1
    lines.insert(first, f" deny tcp any {CLOSED.partition('/')[0]} 0.0.0.255 eq 23")
    if is_open(number):
        lines.insert(first, f" {OPENED}")
    if is_unreadable(number):
        lines.insert(first, " permitt tcp any any")
    return "\n".join(lines) + "\n"


def write_fleet(folder: Path, count: int, *, most: int = 200) -> None:
    """One file for each site."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"site{number:04}.cfg").write_text(configuration(number, most=most))
