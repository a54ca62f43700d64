"""A small service for the tests of the daemon: accounts, deposits, a document, long work."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="ledger",
    title="Ledger",
    package=__name__,
    roles=(Role("clerk", "Clerk"), Role("manager", "Manager")),
    public=True,
    folders=("evidence",),
)
