"""The description of the network, gathered from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.services.network.model import (
    Interface,
    ManagementNetwork,
    NetworkDescription,
    Policy,
    Route,
    Settings,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["described"]


def described(connection: Connection) -> NetworkDescription | None:
    """All that is kept, in the order of its keys; None when there is nothing."""
    from sqlalchemy import select

    from appliance.services.network.tables import MASTER
    from appliance.store.rows import made
    from appliance.store.settings import settings_of

    def all_of(name: str, record: type[Any]) -> tuple[Any, ...]:
        table = MASTER[name]
        rows = connection.execute(select(table).order_by(table.c.name)).mappings()
        return tuple(made(record, row) for row in rows)

    whole = NetworkDescription(
        interfaces=all_of("interfaces", Interface),
        routes=all_of("routes", Route),
        policies=all_of("policies", Policy),
        management=all_of("management", ManagementNetwork),
        settings=settings_of(connection, "network", Settings),
    )
    if whole == NetworkDescription(settings=whole.settings) and not whole.settings.balance:
        return None
    return whole
