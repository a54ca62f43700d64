"""All lints on one script, and the script with all of their mended lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from compiler.analysis.findings.finding import Severity
from compiler.balancing.lints.catalogue import lint
from compiler.balancing.lints.clients import check_clients
from compiler.balancing.lints.connections import check_connections
from compiler.balancing.lints.failover import check_depth, check_masquerade, check_second_way, check_watched
from compiler.balancing.lints.gateways import check_gateways, check_probes, check_recursion
from compiler.balancing.lints.incoming import check_incoming
from compiler.balancing.lints.lint import Lint, apply_edits
from compiler.balancing.lints.local import check_answers, check_local
from compiler.balancing.lints.names import check_interfaces, check_lists, check_marks, check_tables
from compiler.balancing.lints.nth import check_nth
from compiler.balancing.lints.order import check_exceptions, check_fasttrack, check_overwritten, check_shadowed
from compiler.balancing.lints.pcc import check_pcc
from compiler.balancing.lints.shares import check_shares
from compiler.balancing.lints.subject import Subject
from compiler.balancing.lints.translations import check_translations
from compiler.balancing.lints.versions import check_versions
from compiler.balancing.lints.words import check_properties, check_statements, check_values

__all__ = ["CHECKS", "Checked", "check_script", "mend_script"]

Check = Callable[[Subject], Iterator[Lint]]

CHECKS: tuple[Check, ...] = (
    check_statements,
    check_properties,
    check_values,
    check_versions,
    check_interfaces,
    check_lists,
    check_gateways,
    check_recursion,
    check_probes,
    check_tables,
    check_marks,
    check_watched,
    check_depth,
    check_second_way,
    check_masquerade,
    check_nth,
    check_pcc,
    check_shares,
    check_connections,
    check_translations,
    check_local,
    check_answers,
    check_incoming,
    check_fasttrack,
    check_exceptions,
    check_overwritten,
    check_shadowed,
    check_clients,
)
_MOST_ROUNDS = 24
_TO_READ = 6
"""The place in the catalogue of the last lint of what cannot be read."""


class Checked(NamedTuple):
    """What came of it: the lints by place, and the script as it was understood."""

    lints: tuple[Lint, ...]
    subject: Subject

    @property
    def exit_code(self) -> int:
        """1 when a warning or worse is among them, else 0."""
        return int(any(one.severity is not Severity.NOTE for one in self.lints))


def check_script(
    text: str,
    source: str,
    version: int | None = None,
    inside: tuple[str, ...] = (),
    uplinks: tuple[str, ...] = (),
) -> Checked:
    """Everything that can be said against a script. Never raises for what stands in it."""
    subject = Subject(text, source, version, inside, uplinks)
    found = dict.fromkeys(one for check in CHECKS for one in check(subject))
    found |= dict.fromkeys(_not_walked(subject))
    lints = sorted(found, key=lambda one: (one.span.line, one.span.column, one.name))
    return Checked(tuple(lints), subject)


def _not_walked(subject: Subject) -> Iterator[Lint]:
    """What the strict readers refuse, by name."""
    behaviour = subject.behaviour
    for row, message in behaviour.refused:
        if any(one.row is row for one in subject.unknown_values):
            continue
        yield lint("not-simulated", subject.place(row), message)
    if behaviour.why and subject.reading.rows:
        span = subject.place(subject.reading.rows[0])
        message = f"shares and local traffic are not computed: {behaviour.why}"
        yield lint("not-simulated", span, message)


def mend_script(
    text: str,
    source: str,
    version: int | None = None,
    inside: tuple[str, ...] = (),
    uplinks: tuple[str, ...] = (),
) -> tuple[str, Checked]:
    """The script with all mended lines, and what is left to say. The worst are mended first, round by round."""
    order = {severity: number for number, severity in enumerate(Severity)}
    rank = {name: number for number, name in enumerate(_names())}
    seen = {text}
    checked = check_script(text, source, version, inside, uplinks)
    version = checked.subject.version
    for _ in range(_MOST_ROUNDS):
        todo = [one for one in checked.lints if one.mended and one.severity is not Severity.NOTE]
        if not todo:
            break
        # What cannot be read comes first: the other lints see more then.
        todo.sort(key=lambda one: (rank.get(one.name, 0) > _TO_READ, order[one.severity], rank.get(one.name, 0)))
        first = [one for one in todo if rank[one.name] <= _TO_READ] or [one for one in todo if one.name == todo[0].name]
        text = apply_edits(text, first)
        if text in seen:
            break
        seen.add(text)
        checked = check_script(text, source, version, inside, uplinks)
    return text, checked


def _names() -> Iterator[str]:
    from compiler.balancing.lints.catalogue import CATALOGUE

    yield from CATALOGUE
