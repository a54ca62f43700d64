"""``gerbang balance deploy``: from the intent to the device, with a way back that the device takes by itself."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from compiler.cli.arguments import add_format
from compiler.cli.balance_device import add_device, again, deployment_of, seconds
from compiler.cli.output import emit_json, emit_lines, note
from compiler.cli.verb import Verb

__all__ = ["action"]


def _configure(parser: ArgumentParser) -> None:
    add_device(parser, "what the device shall do")
    parser.add_argument("--plan", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--remove", action="store_true", help="take the whole balance away")
    parser.add_argument(
        "--confirm-within",
        type=seconds,
        default=300,
        metavar="TIME",
        help="the device puts back what was there unless it is confirmed in time (default: 5m)",
    )
    parser.add_argument(
        "--confirm", action="store_true", help="confirm at once, if the device can be reached anew and is as planned"
    )
    add_format(parser)


def _run(arguments: Namespace) -> int:
    from compiler.errors import UsageError

    if not arguments.remove and not arguments.file:
        raise UsageError("deploy: give an intent, or --remove")
    deployment = deployment_of(arguments, remove=arguments.remove)
    changes = deployment.plan()
    warnings = tuple(getattr(deployment, "warnings", ()))
    is_json = arguments.format == "json"
    if not is_json:
        emit_lines(str(change) for change in changes)
        note(*(f"warning: {text}" for text in warnings))
    standing = None
    confirmed = False
    if not changes and not arguments.plan:
        standing = deployment.standing()
    elif not arguments.plan:
        standing = deployment.apply(arguments.confirm_within)
        if arguments.confirm and standing is not None:
            deployment.confirm()
            confirmed, standing = True, None
    if is_json:
        emit_json(
            {
                "target": arguments.to,
                "changes": [
                    {"action": one.action.value, "where": one.where, "what": one.what, "before": one.before or None}
                    for one in changes
                ],
                "warnings": list(warnings),
                "applied": bool(changes) and not arguments.plan,
                "confirmed": confirmed,
                "standing": None if standing is None else standing._asdict(),
            }
        )
        return 0
    note(*_end(arguments, bool(changes), None if standing is None else standing.remaining))
    return 0


def _end(arguments: Namespace, changes: bool, remaining: int | None) -> list[str]:
    if arguments.plan and changes:
        return ["nothing was changed: this is the plan"]
    if remaining is None:
        return ["applied, read back, and confirmed" if changes else "nothing to change: the device is as planned"]
    done = "applied and read back" if changes else "nothing to change, but a deployment waits for its confirmation"
    return [
        f"{done}. The device puts back what was there in {remaining} s, unless you keep it:",
        f"    {again(arguments, 'confirm')}",
        f"    {again(arguments, 'rollback')}    (to go back now)",
    ]


action = Verb(
    "change a device as the intent asks, and back unless confirmed",
    _configure,
    _run,
    (
        "balance deploy isps.yaml --to routeros --host 192.168.88.1 --tls --plan",
        "balance deploy isps.yaml --to routeros --host 192.168.88.1 --tls --confirm-within 5m",
    ),
)
