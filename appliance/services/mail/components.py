"""What the mail is of the machine: Postfix, Dovecot, the limits, the filter, their tables, and the records of the DNS.

Postfix takes and sends mail, Dovecot keeps it and lets people in, ``mail.limits`` says how much each of them may send.
Accounts, passwords and the address book are components of their own: a new account makes the daemons read them anew,
and starts nothing in the shadow.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from appliance.components.agreements import DnsRecords
from appliance.components.config_files import ConfigFile
from appliance.components.daemon import Daemon
from appliance.contract.components import Component
from appliance.contract.programs import Program, Ready
from appliance.services.mail import filtering_components
from appliance.services.mail.accounts_tables import (
    ACCOUNTS,
    PASSWORDS,
    MailAccounts,
    MailAddressbook,
    MailPasswords,
)
from appliance.services.mail.description import MailDescription
from appliance.services.mail.dns_records import RECORDS, dns_records
from appliance.services.mail.mailboxes_archive import MAILBOXES
from appliance.services.mail.operations import OPERATIONS
from appliance.services.mail.probes import probe_boxes, probe_transport
from appliance.services.mail.rendering import (
    CERTIFICATE,
    DOVECOT,
    FILTERS_PORT,
    LIMITS,
    POSTFIX,
    dovecot_values,
    limits_values,
    postfix_values,
)
from appliance.services.mail.versions import dovecot_series, postfix_series

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["DATA", "DISPLACED", "KINDS", "OPERATIONS", "PACKAGES", "PROGRAMS", "USERS", "components", "parts"]

USERS = ("gerbang-mail",)
"""Owns the mailboxes."""
PACKAGES = (
    "postfix",
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-pop3d",
    "dovecot-lmtpd",
    "dovecot-sieve",
    "dovecot-managesieved",
    *filtering_components.PACKAGES,
)
DISPLACED = (
    "postfix.service",
    "dovecot.service",
    "dovecot.socket",
    "rspamd.service",
    "clamav-daemon.service",
    "clamav-daemon.socket",
    # Debian 13's second way to the signatures: at a boot it and clamav-freshclam.service lock each other out.
    "clamav-freshclam-once.service",
    "clamav-freshclam-once.timer",
)
"""With which Debian would start the same daemons at the next boot."""
DATA = (MAILBOXES,)
"""What waits in Postfix's queue is none: sent once more from a backup, it would come twice."""
KINDS = (MailAccounts, MailPasswords, MailAddressbook)

_OURS = (sys.executable, "-I", "-m")

_LIMITS = Program(
    name=LIMITS,
    # As root: the interpreter may lie where only root reads. It drops its rights as soon as all is imported and bound.
    command=(*_OURS, f"{__package__}.limits", "{files}", "{state}", "{run}/limits.sock"),
    reads=(ACCOUNTS,),
    readers=USERS[0],
    passable=True,
    ready=Ready(unix="{run}/limits.sock", settle=0.05),
    reload="HUP",
)
_DOVECOT = Program(
    name=DOVECOT,
    command=(*_OURS, f"{__package__}.starting", "dovecot", "{files}", "{state}", "{run}"),
    check=(*_OURS, f"{__package__}.checking", "dovecot", "{files}"),
    reload=(*_OURS, f"{__package__}.starting", "dovecot-reload", "{files}", "{state}", "{run}"),
    reads=(CERTIFICATE, PASSWORDS),
    readers="dovecot",
    passable=True,
    ready=Ready(tcp=("127.0.0.1", 993), settle=0.05),
    # Sessions are told that the server goes away.
    stop_within=15.0,
)
_POSTFIX = Program(
    name=POSTFIX,
    command=(*_OURS, f"{__package__}.starting", "postfix", "{files}", "{state}", "{run}"),
    check=(*_OURS, f"{__package__}.checking", "postfix", "{files}"),
    reload=(*_OURS, f"{__package__}.starting", "postfix-reload", "{files}", "{state}", "{run}"),
    reads=(CERTIFICATE, ACCOUNTS),
    readers="postfix",
    passable=True,
    # The last port that master opens: 25, 587 and 465 are served by then.
    ready=Ready(tcp=("127.0.0.1", FILTERS_PORT), settle=0.05),
    stop_within=15.0,
)

PROGRAMS = (*filtering_components.PROGRAMS, _LIMITS, _DOVECOT, _POSTFIX)


def components(connection: Connection) -> tuple[Component, ...]:
    """The mail as it is described now; nothing while its settings were never set."""
    from appliance.services.mail.described import describe

    described = describe(connection)
    return () if described is None else parts(described)


def parts(described: MailDescription) -> tuple[Component, ...]:
    """All components of the mail."""
    return (
        MailAccounts.of(described),
        MailPasswords.of(described),
        MailAddressbook.of(described),
        DnsRecords(name=RECORDS, records=dns_records(described)),
        *filtering_components.components(described),
        _limits(described),
        _dovecot(described),
        _postfix(described),
    )


def _limits(described: MailDescription) -> Daemon:
    return Daemon(
        program=_LIMITS,
        files=(ConfigFile(template="mail/limits/policy.json.j2", path="policy.json"),),
        values=limits_values(described),
        after=(ACCOUNTS,),
        follows=(ACCOUNTS,),
        trusts=(ACCOUNTS,),
    )


def _dovecot(described: MailDescription) -> Daemon:
    series = dovecot_series()
    folder = f"mail/dovecot/{series}"
    return Daemon(
        program=_DOVECOT,
        files=(
            # Dovecot's own delivery program reads it as the owner of the mailboxes; there is nothing secret in it.
            ConfigFile(template=f"{folder}/dovecot.conf.j2", path="dovecot.conf", mode=0o644),
            ConfigFile(template="mail/dovecot/spam.sieve.j2", path="spam.sieve", mode=0o644),
            ConfigFile(template="mail/dovecot/quota-warning.j2", path="quota-warning", mode=0o755),
            ConfigFile(template="mail/dovecot/sendmail.j2", path="sendmail", mode=0o755),
            ConfigFile(template="mail/dovecot/probe.json.j2", path="probe.json"),
        ),
        values={**dovecot_values(described), "series": series},
        after=(CERTIFICATE, PASSWORDS),
        follows=(CERTIFICATE, PASSWORDS),
        trusts=(PASSWORDS,),
        probes=(probe_boxes,),
    )


def _postfix(described: MailDescription) -> Daemon:
    folder = f"mail/postfix/{postfix_series()}"
    return Daemon(
        program=_POSTFIX,
        files=(
            # Its tools read it as anybody; there is nothing secret in it.
            ConfigFile(template=f"{folder}/main.cf.j2", path="main.cf", mode=0o644),
            ConfigFile(template=f"{folder}/master.cf.j2", path="master.cf", mode=0o644),
            ConfigFile(template="mail/postfix/bounce.cf.j2", path="bounce.cf", mode=0o644),
            ConfigFile(template="mail/postfix/probe.json.j2", path="probe.json"),
        ),
        values=postfix_values(described),
        # Not required as programs: while one of them is down Postfix goes on, defers and answers 451.
        after=(CERTIFICATE, ACCOUNTS, DOVECOT, LIMITS, filtering_components.RSPAMD),
        follows=(CERTIFICATE, ACCOUNTS),
        trusts=(ACCOUNTS,),
        probes=(probe_transport,),
    )
