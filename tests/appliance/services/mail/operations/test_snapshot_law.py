"""A snapshot while readers are at work: what lies in the mailbox before and after is in it."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.services.mail.mailboxes_snapshot import NoMailbox, snapshot, stamps_of
from appliance.services.mail.mailboxes_staging import Damaged, intact

FOLDERS = ("", ".Sent", ".Ward")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """One mailbox with three folders and sixty messages."""
    maildir = tmp_path / "mail" / "siti" / "Maildir"
    for folder in FOLDERS:
        for place in ("cur", "new", "tmp"):
            (maildir / folder / place).mkdir(parents=True)
    for number in range(60):
        text = f"Message-ID: <m{number}@x>\n\ntext {number}\n"
        (maildir / FOLDERS[number % 3] / "cur" / f"{number}.M1P1.host,S={len(text)}:2,").write_text(text)
    return tmp_path


def test_messages_that_are_moved_and_marked_meanwhile_are_never_missing(state: Path) -> None:
    maildir = state / "mail" / "siti" / "Maildir"
    ended = threading.Event()

    def at_work() -> None:
        chance = random.Random(7)
        while not ended.is_set():
            source = maildir / chance.choice(FOLDERS) / "cur"
            name = chance.choice(os.listdir(source) or [""])
            if not name:
                continue
            base = name.partition(":")[0]
            target = maildir / chance.choice(FOLDERS) / chance.choice(("cur", "cur", "new"))
            flags = ":2," + chance.choice(("", "S", "FS")) if target.name == "cur" else ""
            with suppress(OSError):
                # As Dovecot does it: in the new place first.
                if target.parent != source.parent:
                    os.link(source / name, target / f"{base}{flags}")
                    os.unlink(source / name)
                else:
                    os.rename(source / name, source / f"{base}:2,S")

    worker = threading.Thread(target=at_work)
    worker.start()
    try:
        for place in range(10):
            stamp = f"20261123T0540{place:02}Z"
            kept = snapshot(state, stamp, "siti")
            assert {one.known.message_id for one in kept} == {f"<m{number}@x>" for number in range(60)}
            intact(state / "snapshots" / stamp / "siti" / "home", kept)
    finally:
        ended.set()
        worker.join()


def test_links_in_a_mailbox_lead_nowhere(state: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root's")
    maildir = state / "mail" / "siti" / "Maildir"
    (maildir / "cur" / "evil.M1P1.host,S=6:2,").symlink_to(secret)
    (maildir / "subscriptions").symlink_to(secret)
    (maildir / ".Evil").symlink_to(tmp_path)
    os.mkfifo(maildir / "cur" / "pipe.M1P1.host")
    kept = snapshot(state, "20261123T054004Z", "siti")
    assert len(kept) == 60
    held = state / "snapshots" / "20261123T054004Z"
    assert not any(path.is_symlink() or path.is_fifo() for path in held.rglob("*"))
    assert not any("root's" in path.read_text() for path in held.rglob("*") if path.is_file())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_a_second_name_of_somebody_elses_file_is_no_mail(state: Path, tmp_path: Path) -> None:
    """Root would read it, and give a copy to whose mailbox it is (fs.protected_hardlinks may be 0: proc_sys_fs(5))."""
    secret = tmp_path / "secret"
    secret.write_text("root's")
    for folder, folders, files in os.walk(state / "mail"):
        for name in ("", *folders, *files):
            os.chown(Path(folder) / name, 65534, 65534)
    home = state / "mail" / "siti"
    os.link(secret, home / "Maildir" / "cur" / "evil.M1P1.host,S=6:2,")
    os.link(secret, home / "Maildir" / "subscriptions")
    os.link(secret, home / ".dovecot.sieve")
    assert len(snapshot(state, "20261123T054004Z", "siti")) == 60
    held = state / "snapshots" / "20261123T054004Z"
    assert not any("root's" in path.read_text() for path in held.rglob("*") if path.is_file())
    assert secret.stat().st_uid == 0


def test_a_mailbox_that_is_a_link_is_none(state: Path) -> None:
    (state / "mail" / "evil").symlink_to(state / "mail" / "siti")
    with pytest.raises(NoMailbox):
        snapshot(state, "20261123T054004Z", "evil")
    assert not (state / "snapshots" / "20261123T054004Z" / "evil").exists()


def test_only_new_messages_are_read_again(state: Path) -> None:
    first = snapshot(state, "20261123T054004Z", "siti")
    # A file that is the same by name, number, size and time is not read: its hash stays the one of before.
    text = "Message-ID: <new@x>\n\nnew\n"
    (state / "mail" / "siti" / "Maildir" / "new" / "99.M1P1.host").write_text(text)
    second = snapshot(state, "20261124T054004Z", "siti")
    assert set(first) < set(second)
    (more,) = set(second) - set(first)
    assert more.known.message_id == "<new@x>"
    assert stamps_of(state) == ["20261123T054004Z", "20261124T054004Z"]


def test_a_message_that_was_put_in_later_is_found(state: Path) -> None:
    kept = snapshot(state, "20261123T054004Z", "siti")
    home = state / "snapshots" / "20261123T054004Z" / "siti" / "home"
    (home / "Maildir" / "cur" / "more.M1P1.host").write_text("x")
    with pytest.raises(Damaged):
        intact(home, kept)
