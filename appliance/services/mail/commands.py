"""The commands of the mail, gathered from where they are written."""

from __future__ import annotations

from appliance.services.mail.accounts import (
    add,
    change_quota,
    modify,
    remove,
    reset_password,
    resume,
    suspend,
)
from appliance.services.mail.aliases import add_alias, change_alias, remove_alias, who_gets
from appliance.services.mail.committing import commit_accounts, waiting
from appliance.services.mail.dkim import forget_key, rotate_key
from appliance.services.mail.groups import add_group, change_department, change_group, remove_department
from appliance.services.mail.importing import import_accounts
from appliance.services.mail.listings import LISTINGS
from appliance.services.mail.operating import (
    delete_queued,
    deliver_queued,
    export_mailbox,
    flush_queue,
    hold_queued,
    mail_health,
    mail_log,
    mail_probe,
    prune_snapshots,
    queue,
    queued,
    read_queued,
    release_queued,
    requeue_queued,
    restore_mailbox,
    rotate_logs,
    snapshots,
    take_snapshot,
    trace,
    verify_snapshot,
)
from appliance.services.mail.setting_up import change_the_settings
from appliance.services.mail.timed import TIMED

__all__ = [
    "LISTINGS",
    "TIMED",
    "add",
    "add_alias",
    "add_group",
    "change_alias",
    "change_department",
    "change_group",
    "change_quota",
    "change_the_settings",
    "commit_accounts",
    "delete_queued",
    "deliver_queued",
    "export_mailbox",
    "flush_queue",
    "forget_key",
    "hold_queued",
    "import_accounts",
    "mail_health",
    "mail_log",
    "mail_probe",
    "modify",
    "prune_snapshots",
    "queue",
    "queued",
    "read_queued",
    "release_queued",
    "remove",
    "remove_alias",
    "remove_department",
    "requeue_queued",
    "reset_password",
    "restore_mailbox",
    "resume",
    "rotate_key",
    "rotate_logs",
    "snapshots",
    "suspend",
    "take_snapshot",
    "trace",
    "verify_snapshot",
    "waiting",
    "who_gets",
]
