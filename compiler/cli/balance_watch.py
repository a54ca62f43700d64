"""``gerbang balance watch``: on Linux, probe the uplinks and let routes and connections follow."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from compiler.cli.arguments import FILE, add_format
from compiler.cli.output import emit, emit_json
from compiler.cli.verb import Verb

if TYPE_CHECKING:
    from pathlib import Path

    from compiler.balancing.plan import Plan

__all__ = ["action", "folder_of"]


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar=FILE, nargs="?", help="the intent (YAML)")
    parser.add_argument("--interval", metavar="SECONDS", type=_seconds, default=1.0, help="between probes (1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="for an answer (the interval)")
    parser.add_argument("--misses", metavar="N", type=_count, default=3, help="unanswered in a row that kill (3)")
    parser.add_argument("--replies", metavar="N", type=_count, default=2, help="answers in a row that revive (2)")
    parser.add_argument("--every-probe", action="store_true", help="an uplink lives only while all its probes answer")
    parser.add_argument("--no-damping", action="store_true", help="come back at once, however often a line flaps")
    parser.add_argument("--state", metavar="FOLDER", help="of leases, status and deploys (/run/gerbang-balance)")
    parser.add_argument(
        "--status", action="store_true", help="say what the running watch sees; exit code 1 without one"
    )
    add_format(parser)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 3600:
        raise ArgumentTypeError(f"{text!r}: from 0.01 to 3600 seconds")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1000:
        raise ArgumentTypeError(f"{text!r}: from 1 to 1000")
    return int(text)


def _run(arguments: Namespace) -> int:
    from compiler.balancing.liveness import Probing
    from compiler.errors import UsageError

    if arguments.status:
        return _status(arguments)
    if not arguments.file or arguments.file == "-":
        raise UsageError("watch needs the file of an intent, which SIGHUP reads again")
    from compiler.deploy.linux.journal import Journal
    from compiler.deploy.linux.watch import LinuxWatch

    interval = round(arguments.interval * 1e9)
    probing = Probing(
        interval,
        interval if arguments.timeout is None else round(arguments.timeout * 1e9),
        arguments.misses,
        arguments.replies,
        arguments.every_probe,
        0 if arguments.no_damping else Probing().half_life,
    )
    journal = Journal(as_json=arguments.format == "json")
    LinuxWatch(lambda: _plan(arguments.file), folder_of(arguments.state), journal, probing).run()
    return 0


def _plan(file: str) -> Plan:
    from compiler.balancing.plan import make_plan
    from compiler.balancing.reading import read_balance
    from compiler.placed.source_text import read_source

    source = read_source(file)
    return make_plan(read_balance(source.text, source.name))


def folder_of(state: str | None) -> Path:
    """The folder that was named, or the usual one."""
    import pathlib

    from compiler.deploy.linux.records import FOLDER

    return pathlib.Path(state) if state else FOLDER


def _status(arguments: Namespace) -> int:
    from compiler.deploy.linux.status import read_status

    found = read_status(folder_of(arguments.state))
    running = bool(found and found["running"])
    if arguments.format == "json":
        emit_json(found or {"running": False})
    elif not found or not running:
        emit("no watch runs here")
    else:
        emit(f"watching {found['source']} (process {found['pid']})")
        for name, line in found["uplinks"].items():
            words = ["alive" if line["alive"] else "dead", "used" if line["used"] else "not used"]
            words += ["no carrier"] * (not line["carrier"]) + ["damped"] * line["damped"]
            emit(f"{name}: {', '.join(words)}")
    return 0 if running else 1


action = Verb(
    "on Linux: probe the uplinks, and let routes and connections follow",
    _configure,
    _run,
    (
        "balance watch isps.yaml",
        "balance watch isps.yaml --interval 0.2 --misses 4 --format json",
        "balance watch --status",
    ),
)
