"""``gerbang web``: the console in a browser."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from compiler.cli.verb import Verb

__all__ = ["verb"]


def _configure(parser: ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's UNIX socket (or GERBANG_SOCKET)")
    where.add_argument("--url", metavar="URL", help="the daemon's address, https://… (or GERBANG_URL)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="with --url: whose certificates to believe, PEM")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8443, help="the port; 0: one that is free (default: %(default)s)")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="serve TLS with this certificate, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key, PEM")
    parser.add_argument(
        "--public-url", metavar="URL", default="", help="how browsers name this door, when a proxy stands before it"
    )
    parser.add_argument(
        "--proxy",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="a proxy whose X-Forwarded-For is believed; may be repeated",
    )
    parser.add_argument("--consoles", type=int, default=20, help="how many at the same time (default: %(default)s)")
    parser.add_argument(
        "--visitors", type=int, default=8, help="how many of them without a login (default: %(default)s)"
    )
    parser.add_argument(
        "--visitors-per-address",
        type=int,
        default=2,
        metavar="NUMBER",
        help="and from one address (default: %(default)s)",
    )
    parser.add_argument(
        "--idle",
        type=float,
        default=1800.0,
        metavar="SECONDS",
        help="a console ends when nobody touches it so long (default: %(default)s)",
    )
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep here what people choose for their consoles")


def _run(arguments: Namespace) -> int:
    from appliance.cli.serving_web import serve_web

    return serve_web(arguments)


verb = Verb(
    summary="serve the console to browsers",
    configure=_configure,
    run=_run,
    examples=(
        "web --socket /run/gerbang/api.sock",
        "web --host 0.0.0.0 --certificate gate.pem --key gate.key --public-url https://gate.example:8443",
    ),
)
