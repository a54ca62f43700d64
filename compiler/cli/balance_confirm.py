"""``gerbang balance confirm``: keep what was deployed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_format
from compiler.cli.balance_device import add_device, deployment_of
from compiler.cli.output import emit_json, note
from compiler.cli.verb import Verb

__all__ = ["action"]


def _configure(parser: ArgumentParser) -> None:
    add_device(parser, "it is looked at whether the device does what it asks")
    add_format(parser)


def _run(arguments: Namespace) -> int:
    deployment_of(arguments).confirm()
    if arguments.format == "json":
        emit_json({"target": arguments.to, "confirmed": True})
    else:
        note("confirmed: the device stays as it is")
    return 0


action = Verb(
    "keep what was deployed",
    _configure,
    _run,
    ("balance confirm --to routeros --host 192.168.88.1 --tls",),
)
