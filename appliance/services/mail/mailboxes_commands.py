"""Snapshots of mailboxes and restorations, as commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from appliance.contract.commands import query, work
from appliance.contract.context import Context, Progress
from appliance.contract.refusals import NotFound, Refused
from appliance.language import _
from appliance.services.mail.mailboxes_model import (
    Exported,
    Folder,
    Pruned,
    PruneWish,
    Restored,
    RestoreInto,
    RestoreWish,
    SnapshotNamed,
    SnapshotRow,
    SnapshotTaken,
    SnapshotWish,
    Verified,
)
from appliance.services.mail.operations_asking import POSTMASTER, asked, fitting

__all__ = ["export_mailbox", "prune_snapshots", "restore_mailbox", "snapshots", "take_snapshot", "verify_snapshot"]

_AT_ONCE = 10
"""Mailboxes between two tellings of how far it is."""


@query(POSTMASTER, name="snapshots")
def snapshots(context: Context) -> tuple[SnapshotRow, ...]:
    """List the snapshots of mailboxes, the newest first."""
    return tuple(
        SnapshotRow(**row, made_at=_made_at(row["stamp"]).astimezone(context.zone))
        for row in asked(context, "snapshots")
    )


@work(POSTMASTER, name="snapshots.take")
def take_snapshot(context: Context, wish: SnapshotWish) -> SnapshotTaken:
    """Keep mailboxes as they are now; mail goes on being delivered and read meanwhile."""
    there: list[str] = asked(context, "mailboxes")
    names = list(wish.mailboxes or there)
    if missing := sorted({*names} - {*there}):
        raise NotFound(_("mailbox"), missing[0])
    if not names:
        raise Refused(_("there is no mailbox yet"))
    stamp = _stamp(context)
    messages = octets = done = 0
    try:
        for first in range(0, len(names), _AT_ONCE):
            context.tell(Progress(done=first, total=len(names), doing=_("mailboxes")))
            told = asked(context, "snapshot", names[first : first + _AT_ONCE], stamp=stamp)
            messages, octets = messages + told["messages"], octets + told["octets"]
            done += len(names[first : first + _AT_ONCE]) - len(told["missing"])
    finally:
        with context.writing("snapshots.take", {"stamp": stamp, "mailboxes": done, "messages": messages}) as writing:
            writing.publish("added", f"snapshots/{stamp}")
    return SnapshotTaken(stamp=stamp, mailboxes=done, messages=messages, octets=octets)


@work(POSTMASTER, name="snapshots.verify")
def verify_snapshot(context: Context, named: SnapshotNamed) -> Verified:
    """Restore a snapshot beside the mailbox, let a reader log in there, and count its messages."""
    told = asked(context, "snapshot-verify", stamp=named.stamp, mailbox=named.mailbox)
    with context.writing("snapshots.verify", {"stamp": named.stamp, "mailbox": named.mailbox}):
        pass
    return Verified(stamp=named.stamp, mailbox=named.mailbox, folders=_folders(told))


@work(POSTMASTER, name="snapshots.restore")
def restore_mailbox(context: Context, wish: RestoreWish) -> Restored:
    """Bring one mailbox back from a snapshot, and look whether all its messages are there."""
    before = ""
    said = {"stamp": wish.stamp, "mailbox": wish.mailbox, "into": wish.into.value}
    try:
        if wish.into is RestoreInto.PLACE:
            before = f"{_stamp(context)}-before"
            told = asked(context, "restore-place", stamp=wish.stamp, mailbox=wish.mailbox, before=before)
        else:
            told = asked(context, "restore-folder", stamp=wish.stamp, mailbox=wish.mailbox)
    except Refused:
        with context.writing("snapshots.restore", {**said, "before": before, "ending": "failed"}):
            pass
        raise
    with context.writing("snapshots.restore", {**said, "before": before, "ending": "restored"}) as writing:
        writing.publish(
            "restored",
            "snapshots",
            _("{person} has restored the mailbox {mailbox} from {stamp}"),
            person=context.person.name,
            mailbox=wish.mailbox,
            stamp=wish.stamp,
        )
    return Restored(mailbox=wish.mailbox, folders=_folders(told), before=before)


@work(POSTMASTER, name="snapshots.prune")
def prune_snapshots(context: Context, wish: PruneWish) -> Pruned:
    """Remove all snapshots but the newest."""
    gone = tuple(asked(context, "snapshots-prune", keep=wish.keep))
    with context.writing("snapshots.prune", {"keep": wish.keep, "gone": list(gone)}) as writing:
        writing.publish("removed", "snapshots")
    return Pruned(stamps=gone)


@work(POSTMASTER, name="snapshots.export")
def export_mailbox(context: Context, named: SnapshotNamed) -> Exported:
    """Write one mailbox of a snapshot to a tar archive on the server, which only root reads."""
    told = asked(context, "export", stamp=named.stamp, mailbox=named.mailbox)
    with context.writing("snapshots.export", {"stamp": named.stamp, "mailbox": named.mailbox}):
        pass
    return Exported(path=fitting(told["path"], 200), octets=told["octets"])


def _stamp(context: Context) -> str:
    return f"{context.now.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _made_at(stamp: str) -> datetime:
    return datetime.strptime(stamp[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _folders(told: Mapping[str, int]) -> tuple[Folder, ...]:
    return tuple(Folder(folder=fitting(folder, 500), messages=count) for folder, count in sorted(told.items()))
