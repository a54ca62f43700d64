"""A real Postfix and a real Dovecot in namespaces, in the folders of an appliance, small and without TLS."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from appliance.helper.operating import perform
from appliance.services.mail.operations import OPERATIONS
from appliance.services.mail.versions import dovecot_series
from appliance.supervisor.places import Places

PATIENCE = 60.0
TOOLS = ("postfix", "dovecot", "doveadm", "unshare", "nsenter", "setpriv")
SEARCH = "/usr/sbin:/sbin:/usr/bin:/bin"
USERS = ("siti", "budi")
DOMAIN = "rssulsel.com"

MAIN = """\
compatibility_level = 3.6
queue_directory = {postfix}/queue
data_directory = {postfix}/data
meta_directory = /etc/postfix
maillog_file = {postfix}/log/maillog
maillog_file_prefixes = {postfix}
myhostname = mail.rssulsel.com
mydomain = rssulsel.com
mydestination =
alias_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_host_lookup = native
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = rssulsel.com
virtual_mailbox_maps = texthash:{files}/mail.postfix/boxes
virtual_alias_maps = texthash:{files}/mail.postfix/aliases
virtual_transport = lmtp:unix:{run}/mail.dovecot/lmtp
transport_maps = inline:{{ stuck.example=smtp:[127.0.0.1]:9, gone.example=smtp:[127.0.0.1]:25 }}
"""
_DOVECOT_2_3 = """\
log_timestamp = "%Y-%m-%dT%H:%M:%S%{{z}} "
ssl = no
disable_plaintext_auth = no
mail_home = {dovecot}/mail/%Ln
mail_location = maildir:~/Maildir
auth_username_format = %Ln
mail_plugins = quota notify mail_log
deliver_log_format = msgid=%m, from=%f, size=%p: %$
passdb {{
  driver = static
  args = password=x
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dovecot}/mail/%Ln allow_all_users=yes
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  mail_log_events = delete undelete expunge copy mailbox_delete mailbox_rename
  mail_log_fields = uid box msgid size
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
"""
_DOVECOT_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
log_timestamp = "%Y-%m-%dT%H:%M:%S%z "
ssl = no
auth_allow_cleartext = yes
mail_home = {dovecot}/mail/%{{user | username | lower}}
mail_driver = maildir
mail_path = ~/Maildir
auth_username_format = %{{user | username | lower}}
mail_plugins {{
  quota = yes
  notify = yes
  mail_log = yes
}}
deliver_log_format = msgid=%{{msgid}}, from=%{{from}}, size=%{{size}}: %{{message}}
passdb static {{
  password = x
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {dovecot}/mail/%{{user | username | lower}}
  }}
  static_allow_all_users = yes
}}
protocol lmtp {{
  mail_plugins {{
    sieve = yes
  }}
}}
quota "User quota" {{
  driver = count
}}
mail_log_events = delete undelete expunge copy mailbox_delete mailbox_rename
mail_log_fields = uid box msgid size
sieve_script personal {{
  driver = file
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}}
"""
_DOVECOT = """\
instance_name = {instance}
base_dir = {run}/mail.dovecot
state_dir = {dovecot}/state
log_path = {dovecot}/log/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
lda_mailbox_autocreate = yes
postmaster_address = postmaster@rssulsel.com
namespace inbox {{
  inbox = yes
  separator = /
}}
service lmtp {{
  unix_listener lmtp {{
    user = postfix
    mode = 0600
  }}
}}
"""
DOVECOT = {"2.3": _DOVECOT_2_3 + _DOVECOT, "2.4": _DOVECOT_2_4 + _DOVECOT}


def why_not() -> str:
    """Why the daemons cannot be started here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool, path=SEARCH) is None]:
        return f"{missing[0]} is not installed"
    tried = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "namespaces cannot be made here"


def wait_until(holds: Callable[[], Any]) -> Any:
    """What it answers when it is true; errors until then are no answer."""
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError, ValueError, subprocess.CalledProcessError):
            if found := holds():
                return found
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.05)


class House:
    """The two daemons, and the operations as the helper does them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places = Places(folder / "run", folder / "state")
        self.postfix = folder / "state" / "mail.postfix"
        self.dovecot = folder / "state" / "mail.dovecot"
        self.files = folder / "state" / ".files"
        self.mail = self.dovecot / "mail"
        self._holder: subprocess.Popen[bytes] | None = None
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Both serve."""
        self._make()
        held = ["unshare", "--net", "--mount", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"]
        self._holder = subprocess.Popen(held, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"up\n"
        self.start_dovecot()
        self._daemons.append(self._begun("postfix", "-c", str(self.files / "mail.postfix"), "start-fg"))
        wait_until(lambda: self.inside("import smtplib; smtplib.SMTP('127.0.0.1', 25).quit(); print('ok')"))

    def start_dovecot(self) -> None:
        """Until it serves."""
        self._daemons.append(self._begun("dovecot", "-F", "-c", str(self.files / "mail.dovecot" / "dovecot.conf")))
        wait_until(lambda: self.inside("import imaplib; imaplib.IMAP4('127.0.0.1').logout(); print('ok')"))

    def stop(self) -> None:
        """Both, and what holds their namespaces."""
        for one in reversed(self._daemons):
            one.terminate()
            with suppress(subprocess.TimeoutExpired):
                one.wait(20)
            one.kill()
            one.wait()
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()
            assert self._holder.stdout is not None
            self._holder.stdout.close()

    def _make(self) -> None:
        nobody, postfix = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
        for path in (
            self.places.run / "mail.dovecot", self.postfix / "queue", self.postfix / "data", self.postfix / "log",
            self.dovecot / "log", self.dovecot / "state", self.mail,
            self.files / "mail.postfix", self.files / "mail.dovecot",
        ):  # fmt: skip
            path.mkdir(parents=True)
        os.chown(self.postfix / "data", postfix.pw_uid, -1)
        os.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        self.mail.chmod(0o700)
        given = {
            "postfix": self.postfix, "dovecot": self.dovecot, "run": self.places.run, "files": self.files,
            "uid": nobody.pw_uid, "gid": nobody.pw_gid, "instance": self.folder.name,
        }  # fmt: skip
        configuration = self.files / "mail.postfix"
        (configuration / "main.cf").write_text(MAIN.format(**given))
        (configuration / "boxes").write_text("".join(f"{one}@{DOMAIN} x\n" for one in USERS))
        (configuration / "aliases").write_text(f"nurses@{DOMAIN} siti@{DOMAIN}, budi@{DOMAIN}\n")
        (configuration / "master.cf").write_text(_master())
        (self.files / "mail.dovecot" / "dovecot.conf").write_text(DOVECOT[dovecot_series()].format(**given))

    def _begun(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen([*self._enter(), *words], stdout=said, stderr=said, stdin=subprocess.DEVNULL)

    def _enter(self) -> tuple[str, ...]:
        assert self._holder is not None
        return ("nsenter", "-t", str(self._holder.pid), "-n", "-m", "--")

    def inside(self, program: str, *words: str) -> str:
        """What a Python program prints there."""
        command = [*self._enter(), sys.executable, "-I", "-c", program, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout.strip()

    def send(self, sender: str, *recipients: str, number: str, text: str = "hello", code: int = 250) -> None:
        """By SMTP; ``code`` is what the last answer should be."""
        said = self.inside(
            "import smtplib, sys\n"
            "sender, number, text, *recipients = sys.argv[1:]\n"
            "client = smtplib.SMTP('127.0.0.1', 25)\n"
            "client.ehlo(); client.mail(sender)\n"
            "codes = [client.rcpt(one)[0] for one in recipients]\n"
            "head = f'From: {sender}\\r\\nSubject: secret matter\\r\\nMessage-ID: {number}'\n"
            "message = f'{head}\\r\\n\\r\\n{text}\\r\\n'\n"
            "print(client.data(message)[0] if 250 in codes else codes[-1])\n",
            sender, number, text, *recipients,
        )  # fmt: skip
        assert int(said) == code

    def perform(self, name: str, given: Any = None, **arguments: str | int) -> Any:
        """An operation, through its patterns."""
        (operation,) = [one for one in OPERATIONS if one.name == f"mail.{name}"]
        words = {key: str(value) for key, value in arguments.items()}
        said = perform(operation, words, "" if given is None else json.dumps(given), self.places, privileged=True)
        return json.loads(said.splitlines()[-1]) if said.strip() else None

    def messages(self, user: str) -> int:
        """That lie in the inbox."""
        maildir = self.mail / user / "Maildir"
        return sum(len(list((maildir / place).glob("*"))) for place in ("cur", "new"))

    def process(self, name: str) -> int:
        """Of the master of Postfix, or of Dovecot."""
        if name == "dovecot":
            return int((self.places.run / "mail.dovecot" / "master.pid").read_text())
        return int((self.postfix / "queue" / "pid" / "master.pid").read_text())


def _master() -> str:
    lines = []
    for line in Path("/etc/postfix/master.cf").read_text().splitlines():
        words = line.split()
        if line[:1].isalpha() and len(words) >= 8:
            words[4] = "n"
        lines.append(" ".join(words) if line[:1].isalpha() else line)
    kept = [line for line in lines if line[:1].isalpha() and len(line.split()) >= 8]
    if not any(line.startswith("postlog") for line in kept):
        kept.append("postlog unix-dgram n - n - 1 postlogd")
    return "\n".join(kept) + "\n"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """One for all tests of a module."""
    if reason := why_not():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="gh-", dir="/tmp") as name:  # sockets have short paths
        folder = Path(name)
        folder.chmod(0o755)
        made = House(folder)
        try:
            made.start()
            yield made
        except AssertionError as error:
            said = folder / "said"
            error.add_note(said.read_text() if said.exists() else "")
            raise
        finally:
            made.stop()
