"""The screens of mail that runs: where a message is, the queue, health, snapshots."""

from __future__ import annotations

from appliance.console.screens import CustomScreen
from appliance.language import _

__all__ = ["OPERATING"]

_HERE = "appliance.services.mail"

OPERATING = (
    CustomScreen(name="trace", title=_("Where is my mail?"), make=f"{_HERE}.trace_pane:TracePane", needs=("trace",)),
    CustomScreen(name="queue", title=_("Queue"), make=f"{_HERE}.queue_pane:QueuePane", needs=("queue",)),
    CustomScreen(name="health", title=_("Health"), make=f"{_HERE}.health_pane:HealthPane", needs=("health",)),
    CustomScreen(
        name="snapshots", title=_("Snapshots"), make=f"{_HERE}.restore_pane:RestorePane", needs=("snapshots",)
    ),
)
