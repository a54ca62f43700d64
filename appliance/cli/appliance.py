"""``gerbang appliance``: run the daemon."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    run = actions.add_parser("run", help="run the daemon in the foreground", allow_abbrev=False)
    run.add_argument(
        "--settings", metavar="FILE", help="a YAML file (default: /etc/gerbang/appliance.yaml if it is there)"
    )
    run.add_argument("--state", metavar="FOLDER", help="where the store, keys and files are")
    run.add_argument("--socket", metavar="PATH", help="the UNIX socket to listen on")
    run.add_argument("--store", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME")
    run.add_argument("--zone", metavar="ZONE", help="the time zone, such as Asia/Jakarta")
    run.add_argument("--tls-address", metavar="ADDRESS", help="listen with TLS on this address")
    run.add_argument("--tls-port", metavar="PORT", type=int, help="and on this port")
    run.add_argument("--tls-certificate", metavar="FILE", help="the certificate and its chain, PEM")
    run.add_argument("--tls-key", metavar="FILE", help="its key, PEM")
    run.add_argument("--demo", action="store_true", help="serve sample data from memory, until standard input ends")


def _run(arguments: Namespace) -> int:
    from appliance.cli.running import run_daemon

    return run_daemon(arguments)


verb = Verb(
    summary="run the appliance's daemon",
    configure=_configure,
    run=_run,
    examples=("appliance run --state /var/lib/gerbang --socket /run/gerbang/api.sock", "appliance run --demo"),
)
