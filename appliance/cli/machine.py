"""What the machine's verbs do: ask the daemon's ``machine`` commands, wait, and print as an engineer reads."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from appliance.cli.connecting import connected
from appliance.cli.following import followed

if TYPE_CHECKING:
    from appliance.client.blocking import Client
    from appliance.client.protocol import Work

__all__ = ["act"]

FINE = {"unchanged", "confirmed", "unconfirmed"}
"""How a commit ends well: it stands, it waits for its confirmation, or there was nothing to do."""
_CANCELLED = {"install": "no longer waited for: apt, once it runs, goes on to its end"}
LOOKS = {"plan", "status", "generations"}


def act(arguments: Namespace) -> int:
    """One of the verbs; the exit code: 1 for findings, and for a commit that was refused or taken back."""
    with connected(arguments) as client:
        if arguments.action in LOOKS:
            answer = client.call("machine", arguments.action)
        else:
            answer = _worked(client, arguments.action, _arguments(arguments))
    if answer is None:
        return 1
    if arguments.format == "json":
        json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
        print()
    else:
        sys.stdout.write(_text(arguments.action, answer, colour=sys.stdout.isatty()))
    return _exit_code(arguments.action, answer)


def _arguments(arguments: Namespace) -> dict[str, Any] | None:
    if arguments.action == "commit":
        return {
            "note": arguments.note,
            "confirm_within": arguments.confirm_within,
            "overwrite": arguments.overwrite,
        }
    if arguments.action == "install":
        return {"service": arguments.service}
    return {"to": arguments.to} if arguments.action == "rollback" else None


def _worked(client: Client, action: str, arguments: Any) -> Any:
    """The result of long work; None when it was cancelled."""
    identity = client.call("machine", action, arguments)["work"]
    work = followed(client, identity, _doing, _CANCELLED.get(action, "cancelled: what was done is being taken back"))
    return None if work is None else work.result


def _doing(work: Work) -> str:
    return f"{work.doing} …" if work.doing and sys.stderr.isatty() else ""


def _text(action: str, answer: Any, *, colour: bool) -> str:
    if action == "install":
        return f"The packages of {answer['service']} are installed: {', '.join(answer['packages'])}\n"
    from pydantic import TypeAdapter

    from appliance.commit import printing
    from appliance.commit.results import CommitStatus, Diagnosis, GenerationLine, Outcome, Plan

    said = json.dumps(answer)
    if action == "generations":
        lines = TypeAdapter(tuple[GenerationLine, ...]).validate_json(said)
        return printing.print_generations(lines, colour=colour)
    if action == "plan":
        return printing.print_plan(TypeAdapter(Plan).validate_json(said), colour=colour)
    if action == "status":
        return printing.print_status(TypeAdapter(CommitStatus).validate_json(said), colour=colour)
    if action == "diagnose":
        return printing.print_diagnosis(TypeAdapter(Diagnosis).validate_json(said), colour=colour)
    return printing.print_outcome(TypeAdapter(Outcome).validate_json(said), colour=colour)


def _exit_code(action: str, answer: Any) -> int:
    if action in {"plan", "diagnose"}:
        return int(any(finding["severity"] == "error" for finding in answer["findings"]))
    if action in {"status", "generations", "install"}:
        return 0
    return int(answer["ending"] not in (FINE | ({"undone"} if action == "rollback" else set())))
