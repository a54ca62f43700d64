"""Backups and the audit log: kept, checked, brought back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from annotated_types import MaxLen
from pydantic import StringConstraints

from appliance.contract.commands import change, query, work
from appliance.contract.context import Context, Progress
from appliance.contract.kinds import Code, Count, Entry, Line, Moment, Whole, YesNo
from appliance.contract.program_data import DataKeeper, data_of
from appliance.contract.records import record
from appliance.contract.refusals import AlreadyThere, NotFound, Refused
from appliance.contract.results import KeptFile
from appliance.contract.service import Service
from appliance.language import _
from appliance.services.system.telling_keeper import TellingKeeper
from compiler.errors import GerbangError

__all__ = ["backup", "backups", "check_backup", "fetch_backup", "receive_backup", "restore", "verify_audit"]

SUFFIX = ".gerbang"
FileName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.gerbang$", max_length=100), MaxLen(100), Entry("line")
]


@record
class BackupWish:
    """The services that are kept; none: all of them."""

    services: Annotated[tuple[Code, ...], MaxLen(50)] = ()


@record
class BackupNamed:
    """A backup, by its file."""

    file: FileName


@record
class BackupSent:
    """The number of a file that was sent."""

    file: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), MaxLen(32), Entry("line")]


@record
class RestoreWish:
    """A backup, and the services that are brought back from it; none: all that are in it."""

    file: FileName
    services: Annotated[tuple[Code, ...], MaxLen(50)] = ()


@record
class BackupRow:
    """One backup."""

    file: FileName
    made_at: Moment
    made_by: Line
    services: tuple[Code, ...]
    tables: Count
    files: Count
    octets: Whole
    faults: tuple[Line, ...] = ()
    """Why it cannot be read, and then all but its size is empty."""


LineNoted = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,15}:[0-9a-f]{64}$"), MaxLen(81), Entry("line")]
"""A line of the audit log as somebody has written it down: ``NUMBER:HASH``."""


@record
class AuditWish:
    """Lines that must be there as they were noted elsewhere."""

    noted: Annotated[tuple[LineNoted, ...], MaxLen(100)] = ()


@record
class AuditVerdict:
    """What the walk through the audit log found."""

    lines: Count
    intact: YesNo
    faults: tuple[Line, ...]
    head: LineNoted | None = None
    """The last line, to be noted elsewhere; none while the log is empty."""


@work("administrator")
def backup(context: Context, wish: BackupWish) -> BackupRow:
    """Back up some services or all, and check the backup by restoring it into a scratch store."""
    from appliance.store.backup import backup as write
    from appliance.store.backup import verify_backup

    services = _services(context, wish.services)
    file = _unused(context, _called(wish.services))
    with _said():
        context.tell(Progress(done=0, total=2, doing=_("write")))
        write(
            context.appliance.store,
            file,
            services,
            state=context.appliance.state_folder,
            who=context.person.name,
            all_of=_all(context),
            keeper=_keeper(context, services),
        )
        context.tell(Progress(done=1, total=2, doing=_("check")))
        try:
            verify_backup(file, _all(context), scratch=_folder(context), keeper=_keeper(context, services))
        except BaseException:  # also when it was cancelled
            file.unlink(missing_ok=True)
            raise
    with context.writing("backup", {"file": file.name, "services": [one.name for one in services]}) as writing:
        writing.publish("added", f"backups/{file.name}")
    return _row(file)


@query("administrator")
def backups(context: Context) -> tuple[BackupRow, ...]:
    """List the backups, the newest first."""
    # One that is damaged says so, and hides no other.
    files = sorted(_folder(context).glob(f"*{SUFFIX}"), reverse=True)
    return tuple(row for file in files if (row := _row_or_fault(file)) is not None)


@work("administrator")
def fetch_backup(context: Context, named: BackupNamed) -> KeptFile:
    """Download a backup. It holds everything: the audit log says who has taken it."""
    file = _found(context, named.file)
    with context.writing("fetch-backup", {"file": file.name}):
        pass
    return KeptFile(path=file, name=file.name)


@change("administrator")
def receive_backup(context: Context, sent: BackupSent) -> BackupRow:
    """Put a backup that was sent as a file among the others, to be checked and restored."""
    claimed = context.claim_file(sent.file, "backups")
    stem = claimed.name.removesuffix(SUFFIX)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", stem).lstrip("._-")[:80] or "received"
    target = _folder(context) / f"{name}{SUFFIX}"
    if target.exists():
        raise AlreadyThere(_("backup"), target.name, field="file")
    # Read where it lies: a file that is no backup is refused, and goes back to its sender.
    row = _row(claimed.path, target.name)
    os.link(claimed.path, target)
    context.appliance.store.when_undone(_unlink, target)
    context.appliance.store.when_kept(_unlink, claimed.path)
    context.publish("added", f"backups/{target.name}")
    return row


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


@work("administrator")
def check_backup(context: Context, named: BackupNamed) -> BackupRow:
    """Restore a backup into a scratch store and compare every table."""
    from appliance.store.backup import verify_backup

    with _said():
        everything = _all(context)
        keeper = _keeper(context, everything)
        verify_backup(_found(context, named.file), everything, scratch=_folder(context), keeper=keeper)
    return _row(_found(context, named.file))


@work("administrator")
def restore(context: Context, wish: RestoreWish) -> BackupRow:
    """Bring services back from a backup; what is there now is backed up first."""
    from appliance.store.backup import restore as bring_back

    file = _found(context, wish.file)
    wanted = wish.services or tuple(name for name in _row(file).services if name in context.appliance.registry.services)
    services = _services(context, wanted)
    before = _unused(context, "before-restore")
    with _said():
        bring_back(
            context.appliance.store,
            file,
            services,
            all_of=_all(context),
            before=before,
            state=context.appliance.state_folder,
            who=context.person.name,
            keeper=_keeper(context, _all(context)),
        )
    said = {"file": file.name, "services": list(wanted), "before": before.name}
    with context.writing("restore", said) as writing:
        writing.publish(
            "restored",
            "backups",
            _("{person} has restored {services} from {file}"),
            urgent=True,
            person=context.person.name,
            services=", ".join(wanted),
            file=file.name,
        )
    return _row(before)


@work("administrator")
def verify_audit(context: Context, wish: AuditWish) -> AuditVerdict:
    """Walk through the audit log and find any line that was changed, removed or put in."""
    from appliance.store.audit import Head
    from appliance.store.chain import verify
    from appliance.store.seal import noted_head

    noted = [Head(int(number), hashed) for number, _colon, hashed in (one.partition(":") for one in wish.noted)]
    head = noted_head(context.appliance.state_folder, context.appliance.secret)
    with _said(), context.reading() as connection:
        found = verify(
            connection,
            context.appliance.secret,
            head,
            lambda done, total: context.tell(Progress(done=done, total=total, doing=_("lines"))),
            noted,
        )
    return AuditVerdict(
        lines=found.lines,
        intact=found.intact,
        faults=tuple(str(one)[:200] for one in found.tampered[:100]),
        head=f"{found.head.number}:{found.head.hash}" if found.head and found.intact else None,
    )


@contextmanager
def _said() -> Iterator[None]:
    """What goes wrong with a file or the store is the command's refusal."""
    try:
        yield
    except GerbangError as error:
        raise Refused("{reason}", reason=str(error)) from error


