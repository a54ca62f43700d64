"""The hospital's mail: accounts by the postmaster only, groups, aliases, quotas, and the daemons that carry it."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="mail",
    title="Mail",
    package=__name__,
    roles=(Role("postmaster", "Postmaster"),),
    requires=("certificates", "dns"),
    settings=frozenset({"postmaster"}),
)
