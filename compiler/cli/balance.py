"""``gerbang balance ACTION``: several uplinks. Each action is a module of its own, made like a verb."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli import (
    balance_check,
    balance_compile,
    balance_confirm,
    balance_deploy,
    balance_lease,
    balance_rollback,
    balance_simulate,
    balance_watch,
)
from compiler.cli.verb import Verb

__all__ = ["verb"]

ACTIONS = {
    "check": balance_check.action,
    "compile": balance_compile.action,
    "confirm": balance_confirm.action,
    "deploy": balance_deploy.action,
    "lease": balance_lease.action,
    "rollback": balance_rollback.action,
    "simulate": balance_simulate.action,
    "watch": balance_watch.action,
}


def _configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, action in ACTIONS.items():
        action.configure(actions.add_parser(name, help=action.summary, allow_abbrev=False))


def _run(arguments: Namespace) -> int:
    return ACTIONS[arguments.action].run(arguments)


verb = Verb(
    "balance several uplinks: write RouterOS or Linux from one intent, and prove it",
    _configure,
    _run,
    tuple(example for action in ACTIONS.values() for example in action.examples),
)
