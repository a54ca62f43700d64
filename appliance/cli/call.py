"""``gerbang call``: every command and every listing of the daemon, without a screen."""

from __future__ import annotations

from argparse import REMAINDER, ArgumentParser, Namespace

from appliance.cli.connecting import add_connection
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    add_connection(parser)
    parser.add_argument("target", nargs="?", metavar="SERVICE.COMMAND", help="such as hotel.book; none: list them all")
    parser.add_argument("rest", nargs=REMAINDER, metavar="OPTIONS", help="its own: SERVICE.COMMAND --help tells them")


def _run(arguments: Namespace) -> int:
    from appliance.cli.calling import call

    return call(arguments)


verb = Verb(
    summary="use a command or a listing of the appliance",
    configure=_configure,
    run=_run,
    examples=(
        "call",
        "call system.people.add --name ani --full-name 'Ani Lestari' --roles hotel.receptionist",
        "call hotel.rooms --search lotus --sort -rate --where 'rate>300000' --format csv",
        "call hotel.book --json booking.json",
        "call system.receive-backup --upload file=monday.gerbang",
    ),
)
