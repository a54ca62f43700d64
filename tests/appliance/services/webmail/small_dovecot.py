"""Dovecot of the small web mail, of the series that is installed: IMAP with TLS on 993, and ManageSieve."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from appliance.services.mail.versions import dovecot_series

__all__ = ["serving"]

PORTS = (993, 4190)
_PATIENCE = 60.0
_OF_SERIES = {
    "2.3": """\
protocols = imap sieve
ssl_cert = <{folder}/mail.pem
ssl_key = <{folder}/mail.key
disable_plaintext_auth = yes
auth_username_format = %n
mail_location = maildir:{folder}/mail/%n/Maildir
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=500M
  sieve = file:{folder}/mail/%n/sieve;active={folder}/mail/%n/active.sieve
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = home={folder}/mail/%n
}}
""",
    # It wants its version on the first line.
    "2.4": """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {{
  imap = yes
  sieve = yes
}}
ssl_server_cert_file = {folder}/mail.pem
ssl_server_key_file = {folder}/mail.key
auth_allow_cleartext = no
auth_username_format = %{{user | username}}
mail_driver = maildir
mail_home = {folder}/mail/%{{user | username}}
mail_path = ~/Maildir
mail_plugins {{
  quota = yes
}}
protocol imap {{
  mail_plugins {{
    imap_quota = yes
  }}
}}
quota "User quota" {{
  driver = maildir
  storage_size = 500M
}}
sieve_script personal {{
  driver = file
  path = ~/sieve
  active_path = ~/active.sieve
}}
passdb passwd-file {{
  passwd_file_path = {folder}/users
  default_password_scheme = PLAIN
}}
userdb static {{
  fields {{
    home = {folder}/mail/%{{user | username}}
  }}
}}
""",
}
_COMMON = """\
base_dir = {folder}/dovecot-run
log_path = {folder}/dovecot.log
auth_verbose = yes
auth_failure_delay = 0
listen = 127.0.0.1
ssl = required
login_trusted_networks = 127.0.0.0/8
first_valid_uid = 1
mail_uid = {user}
mail_gid = {group}
namespace inbox {{
  inbox = yes
  separator = /
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
}}
"""


def serving(folder: Path, user: str, group: str) -> subprocess.Popen[bytes]:
    """The mailboxes in ``folder / "mail"``, which are this user's; once it listens."""
    configuration, log = folder / "dovecot.conf", folder / "dovecot.log"
    configuration.write_text((_OF_SERIES[dovecot_series()] + _COMMON).format(folder=folder, user=user, group=group))
    dovecot = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(configuration)], start_new_session=True)
    end = time.monotonic() + _PATIENCE
    while not all(map(_listens, PORTS)):
        if dovecot.poll() is not None or time.monotonic() > end:
            dovecot.kill()
            dovecot.wait()
            raise SystemExit(f"Dovecot does not serve: {log.read_text() if log.exists() else ''}")
        time.sleep(0.02)
    return dovecot


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
