"""The plan of a generation, as a file: what the daemon writes and the root helper reads, strictly.

Whoever can write the file is not trusted by the reader: every value has its
kind, and no rule of the description is taken for granted.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any, Literal

from annotated_types import MaxLen
from pydantic import TypeAdapter, ValidationError

from appliance.contract.kinds import Line, YesNo
from appliance.contract.records import record
from appliance.contract.refusals import RuleBroken
from appliance.services.network.kinds import (
    Address,
    InterfaceAddress,
    InterfaceName,
    Metric,
    Mtu,
    Network,
    address,
    interface_address,
    network,
)
from appliance.services.network.model import NetworkDescription, RouteKind
from compiler.errors import InputError

__all__ = ["DEFAULT_METRIC_V6", "Plan", "PlannedInterface", "PlannedRoute", "plan_of", "read_plan", "write_plan"]

DEFAULT_METRIC_V6 = 1024
"""IP6_RT_PRIO_USER (include/uapi/linux/ipv6_route.h): what the kernel takes for no metric."""


@record
class PlannedInterface:
    """``addresses`` in the order in which they are given."""

    name: InterfaceName
    up: YesNo
    mtu: Mtu
    addresses: Annotated[tuple[InterfaceAddress, ...], MaxLen(256)]


@record
class PlannedRoute:
    """``gateway`` and ``interface`` are empty where there is none."""

    destination: Network
    gateway: Address
    interface: Annotated[str, MaxLen(15)]
    metric: Metric
    kind: RouteKind


@record
class Plan:
    """All that netlink is asked for."""

    version: Literal[1]
    description: Line
    forward: YesNo
    interfaces: Annotated[tuple[PlannedInterface, ...], MaxLen(1024)]
    routes: Annotated[tuple[PlannedRoute, ...], MaxLen(65_536)]

    def __post_init__(self) -> None:
        names = {one.name for one in self.interfaces}
        if len(names) < len(self.interfaces) or "lo" in names:
            raise RuleBroken("an interface stands twice, or is the loopback", field="interfaces")
        hosts = [text.partition("/")[0] for one in self.interfaces for text in one.addresses]
        if len(set(hosts)) < len(hosts):
            raise RuleBroken("an address stands twice", field="interfaces")
        if any(one.addresses for one in self.interfaces if not one.up):
            raise RuleBroken("an interface that is down has no addresses", field="interfaces")
        keys = [(one.destination, one.metric) for one in self.routes]
        if len(set(keys)) < len(keys):
            raise RuleBroken("two routes have one destination and metric", field="routes")
        for one in self.routes:
            if one.interface and one.interface not in names:
                raise RuleBroken("a route leaves by {interface}, which is not planned", interface=one.interface)
            leads = bool(one.gateway or one.interface)
            if leads != (one.kind == "unicast"):
                raise RuleBroken("the route to {destination} has no way, or one too many", destination=one.destination)
            if one.gateway and address(one.gateway).version != network(one.destination).version:
                raise RuleBroken("the route to {destination} mixes families", destination=one.destination)


def plan_of(whole: NetworkDescription) -> Plan:
    """The plan of a description whose rules hold."""
    interfaces = tuple(
        PlannedInterface(
            name=one.name,
            up=one.enabled,
            mtu=one.mtu,
            addresses=tuple(str(interface_address(text)) for text in one.addresses) if one.enabled else (),
        )
        for one in whole.interfaces
    )
    routes = []
    for one in whole.routes:
        target = network(one.destination)
        routes.append(
            PlannedRoute(
                destination=str(target),
                gateway=str(address(one.gateway)) if one.gateway else "",
                interface=one.interface or "",
                metric=one.metric or (DEFAULT_METRIC_V6 if target.version == 6 else 0),
                kind=one.kind,
            )
        )
    return Plan(
        version=1,
        description="Written by the appliance's network service; read by its root helper.",
        forward=whole.settings.forward,
        interfaces=interfaces,
        routes=tuple(routes),
    )


def write_plan(plan: Plan) -> bytes:
    """The file."""
    return (json.dumps(asdict(plan), indent=1) + "\n").encode()


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Plan)


def read_plan(data: bytes, source: str) -> Plan:
    """The plan of a file. InputError for anything that is not one."""
    try:
        found: Plan = _adapter().validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{source}: {f'{place}: ' if place else ''}{first['msg']}") from error
    return found
