"""The machine itself: what the services need of it is planned, committed, confirmed and taken back here."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="machine",
    title="Machine",
    package=__name__,
    roles=(Role("administrator", "Machine administrator"), Role("observer", "Machine observer")),
)
