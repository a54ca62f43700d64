"""What the service makes of the machine: one component a certificate, for the daemons that serve it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from appliance.contract.components import Component
from appliance.services.certificates.elsewhere import component_of
from appliance.services.certificates.tables import CERTIFICATES

__all__ = ["components"]


def components(connection: Connection) -> tuple[Component, ...]:
    """``certificates.<name>`` of each; a commit judges it again, and warns 21 days before its end."""
    rows = connection.execute(select(CERTIFICATES).order_by(CERTIFICATES.c.name))
    return tuple(component_of(row) for row in rows)
