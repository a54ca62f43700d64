"""What the daemon's own services reach beside the store: ``context.appliance``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from appliance.contract.components import Component, Machine
from appliance.contract.service import Service

__all__ = ["Ports", "components_of", "kinds_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Given to commands as ``context.appliance``; only services of the appliance itself use it."""

    commits: Any
    """``appliance.commit.Commits``; imported when the daemon has started."""
    machine: Machine
    components: Callable[[Connection], tuple[Component, ...]]
    """What all services want of the machine, by one snapshot of the store."""
    state: Path
    """The daemon's own folder."""
    store: Any
    registry: Any
    secret: bytes
    """The key of the audit chain."""


def components_of(services: Iterable[Service]) -> Callable[[Connection], tuple[Component, ...]]:
    """A function that asks each service's ``components.components(connection)``."""
    sources = [
        module.components for one in services if (module := one.module("components")) and hasattr(module, "components")
    ]

    def ask(connection: Connection) -> tuple[Component, ...]:
        return tuple(component for source in sources for component in source(connection))

    return ask


def kinds_of(services: Iterable[Service]) -> tuple[type, ...]:
    """The classes of which the components of these services are: each service's ``components.KINDS``."""
    modules = [module for one in services if (module := one.module("components"))]
    return tuple(dict.fromkeys(kind for module in modules for kind in getattr(module, "KINDS", ())))
