"""What the mail service does to the machine beside its daemons: the queue, the trace, mailboxes, logs, probes.

The native tools are named with their configuration; what needs paging or
several steps is a small program of ours (``python -I -m``), which reads what is
free text (a search, many queue ids) from its standard input as JSON and prints
JSON. All are root's: they read logs, queue and mailboxes of several users.
"""

from __future__ import annotations

import sys

from appliance.contract.operations import Operation

__all__ = ["OPERATIONS"]

QUEUE_ID = r"[0-9A-Za-z]{5,20}"
"""Short ones are hexadecimal, long ones of base 52 (postconf(5), enable_long_queue_ids)."""
STAMP = r"[0-9]{8}T[0-9]{6}Z(?:-before)?"
"""When a snapshot was made, in UTC; ``-before``: made because a restore was about to replace the mailbox."""
MAILBOX = r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?"
SECONDS = r"[0-9]{1,12}"
COUNT = r"[0-9]{1,9}"
DOMAIN = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
"""IPv4."""
REASON = r"(?!.*/\.\./)[a-z0-9][^\x00-\x1f\x7f-\x9f]{8,299}"
"""``siti: the sender asked for it``."""
LONG = 1_800.0
"""Seconds: what reads or writes all mail of somebody."""


def _ours(module: str, *words: str) -> tuple[str, ...]:
    """One of our programs, on the folders of the operation's program."""
    return (sys.executable, "-I", "-m", f"{__package__}.{module}", *words)


def _queue(action: str) -> Operation:
    """What postsuper(1) does to the messages whose ids are given."""
    return Operation(
        name=f"mail.queue-{action}",
        program="mail.postfix",
        command=_ours("queue_operation", action, "{files}"),
        takes_input=True,
        within=300.0,
    )


OPERATIONS: tuple[Operation, ...] = (
    # The queue
    Operation(
        name="mail.queue-list",
        program="mail.postfix",
        command=_ours("queue_operation", "list", "{files}", "{queue}", "{offset}", "{count}"),
        arguments={"queue": "all|active|incoming|deferred|hold|maildrop", "offset": COUNT, "count": "[0-9]{1,4}"},
        takes_input=True,
        within=120.0,
    ),
    *(_queue(action) for action in ("hold", "release", "requeue", "delete")),
    Operation(name="mail.queue-flush", program="mail.postfix", command=("/usr/sbin/postqueue", "-c", "{files}", "-f")),
    Operation(
        name="mail.queue-deliver",
        program="mail.postfix",
        command=("/usr/sbin/postqueue", "-c", "{files}", "-i", "{id}"),
        arguments={"id": QUEUE_ID},
    ),
    Operation(
        name="mail.queue-view",
        program="mail.postfix",
        command=_ours("queue_operation", "view", "{files}", "{id}"),
        arguments={"id": QUEUE_ID},
    ),
    Operation(
        name="mail.queue-content",
        program="mail.postfix",
        command=_ours("queue_operation", "content", "{files}", "{id}", "{reason}"),
        # Who opens it and why: the root helper logs that by itself, and so does Postfix.
        arguments={"id": QUEUE_ID, "reason": REASON},
    ),
    # The logs
    Operation(
        name="mail.trace",
        program="mail.postfix",
        command=_ours("tracing_operation", "{state}", "{by}", "{since}", "{until}", "{most}"),
        arguments={
            "by": "sender|recipient|subject|message-id|queue-id|everything",
            "since": SECONDS,
            "until": SECONDS,
            "most": "[0-9]{1,3}",
        },
        takes_input=True,
        within=300.0,
    ),
    Operation(
        name="mail.log",
        program="mail.postfix",
        command=_ours("health_operation", "log", "{state}", "{files}", "{daemon}", "{lines}"),
        arguments={"daemon": "postfix|dovecot|rspamd|limits|clamd", "lines": "[0-9]{1,4}"},
        takes_input=True,
    ),
    Operation(
        name="mail.rotate-logs",
        program="mail.postfix",
        command=_ours("tracing_rotation", "{state}", "{days}", "{postfix}", "{dovecot}", "{rspamd}"),
        # Processes, as the supervisor knows them; 0: it does not run.
        arguments={"days": "[1-9][0-9]{0,3}", "postfix": COUNT, "dovecot": COUNT, "rspamd": COUNT},
        within=600.0,
    ),
    # The mailboxes
    Operation(
        name="mail.mailboxes",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "list", "{state}"),
    ),
    Operation(
        name="mail.snapshot",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "snapshot", "{state}", "{stamp}"),
        arguments={"stamp": STAMP},
        takes_input=True,
        within=LONG,
    ),
    Operation(
        name="mail.snapshots",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "snapshots", "{state}"),
        within=120.0,
    ),
    Operation(
        name="mail.snapshot-verify",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "verify", "{state}", "{stamp}", "{mailbox}"),
        arguments={"stamp": STAMP, "mailbox": MAILBOX},
        within=LONG,
    ),
    Operation(
        name="mail.restore-folder",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "restore-folder", "{state}", "{files}", "{stamp}", "{mailbox}"),
        arguments={"stamp": STAMP, "mailbox": MAILBOX},
        within=LONG,
    ),
    Operation(
        name="mail.restore-place",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "restore-place", "{state}", "{files}", "{stamp}", "{mailbox}", "{before}"),
        arguments={"stamp": STAMP, "mailbox": MAILBOX, "before": STAMP},
        within=LONG,
    ),
    Operation(
        name="mail.snapshots-prune",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "prune", "{state}", "{keep}"),
        arguments={"keep": "[1-9][0-9]{0,2}"},
        within=LONG,
    ),
    Operation(
        name="mail.export",
        program="mail.dovecot",
        command=_ours("mailboxes_operation", "export", "{state}", "{stamp}", "{mailbox}"),
        arguments={"stamp": STAMP, "mailbox": MAILBOX},
        within=LONG,
    ),
    # Health
    Operation(
        name="mail.health",
        program="mail.postfix",
        command=_ours("health_operation", "state", "{state}", "{files}", "{run}"),
        within=120.0,
    ),
    Operation(
        name="mail.probe",
        program="mail.postfix",
        command=_ours("health_operation", "probe", "{state}", "{files}", "{host}", "{domain}", "{postmaster}"),
        arguments={"host": DOMAIN, "domain": DOMAIN, "postmaster": MAILBOX},
        within=180.0,
    ),
)
