"""``gerbang balance deploy``: from the intent to the device, with a way back that the device takes by itself."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from compiler.cli.arguments import add_format
from compiler.cli.balance_device import add_device, again, deployment_of, seconds
from compiler.cli.output import emit_json, emit_lines, note
from compiler.cli.verb import Verb

if TYPE_CHECKING:
    from compiler.deploy.deployment import Deployment

__all__ = ["action"]

LEAST, MOST = 10, 86_400
"""Seconds to confirm in."""


def _configure(parser: ArgumentParser) -> None:
    add_device(parser, "what the device shall do")
    parser.add_argument("--plan", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--remove", action="store_true", help="take the whole balance away")
    parser.add_argument(
        "--confirm-within",
        type=_within,
        default=300,
        metavar="TIME",
        help="the device puts back what was there unless it is confirmed in time (default: 5m)",
    )
    parser.add_argument(
        "--confirm", action="store_true", help="confirm at once, if the device can be reached anew and is as planned"
    )
    parser.add_argument(
        "--replace-foreign",
        action="store_true",
        help="RouterOS: rows of others make room, and come back with --remove (else they are told, and refused)",
    )
    parser.add_argument(
        "--despite-foreign", action="store_true", help="go on although things of others break it (else it is refused)"
    )
    add_format(parser)


def _within(text: str) -> int:
    """A time to confirm in, for argparse."""
    found = seconds(text)
    if not LEAST <= found <= MOST:
        raise ArgumentTypeError(f"{text!r}: from {LEAST}s to a day")
    return found


def _run(arguments: Namespace) -> int:
    from compiler.deploy.deployment import DeployError, refusal
    from compiler.errors import UsageError

    if not arguments.remove and not arguments.file:
        raise UsageError("deploy: give an intent, or --remove")
    if arguments.replace_foreign and arguments.to != "routeros":
        raise UsageError("--replace-foreign: only RouterOS; on Linux nothing of others is replaced")
    deployment = deployment_of(arguments, remove=arguments.remove)
    changes = deployment.plan()
    warnings, obstacles = deployment.warnings, deployment.obstacles
    is_json = arguments.format == "json"
    if not is_json:
        emit_lines(str(change) for change in changes)
        note(*(f"warning: {text}" for text in warnings))
    standing = None
    confirmed = False
    if obstacles and not arguments.plan:
        raise DeployError(refusal(obstacles))
    if not changes and not arguments.plan:
        standing = deployment.standing()
    elif not arguments.plan:
        standing = deployment.apply(arguments.confirm_within)
        if arguments.confirm and standing is not None:
            _confirm(deployment)
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
                "obstacles": list(obstacles),
                "applied": bool(changes) and not arguments.plan,
                "confirmed": confirmed,
                "standing": None if standing is None else standing._asdict(),
            }
        )
        return 1 if obstacles else 0
    if obstacles:
        note(refusal(obstacles))
        return 1
    note(*_end(arguments, bool(changes), None if standing is None else standing.remaining))
    return 0


def _confirm(deployment: Deployment) -> None:
    """Keep it, or at once put back what was there. Raises DeployError."""
    from compiler.deploy.deployment import DeployError

    try:
        deployment.confirm()
    except DeployError as error:
        try:
            deployment.roll_back()
        except DeployError as trouble:
            raise DeployError(f"{error}\nand it was not rolled back: {trouble}") from error
        raise DeployError(f"not confirmed, and rolled back: what was there before is back. {error}") from error


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
