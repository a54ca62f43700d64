"""The same daemons as an administrator sets them up by hand: Debian's own configurations, and the lines of the wikis.

Postfix with virtual mailboxes and LMTP to Dovecot, rspamd as its milter with
Debian's rules, ClamAV behind it with one signature. In namespaces of their own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.appliance.services.mail.hospital import DOMAIN, until
from tests.appliance.services.mail.star import SERVER, Star

__all__ = ["ByHand"]

MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
meta_directory = /etc/postfix
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
myhostname = mail.{domain}
mydestination =
inet_interfaces = {server}, 127.0.0.1
inet_protocols = ipv4
alias_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{home}/mailboxes
virtual_transport = lmtp:unix:{home}/dovecot/lmtp
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_milters = inet:127.0.0.1:11332
milter_default_action = tempfail
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
"""
MASTER = """\
smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """\
base_dir = {home}/dovecot
log_path = {home}/dovecot.log
protocols = lmtp
ssl = no
mail_location = maildir:{home}/mail/%n/Maildir
mail_uid = gerbang-mail
mail_gid = gerbang-mail
first_valid_uid = 1
auth_username_format = %n
userdb {{
  driver = static
  args = uid=gerbang-mail gid=gerbang-mail home={home}/mail/%n
}}
passdb {{
  driver = static
  args = nopassword=y
}}
service lmtp {{
  unix_listener lmtp {{
    user = postfix
    group = postfix
    mode = 0600
  }}
}}
"""
CLAMD = """\
LocalSocket {home}/clamd.sock
LocalSocketMode 666
DatabaseDirectory {home}/signatures
User clamav
Foreground yes
LogFile {home}/clamd.log
"""
UNBOUND = """\
server:
  interface: 127.0.0.1
  do-daemonize: no
  use-syslog: no
  chroot: ""
  pidfile: ""
  username: unbound
  local-zone: "." static
  local-data: "far.example. A 192.168.10.11"
  local-data: "far.example. MX 10 far.example."
"""
ANTIVIRUS = 'clamav {{ action = "reject"; type = "clamav"; servers = "{home}/clamd.sock"; }}\n'
PROXY = (
    "milter = yes; timeout = 120s; bind_socket = 127.0.0.1:11332;\n"
    'upstream "local" {{ default = yes; self_scan = yes; }}\n'
)
EICAR = "Eicar-Test:0:*:" + (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!").encode().hex()


class ByHand:
    """The star with the server set up by hand."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.star = Star()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> ByHand:
        self._stack.__enter__()
        self._stack.enter_context(self.star)
        self.home = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gerbang-by-hand-")))
        self.home.chmod(0o755)
        self._stack.callback(self._stop)
        self._write()
        for command in (
            ["unbound", "-d", "-c", f"{self.home}/unbound.conf"],
            ["clamd", f"--config-file={self.home}/clamd.conf"],
            ["rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", f"{self.home}/rspamd/rspamd.conf"],
            ["dovecot", "-F", "-c", f"{self.home}/dovecot.conf"],
            ["postfix", "-c", f"{self.home}/postfix", "start-fg"],
        ):
            self._start(command)
        until(lambda: (self.home / "dovecot/lmtp").exists() and (self.home / "clamd.sock").exists(), "the sockets")
        until(self._takes, "the filter")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def mailbox(self) -> Path:
        """Where the messages of ``budi`` arrive."""
        return self.home / "mail/budi/Maildir/new"

    def _takes(self) -> bool:
        import smtplib

        with self.star.nodes["nurse"].inside():
            session = smtplib.SMTP(SERVER, 25, timeout=30)
        with session:
            return session.sendmail("w@far.example", [f"budi@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n") == {}

    def _write(self) -> None:
        home = self.home
        said = {"home": home, "domain": DOMAIN, "server": SERVER}
        for name in ("queue", "data", "mail", "postfix", "signatures", "dovecot", "rspamd-state"):
            (home / name).mkdir()
        shutil.chown(home / "data", "postfix")
        shutil.chown(home / "mail", "gerbang-mail", "gerbang-mail")
        shutil.chown(home / "rspamd-state", "_rspamd", "_rspamd")
        home.chmod(0o777)
        (home / "mailboxes").write_text(f"budi@{DOMAIN} budi\n")
        (home / "postfix/main.cf").write_text(MAIN.format(**said))
        (home / "postfix/master.cf").write_text(MASTER)
        (home / "dovecot.conf").write_text(DOVECOT.format(**said))
        (home / "clamd.conf").write_text(CLAMD.format(**said))
        (home / "unbound.conf").write_text(UNBOUND)
        (home / "signatures/local.ndb").write_text(EICAR + "\n")
        shutil.copytree("/etc/rspamd", home / "rspamd", symlinks=False)
        for name, text in (("antivirus.conf", ANTIVIRUS), ("worker-proxy.inc", PROXY)):
            (home / "rspamd/local.d").mkdir(exist_ok=True)
            (home / "rspamd/local.d" / name).write_text(text.format(**said))
        for name in ("rbl", "fuzzy_check", "surbl", "spf", "dkim", "phishing", "asn"):
            # They ask the world, which is not there.
            if name not in {"spf", "dkim"}:
                (home / "rspamd/local.d" / f"{name}.conf").write_text("enabled = false;\n")
        (home / "rspamd/local.d/options.inc").write_text('dns { nameserver = ["127.0.0.1:53"]; }\n')
        configuration = home / "rspamd/rspamd.conf"
        configuration.write_text(configuration.read_text().replace("/etc/rspamd", str(home / "rspamd")))

    def _start(self, command: list[str]) -> None:
        script = " && ".join(
            (
                f"mount --bind {self.home}/rspamd /etc/rspamd",
                "mount -t tmpfs none /run",
                "mkdir -p /run/rspamd",
                "echo nameserver 127.0.0.1 >/run/resolv.conf",
                "mount --bind /run/resolv.conf /etc/resolv.conf",
                f"mount --bind {self.home}/rspamd-state /var/lib/rspamd",
                "chown _rspamd: /run/rspamd",
                'exec "$@"',
            )
        )
        with (self.home / f"{command[0]}.out").open("wb") as said, self.star.nodes["appliance"].inside():
            self._processes.append(
                subprocess.Popen(
                    ["unshare", "--mount", "sh", "-c", script, "sh", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                )
            )

    def _stop(self) -> None:
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        time.sleep(0.5)
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
