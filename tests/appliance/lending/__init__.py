"""A lending library, written as a stranger would write it: its templates in its own package, no tables.py."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="lending", title="Lending", package="tests.appliance.lending", roles=(Role("librarian", "Librarian"),)
)
