"""Snapshots of real Maildirs, restored for a real Dovecot."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from appliance.supervisor.errors import SupervisionFailed
from tests.appliance.services.mail.operations.conftest import House, wait_until

# One set of daemons, and the tests follow each other on it.

STAMP = "20261123T054004Z"
READER = """\
import imaplib, json, sys
user, *folders = sys.argv[1:]
client = imaplib.IMAP4("127.0.0.1"); client.login(user, "x")
seen = {}
for folder in folders:
    count = int(client.select(f'"{folder}"', readonly=True)[1][0])
    seen[folder] = [] if not count else sorted(
        bytes(one[1]).decode().partition(":")[2].strip()
        for one in client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1] if isinstance(one, tuple)
    )
client.logout()
print(json.dumps(seen))
"""
FILLS = """\
import imaplib
client = imaplib.IMAP4("127.0.0.1"); client.login("siti", "x")
for folder in ("Sent", "Ward/R&AOk-animation"):
    client.create(f'"{folder}"')
client.select("INBOX")
client.copy("1:2", "Sent"); client.copy("3", '"Ward/R&AOk-animation"')
client.store("1", "+FLAGS", "\\\\Seen")
client.logout()
"""
NUMBERS = """\
import imaplib, json, re, sys
user, folder = sys.argv[1:]
client = imaplib.IMAP4("127.0.0.1"); client.login(user, "x")
said = client.status(f'"{folder}"', "(UIDVALIDITY UIDNEXT HIGHESTMODSEQ)")[1][0].decode()
told = {name.lower(): int(value) for name, value in re.findall(r"([A-Z]+) ([0-9]+)", said.rpartition("(")[2])}
count = int(client.select(f'"{folder}"', readonly=True)[1][0])
lines = client.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1] if count else ()
told["uids"] = {
    bytes(one[1]).decode().partition(":")[2].strip(): int(re.search(rb"UID ([0-9]+)", one[0])[1])
    for one in lines if isinstance(one, tuple)
}
client.logout()
print(json.dumps(told))
"""
FLAGS = """\
import imaplib
client = imaplib.IMAP4("127.0.0.1"); client.login("siti", "x"); client.select("INBOX")
for _time in range(5):
    client.store("1:*", "+FLAGS", "\\\\Flagged"); client.store("1:*", "-FLAGS", "\\\\Flagged")
