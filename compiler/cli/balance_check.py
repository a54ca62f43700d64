"""``gerbang balance check``: what is wrong with a script that people run, and what it will do."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from compiler.cli.arguments import FILE, add_format
from compiler.cli.output import Paint, emit_json, emit_lines, note, write_whole
from compiler.cli.verb import Verb
from compiler.placed.source_text import read_source

if TYPE_CHECKING:
    from compiler.balancing.lints.check import Checked
    from compiler.rehearsal.result import Rehearsal

__all__ = ["action"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar=FILE, help='a RouterOS script or export, "-" for standard input')
    parser.add_argument(
        "--version",
        type=int,
        choices=(6, 7),
        help="of RouterOS (default: the export's own head, else words that only one version has, else 7)",
    )
    parser.add_argument(
        "--inside",
        action="append",
        default=[],
        metavar="IFACE",
        help="an interface with clients behind it; may be repeated (default: seen from addresses and rules)",
    )
    parser.add_argument(
        "--uplink",
        action="append",
        default=[],
        metavar="IFACE",
        help="an interface that leads to a provider; may be repeated (default: seen from routes and NAT)",
    )
    parser.add_argument("--no-simulation", action="store_true", help="only the lints; do not play what the script does")
    parser.add_argument("-o", "--output", metavar="OUT", help="write the script with all mended lines to this file")
    add_format(parser, "sarif")


def _run(arguments: Namespace) -> int:
    from compiler.balancing.lints.check import check_script, mend_script
    from compiler.errors import UsageError

    source = read_source(arguments.file)
    if source.note:
        note(source.note)
    inside, uplinks = tuple(arguments.inside), tuple(arguments.uplink)
    checked = check_script(source.text, source.name, arguments.version, inside, uplinks)
    if not checked.subject.reading.rows:
        raise UsageError(f"{source.name}: no row of a RouterOS configuration stands here")
    if arguments.output:
        write_whole(arguments.output, mend_script(source.text, source.name, arguments.version, inside, uplinks)[0])
    if arguments.no_simulation:
        played, why = None, ""
    else:
        played, why = _rehearse(checked, source.text, source.name)
    if arguments.format == "sarif":
        from compiler.balancing.lints.sarif import lints_as_sarif

        emit_json(lints_as_sarif(checked.lints, source.name))
    elif arguments.format == "json":
        emit_json(_as_json(checked, source.name, played, why))
    else:
        emit_lines(_lines(checked, played, why, Paint(sys.stdout)))
    return int(checked.exit_code or (played is not None and not played.holds))


def _rehearse(checked: Checked, text: str, source: str) -> tuple[Rehearsal | None, str]:
    """What the script does when it is played, and what must be said of that, or why it cannot be.

    A script that no router takes as it stands is played as it was understood.
    """
    from compiler.errors import GerbangError, InputErrors
    from compiler.rehearsal import rehearse_script

    roles = checked.subject.roles
    if not roles.inside or not roles.uplinks:
        missing = "no inside interface" if not roles.inside else "no uplink"
        return None, f"{missing} is known: name it with {'--inside' if not roles.inside else '--uplink'}"

    def play(what: str) -> Rehearsal:
        return rehearse_script(
            what, source, version=roles.version, inside=roles.inside_names, uplinks=roles.uplink_names
        )

    try:
        try:
            return play(text), ""
        except InputErrors as errors:
            understood = checked.subject.behaviour.text
            if not understood:
                raise
            why = errors.errors[0].render()
        return play(understood), f"no router runs it as it stands; played as it was meant:\n{why}"
    except GerbangError as error:
        return None, error.render()


def _lines(checked: Checked, played: Rehearsal | None, why: str, paint: Paint) -> Iterator[str]:
    colours = {"error": paint.bad, "warning": paint.doubtful, "note": paint.faint}
    told: set[str] = set()
    for lint in checked.lints:
        severity = lint.severity.value
        for number, line in enumerate(lint.lines(explained=lint.name not in told)):
            yield line.replace(f" {severity}: ", f" {colours[severity](severity)}: ", 1) if number == 0 else line
        told.add(lint.name)
    counts = Counter(lint.severity.value for lint in checked.lints)
    summary = ", ".join(f"{counts[one]} {one}{'' if counts[one] == 1 else 's'}" for one in colours)
    yield f"{summary}; {_roles(checked)}"
    if played is not None or why:
        yield ""
    if why:
        yield f"{'not simulated' if played is None else 'simulated'}: {why}"
    if played is not None:
        yield from played.lines()


def _roles(checked: Checked) -> str:
    roles = checked.subject.roles
    inside, uplinks = ", ".join(roles.inside_names) or "none", ", ".join(roles.uplink_names) or "none"
    return f"read for RouterOS {roles.version}; inside: {inside}; uplinks: {uplinks}"


def _as_json(checked: Checked, source: str, played: Rehearsal | None, why: str) -> dict[str, object]:
    roles = checked.subject.roles
    return {
        "source": source,
        "version": roles.version,
        "inside": list(roles.inside_names),
        "uplinks": list(roles.uplink_names),
        "lints": [one.as_json() for one in checked.lints],
        "simulation": None if played is None else played.as_json(),
        "simulation_note": why or None,
    }


action = Verb(
    "find the mistakes in a RouterOS script that balances uplinks, mend them, and play what it does",
    _configure,
    _run,
    ("balance check isps.rsc", "balance check isps.rsc --version 7 --inside bridge -o mended.rsc"),
)