def _keeper(context: Context, services: Iterable[Service]) -> DataKeeper | None:
    """The machine, if any of these services' programs keeps something beside the store."""
    if not any(data_of(one) for one in services):
        return None
    return TellingKeeper(keeper=context.appliance.machine, tell=context.tell)


def _folder(context: Context) -> Path:
    folder: Path = context.appliance.state_folder / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _unused(context: Context, words: str) -> Path:
    """The name of a new backup. By the microsecond: several may be made at a time."""
    return _folder(context) / f"{context.now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{words}{SUFFIX}"


def _found(context: Context, name: str) -> Path:
    file = _folder(context) / name
    if not file.is_file() or file.is_symlink():
        raise NotFound(_("backup"), name)
    return file


def _all(context: Context) -> tuple[Service, ...]:
    return tuple(one.service for one in context.appliance.registry.services.values())


def _services(context: Context, names: tuple[str, ...]) -> tuple[Service, ...]:
    known = {one.name: one for one in _all(context)}
    for name in names:
        if name not in known:
            raise NotFound(_("service"), name)
    return tuple(known[name] for name in names) if names else tuple(known.values())


def _called(names: tuple[str, ...]) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", "-".join(names))[:40] if names else "all"


def _row_or_fault(file: Path) -> BackupRow | None:
    try:
        return _row(file)
    except Refused as refused:
        try:
            seen = file.stat()
        except FileNotFoundError:  # it was taken away meanwhile
            return None
        made_at = datetime.fromtimestamp(seen.st_mtime, UTC)
        fault = "".join(one if one.isprintable() else " " for one in str(refused))[:200]
        return BackupRow(
            file=file.name,
            made_at=made_at,
            made_by="",
            services=(),
            tables=0,
            files=0,
            octets=seen.st_size,
            faults=(fault,),
        )
    except FileNotFoundError:
        return None


def _row(file: Path, name: str = "") -> BackupRow:
    from appliance.store.archive import BadBackup, manifest_of

    with _said():
        manifest = manifest_of(file)
        try:
            made_at = datetime.fromisoformat(manifest.made_at)
        except ValueError:
            raise BadBackup(f"{file}: its manifest is damaged: it was made at no time") from None
    return BackupRow(
        file=name or file.name,
        made_at=made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC),
        made_by=manifest.made_by,
        services=tuple(manifest.services),
        tables=sum(1 for part in manifest.parts if part.table),
        files=sum(1 for part in manifest.parts if not part.table),
        octets=file.stat().st_size,
    )
