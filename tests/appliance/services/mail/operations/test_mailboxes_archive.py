"""All mailboxes as one stream, and what is made of a stream that somebody has made up."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.helper import data
from appliance.services.mail.mailboxes_archive import MAILBOXES
from appliance.supervisor.errors import SupervisionFailed
from tests.appliance.services.mail.operations.conftest import House, wait_until
from tests.appliance.services.mail.operations.test_mailboxes import EXPUNGES, FILLS, number, seen


def _take(house: House) -> bytes:
    return b"".join(data.take(MAILBOXES, house.places, privileged=True))


def _give(house: House, action: str, content: bytes) -> None:
    words = MAILBOXES.check if action == "check" else MAILBOXES.put
    data.give(MAILBOXES, words, [content], house.places, privileged=True)


@pytest.fixture(scope="module")
def taken(house: House) -> bytes:
    """Five messages of siti's in three folders, one in two of them as one file, and a rule; one of budi's."""
    for place in range(5):
        house.send("budi@rssulsel.com", "siti@rssulsel.com", number=number(place), text=f"text {place}")
    house.send("siti@rssulsel.com", "budi@rssulsel.com", number="<b@rssulsel.com>")
    wait_until(lambda: house.messages("siti") == 5 and house.messages("budi") == 1)
    house.inside(FILLS)
    home = house.mail / "siti"
    (home / "sieve").mkdir()
    (home / "sieve" / "rules.sieve").write_text("keep;\n")
    (home / ".dovecot.sieve").symlink_to("sieve/rules.sieve")
    return _take(house)


def _left(house: House) -> list[str]:
    """What lies where it should not afterwards."""
    places = (house.dovecot / "snapshots" / ".backup", *(house.dovecot / ".restoring").glob("*"))
    return [str(one) for one in places if one.exists()]


def test_what_was_taken_is_tried_and_comes_back(house: House, taken: bytes) -> None:
    _give(house, "check", taken)
    assert _left(house) == []
    house.inside(EXPUNGES)
    shutil.rmtree(house.mail / "budi")
    _give(house, "put", taken)
    assert seen(house, "INBOX", "Sent")["INBOX"] == [number(place) for place in range(5)]
    assert house.messages("budi") == 1
    assert (house.mail / "budi" / "Maildir").stat().st_uid == house.mail.stat().st_uid
    assert _left(house) == []
    # The moment at which a message came is kept, and what was there before is a snapshot.
    with tarfile.open(fileobj=io.BytesIO(taken)) as archive:
        (entry,) = [one for one in archive.getmembers() if one.name.startswith("budi/") and ",S=" in one.name]
    (message,) = [one for one in (house.mail / "budi" / "Maildir").rglob("*,S=*") if one.is_file()]
    assert int(message.stat().st_mtime) == int(entry.mtime)
    assert any(one["stamp"].endswith("-before") for one in house.perform("snapshots"))


def test_on_a_machine_where_no_mail_ever_was(house: House, taken: bytes) -> None:
    """Its folders are made, and belong to who should have them."""
    aside = house.dovecot.with_name("aside")
    house.dovecot.rename(aside)
    try:
        house.dovecot.mkdir()
        _give(house, "check", taken)
        _give(house, "put", taken)
        assert house.messages("siti") == 5
        assert (house.mail / "siti" / ".dovecot.sieve").read_text() == "keep;\n"
        assert (house.mail / "siti").owner() == "gerbang-mail"
        shutil.rmtree(house.mail)
        assert _take(house) == b""
    finally:
        shutil.rmtree(house.dovecot)
        aside.rename(house.dovecot)


def _rewritten(
    content: bytes, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]
) -> bytes:
    """The archive with entries changed, or left out."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=made, mode="w") as new:
        for entry in old.getmembers():
            opened = old.extractfile(entry) if entry.isreg() else None
            if (kept := change(entry, opened.read() if opened else b"")) is not None:
                kept[0].size = len(kept[1])
                new.addfile(kept[0], io.BytesIO(kept[1]))
    return made.getvalue()


def _with(content: bytes, entry: tarfile.TarInfo) -> bytes:
    """The archive with one more entry behind its first."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=made, mode="w") as new:
        for place, one in enumerate(old.getmembers()):
            new.addfile(one, old.extractfile(one) if one.isreg() else None)
            if place == 0:
                new.addfile(entry)
    return made.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, leads: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, leads
    return made


def test_a_stream_that_is_not_what_was_taken_is_refused(house: House, taken: bytes, tmp_path: Path) -> None:
    def changed(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return entry, content.replace(b"text 3", b"TEXT 3")

    def fewer(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes] | None:
        return None if b"text 3" in content and ",S=" in entry.name else (entry, content)

    def unsaid(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes] | None:
        return None if entry.name == "mailboxes.json" else (entry, content)

    def said_too_much(entry: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return entry, json.dumps(["budi", "siti", "kepala"]).encode() if entry.name == "mailboxes.json" else content

    outside = tmp_path / "outside"
    wrong = {
        "a letter was changed": _rewritten(taken, changed),
        "a letter is missing": _rewritten(taken, fewer),
        "its end is missing": _rewritten(taken, unsaid),
        "half of it": taken[: len(taken) // 2],
        "a mailbox is missing": _rewritten(taken, said_too_much),
        "above": _with(taken, _entry("budi/home/../../../x")),
        "from the root": _with(taken, _entry(f"{outside}/x")),
        "no mailbox": _with(taken, _entry("x")),
        "beside the home": _with(taken, _entry("budi/x")),
        "a link to elsewhere": _with(taken, _entry("budi/home/x", tarfile.SYMTYPE, str(outside))),
        "a link above": _with(taken, _entry("budi/home/x", tarfile.SYMTYPE, "../../../x")),
        "a second name": _with(taken, _entry("budi/home/x", tarfile.LNKTYPE, "/etc/shadow")),
        "a device": _with(taken, _entry("budi/home/x", tarfile.CHRTYPE)),
        "a pipe": _with(taken, _entry("budi/home/x", tarfile.FIFOTYPE)),
        "nothing of the kind": b"no archive",
    }
    before = sorted(str(one) for one in house.mail.rglob("*,S=*"))
    for what, content in wrong.items():
        try:
            _give(house, "put", content)
        except SupervisionFailed:
            assert _left(house) == [], what
        else:
            pytest.fail(what)
    assert sorted(str(one) for one in house.mail.rglob("*,S=*")) == before
    assert not outside.exists()
    with pytest.raises(SupervisionFailed, match="is not what it was"):
        _give(house, "check", wrong["a letter was changed"])