client.logout()
"""
EXPUNGES = """\
import imaplib
client = imaplib.IMAP4("127.0.0.1"); client.login("siti", "x"); client.select("INBOX")
client.store("1:*", "+FLAGS", "\\\\Deleted"); client.expunge(); client.logout()
"""


def arrived(house: House, count: int) -> None:
    """A delivery into a mailbox that is just being exchanged may be deferred, and is tried again: never lost."""

    def there() -> bool:
        if house.messages("siti") == count:
            return True
        house.perform("queue-flush")
        return False

    wait_until(there)


def number(place: int) -> str:
    return f"<m{place}@rssulsel.com>"


@pytest.fixture(scope="module")
def filled(house: House) -> House:
    """Siti has five messages in three folders, and a rule of her own; a snapshot of them is there."""
    for place in range(5):
        house.send("budi@rssulsel.com", "siti@rssulsel.com", number=number(place), text=f"text {place}")
    wait_until(lambda: house.messages("siti") == 5)
    house.inside(FILLS)
    home = house.mail / "siti"
    (home / "sieve").mkdir()
    (home / "sieve" / "rules.sieve").write_text("keep;\n")
    (home / ".dovecot.sieve").symlink_to("sieve/rules.sieve")
    told = house.perform("snapshot", ["siti", "budi"], stamp=STAMP)
    assert told["messages"] == 8
    assert told["missing"] == ["budi"]  # he has no mailbox yet
    return house


def seen(house: House, *folders: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(house.inside(READER, "siti", *folders))
    return found


def test_a_snapshot_takes_no_second_room_and_is_roots_alone(filled: House) -> None:
    folder = filled.dovecot / "snapshots"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == 0
    kept = folder / STAMP / "siti" / "home" / "Maildir"
    (message,) = [one for one in (kept / ".Ward.R&AOk-animation").rglob("*,S=*") if one.is_file()]
    (there,) = [
        one for one in (filled.mail / "siti" / "Maildir" / ".Ward.R&AOk-animation").rglob("*,S=*") if one.is_file()
    ]
    assert message.stat().st_ino == there.stat().st_ino


def test_the_snapshots_are_listed(filled: House) -> None:
    row = filled.perform("snapshots")[-1]
    assert (row["stamp"], row["mailbox"], row["messages"], row["folders"]) == (STAMP, "siti", 8, 3)
    assert not row["fault"]


def test_a_reader_logs_in_to_the_restored_snapshot(filled: House) -> None:
    counts = filled.perform("snapshot-verify", stamp=STAMP, mailbox="siti")
    assert counts == {"INBOX": 5, "Sent": 2, "Ward/Réanimation": 1}
    assert list((filled.dovecot / ".restoring").iterdir()) == []


def test_a_message_that_was_changed_is_found(filled: House) -> None:
    later = "20261123T060000Z"
    filled.perform("snapshot", ["siti"], stamp=later)
    kept = filled.dovecot / "snapshots" / later / "siti" / "home" / "Maildir"
    victim = next(one for one in (kept / ".Sent").rglob("*,S=*") if one.is_file())
    text = victim.read_bytes()
    victim.unlink()  # not the file that the mailbox has too
    victim.write_bytes(text.replace(b"text", b"TEXT"))
    with pytest.raises(SupervisionFailed) as failed:
        filled.perform("snapshot-verify", stamp=later, mailbox="siti")
    assert "is not what it was" in failed.value.said
    victim.unlink()
    with pytest.raises(SupervisionFailed) as failed:
        filled.perform("snapshot-verify", stamp=later, mailbox="siti")
    assert "missing" in failed.value.said
    shutil.rmtree(filled.dovecot / "snapshots" / later)


def test_what_is_lost_comes_back_beside_what_is_there(filled: House) -> None:
    filled.inside(EXPUNGES)
    assert seen(filled, "INBOX") == {"INBOX": []}
    counts = filled.perform("restore-folder", stamp=STAMP, mailbox="siti")
    assert counts["INBOX"] == 5
    folder = f"Restored/{STAMP}"
    found = seen(filled, "INBOX", f"{folder}/INBOX", f"{folder}/Sent", f"{folder}/Ward/R&AOk-animation")
    assert found["INBOX"] == []
    assert found[f"{folder}/INBOX"] == [number(place) for place in range(5)]
    assert found[f"{folder}/Sent"] == [number(0), number(1)]
    assert found[f"{folder}/Ward/R&AOk-animation"] == [number(2)]
    with pytest.raises(SupervisionFailed) as failed:
        filled.perform("restore-folder", stamp=STAMP, mailbox="siti")
    assert "already" in failed.value.said


def numbers(house: House, folder: str = "INBOX") -> Numbers:
    return Numbers(**json.loads(house.inside(NUMBERS, "siti", folder)))


class Numbers(NamedTuple):
    """As a client keeps them."""

    uidvalidity: int
    uidnext: int
    highestmodseq: int
    uids: dict[str, int]


def test_a_mailbox_is_put_back_in_its_place(filled: House) -> None:
    filled.send("budi@rssulsel.com", "siti@rssulsel.com", number="<new@rssulsel.com>")
    arrived(filled, 1)
    known = numbers(filled)
    before = "20261123T070000Z-before"
    filled.perform("restore-place", stamp=STAMP, mailbox="siti", before=before)
    assert seen(filled, "INBOX", "Sent")["INBOX"] == [number(place) for place in range(5)]
    # What was there is in the snapshot of before, and mail is delivered as ever.
    counts = filled.perform("snapshot-verify", stamp=before, mailbox="siti")
    assert counts["INBOX"] == 1
    # What was removed has come back: a client must read all of it anew, and passes nothing over as known and gone.
    assert numbers(filled).uidvalidity > known.uidvalidity
    filled.send("budi@rssulsel.com", "siti@rssulsel.com", number="<later@rssulsel.com>")
    arrived(filled, 6)
    assert "<later@rssulsel.com>" in seen(filled, "INBOX")["INBOX"]


def test_a_mailbox_that_is_gone_altogether_comes_back_with_its_rules(filled: House) -> None:
    shutil.rmtree(filled.mail / "siti")
    filled.perform("restore-place", stamp=STAMP, mailbox="siti", before="20261123T080000Z-before")
    assert seen(filled, "INBOX")["INBOX"] == [number(place) for place in range(5)]
    assert {path.stat().st_uid for path in (filled.mail / "siti").rglob("*")} == {filled.mail.stat().st_uid}
    assert (filled.mail / "siti" / ".dovecot.sieve").read_text() == "keep;\n"
    assert (filled.mail / "siti" / "Maildir").stat().st_uid == filled.mail.stat().st_uid


def test_clients_keep_what_they_have_of_a_mailbox_that_was_gone_altogether(filled: House) -> None:
    later = "20261123T083000Z"
    for folder in ("INBOX", "Sent"):
        assert numbers(filled, folder).uids
    filled.perform("snapshot", ["siti"], stamp=later)
    taken = {folder: numbers(filled, folder) for folder in ("INBOX", "Sent")}
    # What comes and changes after the snapshot is lost; a client may have seen it.
    filled.send("budi@rssulsel.com", "siti@rssulsel.com", number="<lost@rssulsel.com>")
    arrived(filled, 6)
    filled.inside(FLAGS)
    lost = numbers(filled)
    shutil.rmtree(filled.mail / "siti")
    filled.perform("restore-place", stamp=later, mailbox="siti", before="20261123T090000Z-before")
    for folder, known in taken.items():
        found = numbers(filled, folder)
        assert (found.uidvalidity, found.uids) == (known.uidvalidity, known.uids), folder
    found = numbers(filled)
    assert found.uidnext > lost.uidnext
    assert found.highestmodseq > lost.highestmodseq
    filled.send("budi@rssulsel.com", "siti@rssulsel.com", number="<after@rssulsel.com>")
    arrived(filled, 6)
    after = numbers(filled)
    assert after.uidvalidity == lost.uidvalidity
    assert after.uids["<after@rssulsel.com>"] > max(lost.uids.values())
    # A folder that is made now is no folder of those that were lost.
    filled.inside('import imaplib; c = imaplib.IMAP4("127.0.0.1"); c.login("siti", "x"); c.create("New"); c.logout()')
    assert numbers(filled, "New").uidvalidity > max(one.uidvalidity for one in taken.values())
    # And once more.
    shutil.rmtree(filled.mail / "siti")
    filled.perform("restore-place", stamp=later, mailbox="siti", before="20261123T093000Z-before")
    again = numbers(filled)
    assert (again.uidvalidity, again.uids) == (taken["INBOX"].uidvalidity, taken["INBOX"].uids)
    assert again.highestmodseq >= after.highestmodseq
    assert list((filled.dovecot / ".restoring").iterdir()) == []
    shutil.rmtree(filled.dovecot / "snapshots" / later)


def test_a_mailbox_whose_numbers_cannot_be_kept_gets_new_ones(filled: House) -> None:
    later = "20261123T084000Z"
    known = numbers(filled)
    filled.perform("snapshot", ["siti"], stamp=later)
    # They have come to their end (RFC 9051 section 2.3.1.1: 32 bits).
    uidlist = filled.dovecot / "snapshots" / later / "siti" / "home" / "Maildir" / "dovecot-uidlist"
    lines = uidlist.read_text().splitlines(keepends=True)
    lines[0] = re.sub(r" N[0-9]+ ", " N4294967000 ", lines[0])
    uidlist.write_text("".join(lines))
    shutil.rmtree(filled.mail / "siti")
    filled.perform("restore-place", stamp=later, mailbox="siti", before="20261123T094000Z-before")
    found = numbers(filled)
    assert found.uidvalidity > known.uidvalidity
    assert (found.uids.keys(), found.uidnext) == (known.uids.keys(), len(known.uids) + 1)
    shutil.rmtree(filled.dovecot / "snapshots" / later)


def test_a_mailbox_is_written_to_an_archive(filled: House) -> None:
    told = filled.perform("export", stamp=STAMP, mailbox="siti")
    with tarfile.open(told["path"]) as archive:
        names = archive.getnames()
    assert sum(",S=" in name for name in names) == 8
    assert "siti/messages.jsonl" in names
    assert Path(told["path"]).stat().st_mode & 0o777 == 0o600


def test_old_snapshots_go(filled: House) -> None:
    filled.perform("snapshot", ["siti"], stamp="20991231T000000Z")
    gone = filled.perform("snapshots-prune", keep=1)
    left = [row["stamp"] for row in filled.perform("snapshots")]
    assert STAMP in gone
    assert STAMP not in left
    assert len(set(left)) <= 1


def test_nothing_is_restored_from_a_snapshot_that_is_not_there(filled: House) -> None:
    with pytest.raises(SupervisionFailed) as failed:
        filled.perform("restore-place", stamp="19990101T000000Z", mailbox="siti", before="19990102T000000Z-before")
    assert "there is no snapshot" in failed.value.said
