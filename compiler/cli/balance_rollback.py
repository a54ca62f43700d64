"""``gerbang balance rollback``: put back what was there before the deployment that waits."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_format
from compiler.cli.balance_device import add_device, deployment_of
from compiler.cli.output import emit_json, note
from compiler.cli.verb import Verb

__all__ = ["action"]


def _configure(parser: ArgumentParser) -> None:
    add_device(parser, "only Linux needs it")
    add_format(parser)


def _run(arguments: Namespace) -> int:
    deployment_of(arguments).roll_back()
    if arguments.format == "json":
        emit_json({"target": arguments.to, "rolled-back": True})
    else:
        note("rolled back: the device is as it was before")
    return 0


action = Verb(
    "put back what was there before a deployment",
    _configure,
    _run,
    ("balance rollback --to routeros --host 192.168.88.1 --tls",),
)
