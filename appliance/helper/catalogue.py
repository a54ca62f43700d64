"""What the names of requests mean: programs and packages, as the installed code of services declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.contract.operations import Operation
from appliance.contract.program_data import ProgramData
from appliance.contract.programs import Program
from appliance.supervisor.errors import SupervisionFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.contract.service import Service

__all__ = ["Catalogue", "installed_catalogue"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All programs, operations and data by name; by service, Debian packages, the users that own data, and units of
    Debian's that programs of the service take the place of."""

    programs: Mapping[str, Program] = field(default_factory=dict)
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    displaced: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data: Mapping[str, ProgramData] = field(default_factory=dict)


def installed_catalogue(services: Iterable[Service] | None = None) -> Catalogue:
    """What ``PROGRAMS``, ``OPERATIONS``, ``DATA``, ``PACKAGES``, ``USERS`` and ``DISPLACED`` of the services'
    ``components`` say.

    Raises SupervisionFailed when a service declares a program, an operation or
    data under another service's name, or two of one name.
    """
    from appliance.contract.service import all_services

    programs: dict[str, Program] = {}
    operations: dict[str, Operation] = {}
    packages: dict[str, tuple[str, ...]] = {}
    users: dict[str, tuple[str, ...]] = {}
    displaced: dict[str, tuple[str, ...]] = {}
    data: dict[str, ProgramData] = {}
    for service in all_services() if services is None else services:
        module = service.module("components")
        if module is None:
            continue
        declared = getattr(module, "PROGRAMS", ())
        for program in declared.values() if isinstance(declared, Mapping) else declared:
            _own(service, program.name, programs, "program")
            programs[program.name] = program
        for operation in getattr(module, "OPERATIONS", ()):
            _own(service, operation.name, operations, "operation")
            operations[operation.name] = operation
        for kept in getattr(module, "DATA", ()):
            _own(service, kept.name, data, "data")
            data[kept.name] = kept
        if named := tuple(getattr(module, "PACKAGES", ())):
            packages[service.name] = named
        users[service.name] = tuple(getattr(module, "USERS", ()))
        displaced[service.name] = tuple(getattr(module, "DISPLACED", ()))
    return Catalogue(programs, packages, operations, users, displaced, data)


def _own(service: Service, name: str, known: Mapping[str, object], kind: str) -> None:
    if not name.startswith(f"{service.name}.") or name in known:
        raise SupervisionFailed(name, f"the service {service.name} may not declare this {kind}")
