"""The appliance's own network: interfaces, addresses, routes, the filter and the balance over several uplinks.

People describe it (``model.py``); it is verified and proved (``components.py``);
the root helper makes the kernel so (``applying.py``), and back again when nobody
confirms; ``reading.py`` says how it stands.
"""

from __future__ import annotations

from appliance.contract.service import Role, Service

__all__ = ["service"]

service = Service(
    name="network",
    title="Network",
    package="appliance.services.network",
    roles=(Role("administrator", "Network administrator"), Role("observer", "Network observer")),
)
