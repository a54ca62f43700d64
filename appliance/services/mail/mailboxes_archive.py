"""All mailboxes in a backup of the appliance: a snapshot of each as a stream, tried one by one, and put back.

``python -I -m … take|check|put STATE``. The stream is a tar archive (POSIX.1-2001, pax) of snapshots as they lie on the
disk, one mailbox after the other, each with its list of messages and their hashes first; the last entry is the list of
the mailboxes, so that a part is never taken for the whole. Whoever brings it may have made it up: entries lie below
their mailbox, and are folders, plain files or links that stay there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from pwd import getpwnam

from appliance.contract.program_data import ProgramData
from appliance.services.mail.mailboxes_manifest import FILE
from appliance.services.mail.mailboxes_restoring import exchanged_with
from appliance.services.mail.mailboxes_scratch import ScratchFailed
from appliance.services.mail.mailboxes_snapshot import HOME, MAIL, SNAPSHOTS, NoMailbox, mailboxes, snapshot
from appliance.services.mail.mailboxes_staging import Damaged, intact, kept_in
from appliance.services.mail.mailboxes_verifying import verified

__all__ = ["MAILBOXES", "main"]

OWNER = "gerbang-mail"
_ASIDE = ".backup"
"""A stamp that is no snapshot's: nobody lists or prunes it."""
_LIST = "mailboxes.json"
_LONGEST_LIST = 8 << 20
_NAME = re.compile(r"[a-z0-9_][a-z0-9._+-]{0,63}", re.ASCII)


def _command(action: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-m", __name__, action, "{state}")


MAILBOXES = ProgramData(
    name="mail.mailboxes",
    program="mail.dovecot",
    take=_command("take"),
    check=_command("check"),
    put=_command("put"),
)


def main(words: Sequence[str]) -> int:
    """Do one of the three; why not on the error output."""
    action, folder = words
    state = Path(folder)
    try:
        {"take": _take, "check": _check, "put": _put}[action](state)
    except (Damaged, NoMailbox, ScratchFailed, tarfile.TarError, OSError, KeyError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(state / SNAPSHOTS / _ASIDE, ignore_errors=True)
    return 0


def _take(state: Path) -> None:
    names = mailboxes(state)
    if not names:
        return
    shutil.rmtree(state / SNAPSHOTS / _ASIDE, ignore_errors=True)
    taken = []
    for name in names:
        with suppress(NoMailbox):  # a folder in which no mail was ever
            snapshot(state, _ASIDE, name)
            taken.append(name)
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name in taken:
            _added(archive, state / SNAPSHOTS / _ASIDE / name, name)
        said = json.dumps(taken).encode()
        entry = tarfile.TarInfo(_LIST)
        entry.size = len(said)
        archive.addfile(entry, BytesIO(said))
    sys.stdout.buffer.flush()


def _added(archive: tarfile.TarFile, folder: Path, name: str) -> None:
    """The list of messages before them."""
    archive.add(folder / FILE, f"{name}/{FILE}", recursive=False)
    for here, folders, files in os.walk(folder / HOME):
        folders.sort()
        inner = PurePosixPath(name) / Path(here).relative_to(folder)
        for entry in ("", *sorted({*files, *(one for one in folders if (Path(here) / one).is_symlink())})):
            archive.add(Path(here) / entry, str(inner / entry), recursive=False)
            _forgotten(archive)


def _check(state: Path) -> None:
    """One mailbox at a time, so that there must be room for the largest one only."""
    _with_owner(state)
    for name in _unpacked(state):
        if shutil.which("dovecot", path="/usr/sbin:/usr/bin"):
            verified(state, _ASIDE, name)
        else:
            intact(state / SNAPSHOTS / _ASIDE / name / HOME, kept_in(state, _ASIDE, name))
        shutil.rmtree(state / SNAPSHOTS / _ASIDE / name)


def _put(state: Path) -> None:
    """All are unpacked and compared before the first is put in its place. What is there is kept as a snapshot, and what
    is delivered meanwhile stays; mailboxes that are not in the backup are left alone."""
    _with_owner(state)
    names = list(_unpacked(state))
    for name in names:
        intact(state / SNAPSHOTS / _ASIDE / name / HOME, kept_in(state, _ASIDE, name))
    before = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-before"
    for name in names:
        exchanged_with(state, _ASIDE, name, before)


def _with_owner(state: Path) -> None:
    """As Dovecot's start makes it."""
    with suppress(FileExistsError):
        (state / MAIL).mkdir(mode=0o700)
        owner = getpwnam(OWNER)
        os.chown(state / MAIL, owner.pw_uid, owner.pw_gid)
    (state / SNAPSHOTS).mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(state / SNAPSHOTS / _ASIDE, ignore_errors=True)
    (state / SNAPSHOTS / _ASIDE).mkdir(mode=0o700)


def _unpacked(state: Path) -> Iterator[str]:
    """The name of each mailbox once it is unpacked. Raises Damaged for a stream that is not whole."""
    seen: list[str] = []
    said: list[str] | None = None
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        for entry in _entries(archive):
            name = entry.name.partition("/")[0]
            if entry.name == _LIST and entry.isreg() and entry.size <= _LONGEST_LIST:
                opened = archive.extractfile(entry)
                said = json.loads(opened.read()) if opened else None
                continue
            if said is not None or not _NAME.fullmatch(name) or name in seen[:-1]:
                raise Damaged(f"{entry.name[:200]!r} does not belong here")
            if not seen or seen[-1] != name:
                yield from seen[-1:]
                seen.append(name)
            _unpack(archive, entry, state)
        yield from seen[-1:]
    if said != seen:
        raise Damaged("the end of the archive is missing")


def _entries(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (entry := archive.next()) is not None:
        yield entry
        _forgotten(archive)


def _forgotten(archive: tarfile.TarFile) -> None:
    """What the archive remembers of the entries so far. A message that is in two folders is one file by two names: it
    is written twice, for who reads it knows no more of the first."""
    vars(archive)["members"].clear()
    vars(archive)["inodes"].clear()


def _unpack(archive: tarfile.TarFile, entry: tarfile.TarInfo, state: Path) -> None:
    """Into a folder that only root enters. A link leads to nowhere above itself, so what lies below one stays too."""
    parts = PurePosixPath(entry.name).parts
    if len(parts) < 2 or len(parts) > 8 or ".." in parts or parts[1] not in {FILE, HOME}:
        raise Damaged(f"{entry.name[:200]!r} does not belong here")
    target = (state / SNAPSHOTS / _ASIDE).joinpath(*parts)
    if entry.isdir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif entry.issym():
        if entry.linkname.startswith("/") or ".." in entry.linkname.split("/"):
            raise Damaged(f"{entry.name[:200]!r} leads elsewhere")
        target.symlink_to(entry.linkname)
    elif entry.isreg():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(archive, entry, target, state)
    else:
        raise Damaged(f"{entry.name[:200]!r} is no file")


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, target: Path, state: Path) -> None:
    opened = archive.extractfile(entry)
    assert opened is not None
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as new:
        shutil.copyfileobj(opened, new, 1 << 20)
        new.flush()
        os.fsync(file)
        if target.parent.name in {"cur", "new"}:
            # A mailbox gets this very file, by a second name.
            owner = (state / MAIL).lstat()
            os.fchown(file, owner.st_uid, owner.st_gid)
            # When a message came (INTERNALDATE of IMAP).
            os.utime(file, (entry.mtime, entry.mtime))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
