"""What the commands of snapshots and restorations take and answer."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen
from pydantic import StringConstraints

from appliance.contract.kinds import Count, Entry, Line, Moment, Unit, Whole, YesNo
from appliance.contract.records import record
from appliance.language import _

__all__ = [
    "Exported",
    "Folder",
    "LocalPart",
    "PruneWish",
    "Pruned",
    "RestoreInto",
    "RestoreWish",
    "Restored",
    "SnapshotNamed",
    "SnapshotRow",
    "SnapshotTaken",
    "SnapshotWish",
    "Stamp",
    "Verified",
]

Stamp = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{6}Z(?:-before)?$", max_length=32), MaxLen(32), Entry("line")
]
"""When a snapshot was made, in UTC: ``20261123T054004Z``."""
LocalPart = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$", max_length=64),
    MaxLen(64),
    Entry("line"),
]
"""A mailbox, by its local part."""


class RestoreInto(StrEnum):
    """Where what is brought back is put."""

    FOLDER = "folder"
    """``Restored/<stamp>``, beside what is there."""
    PLACE = "place"
    """In the place of what is there, of which a snapshot is made first."""


@record(title=_("snapshot"))
class SnapshotWish:
    """The mailboxes; none: all of them."""

    mailboxes: Annotated[tuple[LocalPart, ...], MaxLen(1_000)] = ()


@record(title=_("snapshot"))
class SnapshotTaken:
    """It is there."""

    stamp: Stamp
    mailboxes: Count
    messages: Count
    octets: Whole


@record(title=_("snapshot"))
class SnapshotRow:
    """One mailbox of one snapshot."""

    stamp: Stamp
    mailbox: LocalPart
    made_at: Moment = field(metadata={"label": _("Taken at")})
    messages: Count
    folders: Count
    octets: Annotated[Whole, Unit("bytes")] = field(metadata={"label": _("Size")})
    fault: YesNo
    """It cannot be read."""


@record(title=_("snapshot"))
class SnapshotNamed:
    """One mailbox of one snapshot."""

    stamp: Stamp
    mailbox: LocalPart


@record(title=_("folder"))
class Folder:
    """How many messages a folder has."""

    folder: Annotated[str, MaxLen(500), Entry("line")]
    messages: Count


@record(title=_("verified"))
class Verified:
    """It was restored beside the mailbox, somebody has logged in, and all messages were there."""

    stamp: Stamp
    mailbox: LocalPart
    folders: tuple[Folder, ...]


@record(title=_("restore"))
class RestoreWish:
    """One mailbox of one snapshot, and where to."""

    stamp: Stamp
    mailbox: LocalPart
    into: RestoreInto = RestoreInto.FOLDER


@record(title=_("restored"))
class Restored:
    """It was brought back, and looked at afterwards."""

    mailbox: LocalPart
    folders: tuple[Folder, ...]
    before: Line = ""
    """The snapshot of what was there before."""


@record(title=_("old snapshots"))
class PruneWish:
    """How many of the newest stay."""

    keep: Annotated[int, Ge(1), Le(999)] = 14


@record
class Pruned:
    """The snapshots that are gone."""

    stamps: tuple[Line, ...]


@record
class Exported:
    """A tar archive on the server, for root."""

    path: Line
    octets: Whole
