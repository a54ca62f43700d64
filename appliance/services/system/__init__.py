"""The appliance's own service: people and their roles, sessions, the audit log."""

from __future__ import annotations

from appliance.contract.service import Role, Service
from appliance.language import _

__all__ = ["service"]

service = Service(
    name="system",
    title=_("System"),
    package="appliance.services.system",
    roles=(Role("administrator", _("Administrator")),),
    folders=("files",),
)
