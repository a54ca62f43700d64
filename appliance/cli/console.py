"""``gerbang console``: the screens, in a terminal."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's UNIX socket (or GERBANG_SOCKET)")
    where.add_argument("--url", metavar="URL", help="the daemon's address, https://… (or GERBANG_URL)")
    where.add_argument("--demo", action="store_true", help="start a daemon of its own with sample data, in memory")
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="with --url: whose certificates to believe, PEM (or GERBANG_CA)"
    )
    parser.add_argument("--visitor", action="store_true", help="without a login: only what is public")


def _run(arguments: Namespace) -> int:
    # The order is the point: the demo's daemon starts on another core while Textual is still being imported.
    from appliance.console.given import Given
    from appliance.console.places import Places
    from compiler.errors import UsageError

    given = Given.taken(visitor=arguments.visitor)
    if arguments.ca and not arguments.ca.is_file():
        raise UsageError(f"{arguments.ca}: no such file")
    places = Places.of(socket=arguments.socket, url=arguments.url, authorities=arguments.ca)
    if not (os.environ.get("TEXTUAL_DRIVER") or sys.stdin.isatty()):
        raise UsageError("the console needs a terminal (over SSH: ssh -t)")
    if os.environ.get("GERBANG_LIMITED"):
        # Its terminal is somebody else's, who says its size. Textual looks when it is imported.
        os.environ.setdefault("TEXTUAL_DRIVER", "appliance.doors.terminal:BoundedDriver")
    if arguments.demo:
        from appliance.console.embedded import Embedded

        with Embedded() as embedded:
            from appliance.console.app import run

            return run(embedded.places, embedded=embedded, given=given)
    from appliance.console.app import run

    return run(places, given=given)


verb = Verb(
    summary="log in to the appliance and work with its services",
    configure=_configure,
    run=_run,
    examples=("console", "console --demo", "console --socket /run/gerbang/daemon/api.sock"),
)
