"""What the postmaster does with mail that runs: the queue, the trace, snapshots, health. All through the root helper.

What changes something, and what opens somebody's mail, leaves a line in the
audit log that says who did it to what.
"""

from __future__ import annotations

from appliance.services.mail.health_commands import mail_health, mail_log, mail_probe
from appliance.services.mail.mailboxes_commands import (
    export_mailbox,
    prune_snapshots,
    restore_mailbox,
    snapshots,
    take_snapshot,
    verify_snapshot,
)
from appliance.services.mail.queue_commands import (
    delete_queued,
    deliver_queued,
    flush_queue,
    hold_queued,
    queue,
    queued,
    read_queued,
    release_queued,
    requeue_queued,
)
from appliance.services.mail.tracing_commands import rotate_logs, trace

__all__ = [
    "delete_queued",
    "deliver_queued",
    "export_mailbox",
    "flush_queue",
    "hold_queued",
    "mail_health",
    "mail_log",
    "mail_probe",
    "prune_snapshots",
    "queue",
    "queued",
    "read_queued",
    "release_queued",
    "requeue_queued",
    "restore_mailbox",
    "rotate_logs",
    "snapshots",
    "take_snapshot",
    "trace",
    "verify_snapshot",
]
