"""Names: the zones that the appliance serves, and the resolver of its networks."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="dns",
    title="Names (DNS)",
    package=__name__,
    roles=(Role("hostmaster", "Hostmaster"),),
    settings=frozenset({"hostmaster"}),
)
