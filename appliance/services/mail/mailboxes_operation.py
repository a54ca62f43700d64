"""What root does to mailboxes: ``python -I -m … ACTION STATE …``. Prints JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance.services.mail import mailboxes_snapshot as snapshots
from appliance.services.mail.mailboxes_doveadm import DoveadmFailed
from appliance.services.mail.mailboxes_export import exported
from appliance.services.mail.mailboxes_listing import listed, pruned
from appliance.services.mail.mailboxes_restoring import into_folder, into_place
from appliance.services.mail.mailboxes_scratch import ScratchFailed
from appliance.services.mail.mailboxes_snapshot import NoMailbox
from appliance.services.mail.mailboxes_staging import Damaged
from appliance.services.mail.mailboxes_verifying import verified

__all__ = ["main"]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?", re.ASCII)
MOST = 1_000
"""Mailboxes of one call."""


def main(words: Sequence[str]) -> int:
    """Do one action and print its answer; why not on the error output."""
    action, state, *rest = words
    try:
        print(json.dumps(_ACTIONS[action](Path(state), *rest)))
    except (NoMailbox, Damaged, ScratchFailed, DoveadmFailed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list(state: Path) -> Any:
    return snapshots.mailboxes(state)


def _snapshot(state: Path, stamp: str) -> Any:
    """Those that are named on the input."""
    done, octets = 0, 0
    missing = []
    for mailbox in _named(sys.stdin.read()):
        try:
            kept = snapshots.snapshot(state, stamp, mailbox)
        except NoMailbox:
            missing.append(mailbox)
            continue
        done += len(kept)
        octets += sum(one.known.size for one in kept)
    return {"messages": done, "octets": octets, "missing": missing}


def _named(said: str) -> list[str]:
    given = json.loads(said or "[]")
    if not isinstance(given, list) or len(given) > MOST:
        raise SystemExit("that is no list of mailboxes")
    for one in given:
        if not isinstance(one, str) or not _NAME.fullmatch(one):
            raise SystemExit("that is no mailbox")
    return given


def _export(state: Path, stamp: str, mailbox: str) -> Any:
    path, octets = exported(state, stamp, mailbox)
    return {"path": str(path), "octets": octets}


def _restore_folder(state: Path, files: str, stamp: str, mailbox: str) -> Any:
    return into_folder(state, Path(files), stamp, mailbox)


def _restore_place(state: Path, files: str, stamp: str, mailbox: str, before: str) -> Any:
    return into_place(state, Path(files), stamp, mailbox, before)


_ACTIONS: Mapping[str, Callable[..., Any]] = {
    "list": _list,
    "snapshot": _snapshot,
    "snapshots": listed,
    "verify": verified,
    "restore-folder": _restore_folder,
    "restore-place": _restore_place,
    "prune": lambda state, keep: pruned(state, int(keep)),
    "export": _export,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
