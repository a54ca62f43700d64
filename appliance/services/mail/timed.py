"""What the mail does by itself each night, once its daemons are committed: snapshots, and rotation of the logs."""

from __future__ import annotations

from datetime import time

from appliance.contract.context import Context
from appliance.contract.timed import Daily, Timed
from appliance.services.mail.mailboxes_model import PruneWish, SnapshotWish
from appliance.services.mail.model import Settings
from appliance.services.mail.operations_asking import asked
from appliance.services.mail.tracing_model import RotationWish

__all__ = ["TIMED"]

KEEPER = "mail.dovecot"
"""Who keeps the mailboxes; the other daemons are committed with it."""


def _committed(context: Context) -> bool:
    """Whether the generation that runs has the daemons of mail."""
    return any(one.current and KEEPER in one.components for one in context.appliance.commits.generations())


def _mailboxes(context: Context) -> bool:
    return _committed(context) and bool(asked(context, "mailboxes"))


def _kept(context: Context) -> PruneWish:
    return PruneWish(keep=context.settings(Settings).snapshots_kept)


TIMED = (
    Timed(command="snapshots.take", when=Daily(at=time(1, 30)), arguments=SnapshotWish(), wanted=_mailboxes),
    Timed(command="logs.rotate", when=Daily(at=time(2, 30)), arguments=RotationWish(), wanted=_committed),
    Timed(command="snapshots.prune", when=Daily(at=time(4)), arguments=_kept, wanted=_committed),
)
