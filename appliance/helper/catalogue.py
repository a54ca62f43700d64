"""What the names of requests mean: programs and packages, as the installed code of services declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.contract.programs import Program
from appliance.supervisor.errors import SupervisionFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.contract.service import Service

__all__ = ["Catalogue", "installed_catalogue"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All programs by name, and Debian packages by service."""

    programs: Mapping[str, Program] = field(default_factory=dict)
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def installed_catalogue(services: Iterable[Service] | None = None) -> Catalogue:
    """What ``components.PROGRAMS`` and ``components.PACKAGES`` of the installed services say.

    Raises SupervisionFailed when a service declares a program under another
    service's name, or two of one name.
    """
    from appliance.contract.service import all_services

    programs: dict[str, Program] = {}
    packages: dict[str, tuple[str, ...]] = {}
    for service in all_services() if services is None else services:
        module = service.module("components")
        if module is None:
            continue
        declared = getattr(module, "PROGRAMS", ())
        for program in declared.values() if isinstance(declared, Mapping) else declared:
            if not program.name.startswith(f"{service.name}.") or program.name in programs:
                raise SupervisionFailed(program.name, f"the service {service.name} may not declare this program")
            programs[program.name] = program
        if named := tuple(getattr(module, "PACKAGES", ())):
            packages[service.name] = named
    return Catalogue(programs, packages)
