"""A backup of the whole hospital, brought back on a machine on which there was nothing.

The hospital has its mail and its web mail from its first commit on, made together.
"""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.client.errors import Refusal
from appliance.helper.packages import make_user
from tests.appliance.services.machine.standing import USER
from tests.appliance.services.mail.hospital import DOMAIN, NEEDED, Hospital, until
from tests.appliance.services.webmail.house import NEEDS

_MISSING = [name for name in NEEDED if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
pytestmark = [
    *NEEDS[:-1],
    pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}"),
]
DATABASE = "/var/lib/gerbang-programs/webmail.php/roundcube.db"


class _WithWebMail(Hospital):
    """Both services are described before anything was ever committed."""

    def _describe(self) -> None:
        super()._describe()
        make_user("webmail", "gerbang-webmail")
        kept = self.call("webmail", "settings.get")
        row = {**kept["row"], "serve": True, "title": "Surat RS"}
        self.call("webmail", "settings.change", {"version": kept["version"], "row": row})


class _Restored(Hospital):
    """A machine of its own, empty but for a backup that somebody has carried there."""

    def __init__(self, backup: Path) -> None:
        super().__init__()
        self._backup = backup

    def _describe(self) -> None:
        entry = pwd.getpwnam(USER)
        folder = self.standing.state / "backups"
        folder.mkdir(exist_ok=True)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        copy = shutil.copy(self._backup, folder)
        os.chown(copy, entry.pw_uid, entry.pw_gid)
        self.work("system", "restore", {"file": Path(copy).name, "services": SERVICES})


SERVICES = ("certificates", "dns", "mail", "webmail")


@pytest.fixture(scope="module")
def whole() -> Iterator[Hospital]:
    with _WithWebMail() as made:
        made.arrives("kepala", made.send("siti", f"kepala@{DOMAIN}"))
        yield made


_ASKS = """
import json, sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    print(json.dumps([list(database.execute(one)) for one in sys.argv[2:]][-1]))
"""


def _rows(hospital: Hospital, *wanted: str) -> Any:
    """Of Roundcube's database, among the helper's mounts; the rows of the last statement."""
    words = (sys.executable, "-I", "-c", _ASKS, DATABASE, *wanted)
    return json.loads(hospital.standing.mounted(shlex.join(words)))


def test_mail_and_web_mail_come_up_in_one_first_commit(whole: Hospital) -> None:
    assert {"mail.postfix", "mail.dovecot", "webmail.php", "webmail.nginx", "dns.nsd"} <= _ready(whole)
    assert whole.call("machine", "status")["current"] == 1
    assert _rows(whole, "SELECT count(*) FROM system")[0][0] > 0


def test_all_of_it_comes_back_on_an_empty_machine(whole: Hospital, tmp_path: Path) -> None:
    first, second = whole.send("siti", f"budi@{DOMAIN}"), whole.send("budi", f"siti@{DOMAIN}", subject="Rahasia")
    whole.arrives("budi", first)
    whole.arrives("siti", second)
    with whole.imap("budi") as session:
        session.create("Bangsal")
        session.select("INBOX")
        session.copy("1", "Bangsal")
        session.store("1", "+FLAGS", r"\Flagged")
    _rows(
        whole,
        "INSERT INTO users (username, mail_host, created) VALUES ('siti@rssulsel.com', '127.0.0.1', '2026-11-23')",
        "INSERT INTO contacts (changed, name, email, vcard, words, user_id)"
        " VALUES ('2026-11-23', 'Apotek', 'apotek@far.example', '', '', 1)",
        "INSERT INTO session (sess_id, changed, ip, vars) VALUES ('x', '2026-11-23', '', 'secret')",
    )
    known = [_numbers(whole, folder) for folder in ("INBOX", "Bangsal")]
    made = whole.work("system", "backup", {"services": SERVICES})
    file = whole.standing.state / "backups" / made["file"]
    with zipfile.ZipFile(file) as archive:
        assert {"data/mail/mail.mailboxes", "data/webmail/webmail.people"} <= set(archive.namelist())
        assert b"Apotek" in archive.read("data/webmail/webmail.people")
        assert b"secret" not in archive.read("data/webmail/webmail.people")
    whole.work("system", "check-backup", {"file": made["file"]})
    kept = tmp_path / file.name
    shutil.copy(file, kept)
    with _Restored(kept) as there:
        # Nobody's mail program fetches all of it once more.
        assert [_numbers(there, folder) for folder in ("INBOX", "Bangsal")] == known
        assert there.found("budi", first)
        assert there.found("budi", first, "Bangsal")
        assert there.found("siti", second)
        with there.imap("budi") as session:
            session.select("INBOX", readonly=True)
            assert session.search(None, "FLAGGED")[1][0].split()
        assert _rows(there, "SELECT email FROM contacts") == [["apotek@far.example"]]
        assert _rows(there, "SELECT count(*) FROM session WHERE sess_id = 'x'") == [[0]]
        there.arrives("budi", there.send("siti", f"budi@{DOMAIN}"))
        # Once more, on what serves by now: it is what it was, and what came meanwhile is not lost.
        later = there.send("siti", f"budi@{DOMAIN}")
        there.arrives("budi", later)
        there.work("system", "restore", {"file": file.name, "services": SERVICES})
        assert there.found("budi", first)
        assert there.found("budi", first, "Bangsal")
        until(lambda: {"webmail.php", "webmail.nginx"} <= _ready(there), "the web mail after the restoration")
        listed = there.call("mail", "snapshots")
        assert any(one["mailbox"] == "budi" and one["stamp"].endswith("-before") for one in listed)


def _numbers(hospital: Hospital, folder: str) -> tuple[Any, ...]:
    """The UIDVALIDITY and the UIDs of a folder of budi's, as IMAP tells them."""
    with hospital.imap("budi") as session:
        session.select(folder, readonly=True)
        return session.response("UIDVALIDITY")[1], session.uid("SEARCH", "ALL")[1]


def _ready(hospital: Hospital) -> set[str]:
    return {one["program"] for one in hospital.call("machine", "programs") if one["state"] == "ready"}


def test_a_backup_whose_mail_is_damaged_is_refused(whole: Hospital) -> None:
    made = whole.work("system", "backup", {"services": ["mail"]})
    folder = whole.standing.state / "backups"
    bent = folder / "bent.gerbang"
    with zipfile.ZipFile(folder / made["file"]) as good, zipfile.ZipFile(bent, "w") as bad:
        for entry in good.infolist():
            content = bytearray(good.read(entry))
            if entry.filename.startswith("data/"):
                content[len(content) // 2] ^= 1
            bad.writestr(entry.filename, bytes(content))
    user = pwd.getpwnam(USER)
    os.chown(bent, user.pw_uid, user.pw_gid)
    with pytest.raises(Refusal, match=r"data/mail/mail\.mailboxes"):
        whole.work("system", "check-backup", {"file": bent.name})
