"""How the network stands, for screens: interfaces, routes of ours, uplinks, what each line of a policy has counted.

Run by the root helper (nft shows its rules to root alone); it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from appliance.contract.kinds import Count, Line, Whole, YesNo
from appliance.contract.records import record
from appliance.services.network.kinds import PolicyName
from appliance.services.network.records import FOLDERS, Folders, Records
from appliance.services.network.state import PROTOCOL, TABLES
from compiler.deploy.deployment import DeployError

__all__ = ["InterfaceStatus", "LineCount", "NetworkStatus", "RouteStatus", "UplinkStatus", "status"]

_UP, _LOWER_UP = 0x1, 0x10000  # IFF_UP, IFF_LOWER_UP (linux/if.h)
_IMPLICIT = "implicit deny"


@record
class InterfaceStatus:
    """One interface of the machine. Counts are since it was made."""

    name: Line
    up: YesNo
    carrier: YesNo
    mtu: Count
    hardware_address: Line
    addresses: tuple[Line, ...]
    foreign_addresses: tuple[Line, ...]
    """Those that the appliance did not give: by DHCP, by hand."""
    received_octets: Whole
    sent_octets: Whole
    received_packets: Whole
    sent_packets: Whole
    errors: Whole
    dropped: Whole


@record
class RouteStatus:
    """A route of the main table."""

    destination: Line
    way: Line
    metric: Whole
    ours: YesNo


@record
class UplinkStatus:
    """A line of the balance, as its watch sees it. ``known``: a watch runs; without one nothing is said."""

    name: Line
    known: YesNo
    alive: YesNo
    carrier: YesNo
    used: YesNo


@record
class LineCount:
    """What one line of a policy has decided since the filter was loaded. ``line`` is 0 for the implicit deny."""

    policy: PolicyName
    line: Count
    family: Count
    """4 or 6."""
    permits: YesNo
    packets: Whole
    octets: Whole


@record
class NetworkStatus:
    """All of it. ``remaining`` is in seconds, of the change that waits for its confirmation; empty: none waits."""

    interfaces: tuple[InterfaceStatus, ...]
    routes: tuple[RouteStatus, ...]
    uplinks: tuple[UplinkStatus, ...]
    lines: tuple[LineCount, ...]
    waiting: Line = ""
    remaining: Count = 0
    trouble: Line = ""
    """Why a part is missing."""


def status(folders: Folders = FOLDERS) -> NetworkStatus:
    """As it is now. DeployError where the kernel gives no sockets."""
    from appliance.services.network.kernel import NetworkKernel

    trouble, waiting = "", None
    try:
        waiting = Records(folders).waiting()
    except DeployError as error:
        trouble = str(error)[:200]
    with NetworkKernel() as kernel:
        held = kernel.held()
        listing = kernel.balance.nft.listing()
    own: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for one in held.addresses:
        (own if one.protocol == PROTOCOL else others).setdefault(one.interface, []).append(one.text)
    return NetworkStatus(
        interfaces=tuple(_interfaces(own, others)),
        routes=tuple(
            RouteStatus(
                destination=one.destination,
                way=" ".join(str(one).split()[1:]) if one.kind == "unicast" else one.kind,
                metric=one.metric,
                ours=one.protocol == PROTOCOL,
            )
            for one in held.routes
        ),
        uplinks=tuple(_uplinks(folders.run)),
        lines=tuple(_lines(listing)),
        waiting="" if waiting is None else waiting.identity,
        remaining=0 if waiting is None else waiting.remaining,
        trouble=trouble,
    )


def _interfaces(own: Mapping[str, list[str]], others: Mapping[str, list[str]]) -> Iterator[InterfaceStatus]:
    from pyroute2 import IPRoute  # type: ignore[import-untyped]

    with IPRoute() as routing:
        links = list(routing.get_links())
    for link in links:
        name, counts = link.get("ifname"), link.get("IFLA_STATS64") or {}
        yield InterfaceStatus(
            name=name,
            up=bool(link["flags"] & _UP),
            carrier=bool(link["flags"] & _LOWER_UP),
            mtu=link.get("mtu") or 0,
            hardware_address=link.get("address") or "",
            addresses=tuple(own.get(name, ())),
            foreign_addresses=tuple(others.get(name, ())),
            received_octets=counts.get("rx_bytes", 0),
            sent_octets=counts.get("tx_bytes", 0),
            received_packets=counts.get("rx_packets", 0),
            sent_packets=counts.get("tx_packets", 0),
            errors=counts.get("rx_errors", 0) + counts.get("tx_errors", 0),
            dropped=counts.get("rx_dropped", 0) + counts.get("tx_dropped", 0),
        )


def _uplinks(run: Path) -> Iterator[UplinkStatus]:
    from compiler.deploy.linux.leases import known_uplinks
    from compiler.deploy.linux.status import read_status

    found = read_status(run) or {}
    lines = found.get("uplinks")
    watched = lines if found.get("running") and isinstance(lines, dict) else {}
    for name in known_uplinks(run):
        line = watched.get(name)
        known = isinstance(line, dict)
        words = line if isinstance(line, dict) else {}
        yield UplinkStatus(
            name=name,
            known=known,
            alive=words.get("alive") is True,
            carrier=words.get("carrier") is True,
            used=words.get("used") is True,
        )


def _lines(listing: list[dict[str, Any]]) -> Iterator[LineCount]:
    """The rules of one line are added up: its whole packets and its later fragments are decided apart."""
    counts: dict[tuple[str, int, int, bool], list[int]] = {}
    for one in listing:
        rule = one.get("rule")
        if rule is None or (rule["family"], rule["table"]) not in TABLES:
            continue
        place, _, rest = str(rule.get("comment", "")).partition(" ")
        policy, _, line = place.rpartition("/")[2].partition(":")
        permits = _permits(rule["expr"])
        counter = next((word["counter"] for word in rule["expr"] if "counter" in word), None)
        if permits is None or counter is None or not line.isdecimal():
            continue
        number = 0 if rest == _IMPLICIT else int(line)
        found = counts.setdefault((policy, number, 4 if rule["family"] == "ip" else 6, permits), [0, 0])
        found[0] += counter["packets"]
        found[1] += counter["bytes"]
    for (policy, number, family, permits), (packets, octets) in counts.items():
        yield LineCount(policy=policy, line=number, family=family, permits=permits, packets=packets, octets=octets)


def _permits(words: list[dict[str, Any]]) -> bool | None:
    """What the rule decides; None where it only leads to other rules."""
    said = {next(iter(word)) for word in words}
    if said & {"drop", "reject"}:
        return False
    return True if said & {"accept", "return"} else None
