"""The appliance's own authority for the LAN, certificates that it issues, and those that come from elsewhere."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="certificates",
    title="Certificates",
    package=__name__,
    roles=(Role("keeper", "Keeper of certificates"),),
    settings=frozenset({"keeper"}),
    folders=("certificates",),
)
