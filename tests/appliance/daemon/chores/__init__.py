"""A service for the tests of what runs by itself."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="chores",
    title="Chores",
    package=__name__,
    roles=(Role("gardener", "Gardener"), Role("cook", "Cook")),
)
