"""``gerbang audit verify``: whether any line of the audit log was changed, removed or put in."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from appliance.cli.connecting import add_connection
from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify", help="walk the whole log; exit with 1 when it was tampered with", allow_abbrev=False
    )
    add_connection(verify)
    verify.add_argument(
        "--noted",
        metavar="NUMBER:HASH",
        action="append",
        default=[],
        help="a line that must be there as an earlier verify has told it; may be given several times",
    )
    verify.add_argument("--format", choices=("text", "json"), default="text", help="(default: %(default)s)")


def _run(arguments: Namespace) -> int:
    from appliance.cli.auditing import verify

    return verify(arguments)


verb = Verb(
    summary="verify the appliance's audit log",
    configure=_configure,
    run=_run,
    examples=("audit verify", "audit verify --noted 1204:9f2c… --format json"),
)
