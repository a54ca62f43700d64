"""What judges the mail: clamd for viruses, rspamd for everything else and as the milter that Postfix asks.

Both work on a machine without a way out: the signatures are those that
freshclam(1) of Debian has put into /var/lib/clamav, if any, and our own of the
EICAR test file; nothing is asked of lists on the internet unless the policy
says so.
"""

from __future__ import annotations

import sys

from appliance.components.config_files import ConfigFile, ConfigFiles
from appliance.components.daemon import Daemon
from appliance.contract.components import Component
from appliance.contract.programs import RUN, STATE, Program, Ready
from appliance.services.mail.description import MailDescription
from appliance.services.mail.filtering_rendering import (
    DEFAULT_POLICY,
    FilterPolicy,
    clamd_values,
    rspamd_values,
    senders_values,
)

__all__ = [
    "CLAMD",
    "COMPILED",
    "MILTER",
    "PACKAGES",
    "PROGRAMS",
    "RSPAMD",
    "RSPAMD_LOG",
    "SENDERS",
    "SIGNATURES",
    "components",
]

CLAMD, RSPAMD, SENDERS = "mail.clamd", "mail.rspamd", "mail.senders"

MILTER = ("127.0.0.1", 11332)
"""Where Postfix asks: ``smtpd_milters = inet:127.0.0.1:11332``, with ``milter_default_action = tempfail``."""

RSPAMD_LOG = STATE / RSPAMD / "log" / "rspamd.log"

SIGNATURES = "/var/lib/clamav"
"""The folder of Debian's freshclam, which looks after it by its own timer. clamd reads one folder only."""

COMPILED = "/var/lib/rspamd"
"""Debian's folder of rspamd, its user's. The first shadow start, which no unit walls in, leaves there what takes 15 s
to compile; the daemon and later shadows find it. Without the folder they start all the same, as slowly as that."""

PACKAGES = ("clamav-daemon", "clamav-freshclam", "rspamd")

_LAUNCHER = (sys.executable, "-m", "appliance.services.mail.signatures")

_FILTER = "_rspamd"
"""The user of the filter, and its group: who alone may speak with clamd, which does also what SHUTDOWN says."""

_VARIABLES = ("--var=GERBANG={files}", "--var=LOCAL_CONFDIR={files}", "--var=DBDIR={state}")
"""So that what the distribution's files include of an administrator is sought beside ours, where there is none."""

PROGRAMS = (
    Program(
        name=CLAMD,
        # As root: the launcher puts our own signature beside freshclam's and becomes clamd, without root's
        # rights.
        command=(*_LAUNCHER, "{files}/local.ndb", SIGNATURES, "clamav", _FILTER, "{run}", "{files}/clamd.conf"),
        readers="clamav",
        # A shadow start sees an empty folder there: it tries the configuration without a second copy of all the
        # signatures (1.3 GiB and 20 s of the official ones) in the memory of the machine that serves.
        writable=(SIGNATURES,),
        ready=Ready(unix="{run}/clamd.sock", within=180.0),
        reload="restart",
        stop_within=20.0,
        passable=True,
    ),
    Program(
        name=RSPAMD,
        command=(
            *("/bin/sh", "{files}/start.sh", "{files}", "{run}"),
            *("/usr/bin/rspamd", "-f", "-T", *_VARIABLES),
            *("--lua-env={files}/environment.lua", "-c", "{files}/rspamd.conf"),
        ),
        user=_FILTER,
        requires=(CLAMD,),
        reads=(SENDERS,),
        ready=Ready(tcp=MILTER, within=60.0),
        # A new table of senders needs none: each message looks whether it is new. Otherwise it is graceful, the workers
        # finish what they have, and it returns when new ones serve.
        reload=("/bin/sh", "{files}/reload.sh", "{files}", "{run}"),
        check=("/usr/bin/rspamadm", *_VARIABLES, "configtest", "-T", "-c", "{files}/rspamd.conf"),
        # It ends in 0.5 s; but a SIGTERM that comes while its workers begin is lost on them, and its main process kills
        # those by itself some seconds later. Killed by us before that, it would count as failed.
        stop_within=20.0,
    ),
)

_RSPAMD_FILES = (
    ("rspamd.conf", 0o640),
    ("start.sh", 0o640),
    ("reload.sh", 0o640),
    ("environment.lua", 0o640),
    ("freemail.map", 0o640),
    ("main.lua", 0o640),
    ("scanning.lua", 0o640),
    ("senders.lua", 0o640),
    ("tracing.lua", 0o640),
    ("subjects.lua", 0o600),
    ("dkim.pem", 0o600),
)
"""The key of the signatures and that of the hashes are for rspamd's user alone."""


def components(described: MailDescription, policy: FilterPolicy = DEFAULT_POLICY) -> tuple[Component, ...]:
    """clamd, rspamd, and the table of who may write as whom, which changes with each account."""
    clamd, rspamd = PROGRAMS
    return (
        Daemon(
            program=clamd,
            files=(
                ConfigFile(template="mail/clamd/clamd.conf.j2", path="clamd.conf"),
                ConfigFile(template="mail/clamd/local.ndb.j2", path="local.ndb", mode=0o644),
            ),
            values=clamd_values(
                described, policy, socket=str(RUN / CLAMD / "clamd.sock"), signatures=SIGNATURES, asking=_FILTER
            ),
        ),
        ConfigFiles(
            name=SENDERS,
            files=(ConfigFile(template="mail/rspamd/senders.json.j2", path="senders.json"),),
            values=senders_values(described),
        ),
        Daemon(
            program=rspamd,
            files=tuple(
                ConfigFile(template=f"mail/rspamd/{template}.j2", path=template, mode=mode, secret=mode == 0o600)
                for template, mode in _RSPAMD_FILES
            ),
            values=rspamd_values(
                described,
                policy,
                run=str(RUN / RSPAMD),
                state=str(STATE / RSPAMD),
                compiled=COMPILED,
                clamd=str(RUN / CLAMD / "clamd.sock"),
                milter=MILTER,
            ),
            after=(SENDERS,),
            follows=(SENDERS,),
            trusts=(SENDERS,),
        ),
    )
