"""What DHCP and PPPoE gave: told by a hook (``gerbang balance lease``), else seen in the kernel's own routes.

The hooks, each one line, where the clients' own default routes are not wanted::

    udhcpc      [ "$1" = bound ] && gerbang balance lease cable --gateway "$router" --address "$ip/$mask"
    dhclient    gerbang balance lease cable --gateway "$new_routers"       # dhclient-exit-hooks.d
    pppd        gerbang balance lease adsl --address "$4/32"               # ip-up.d
    networkd    nothing: its route (proto dhcp; UseRoutes=yes with a high RouteMetric=) is seen by itself
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compiler.addresses import parse_address
from compiler.balancing.plan import Plan, port_of
from compiler.balancing.wanted_routes import Lease
from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.kernel import Kernel
from compiler.deploy.linux.records import Records
from compiler.deploy.linux.state import MAIN, PROTOCOL
from compiler.deploy.linux.status import read_status
from compiler.fields import Family
from compiler.placed.addresses import interface_address, show
from compiler.policy.balance import Addressing
from compiler.policy.network import InterfaceAddress

__all__ = ["known_leases", "known_uplinks", "tell_lease", "told_leases", "told_stamp"]

_FILE = "leases.json"


def known_uplinks(folder: Path) -> tuple[str, ...]:
    """The uplinks of what is deployed, and those of the running watch; none where neither is known."""
    deployed, status = Records(folder).deployed(), read_status(folder)
    watched = status.get("uplinks") if status is not None and status["running"] else None
    names = (*(deployed.uplinks if deployed is not None else ()), *(watched if isinstance(watched, dict) else ()))
    return tuple(dict.fromkeys(str(name) for name in names))


def told_leases(folder: Path) -> dict[str, Lease | None]:
    """What hooks have told; None for a lease that was lost. DeployError for a file that is none of ours."""
    try:
        found: dict[str, dict[str, Any] | None] = json.loads((folder / _FILE).read_text())
        return {name: None if one is None else _lease(one) for name, one in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise DeployError(f"{folder / _FILE}: not a record of ours: {error}") from error


def told_stamp(folder: Path) -> str:
    """Changes whenever a hook has told something."""
    try:
        found = (folder / _FILE).stat()
    except OSError:
        return ""
    return f"{found.st_ino} {found.st_mtime_ns}"


def tell_lease(folder: Path, uplink: str, lease: Lease | None) -> None:
    """Keep a lease (None: it was lost) where the watch and the next deploy see it. The file changes as a whole."""
    known = {**told_leases(folder), uplink: lease}
    text = json.dumps({name: None if one is None else _words(one) for name, one in known.items()}, indent=1)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = folder / f"{_FILE}.new"
        beside.touch(mode=0o600)
        beside.write_text(text)
        beside.replace(folder / _FILE)
    except OSError as error:
        raise DeployError(f"{folder / _FILE}: {error.strerror}") from error


def _words(lease: Lease) -> dict[str, str]:
    words = {}
    if lease.gateway is not None:
        words["gateway"] = show(Family.IPV4, lease.gateway)
    if lease.address is not None:
        words["address"] = f"{show(lease.address.family, lease.address.address)}/{lease.address.length}"
    return words


def _lease(found: dict[str, Any]) -> Lease:
    gateway = parse_address(found["gateway"])[0] if "gateway" in found else None
    return Lease(gateway, interface_address(found["address"]) if "address" in found else None)


def known_leases(plan: Plan, kernel: Kernel, folder: Path) -> dict[str, Lease]:
    """For each uplink by DHCP or PPPoE: what was told, else the main table's own default by its interface.

    The default route of a DHCP client (``proto dhcp``, or whatever it sets) is
    looked for with any protocol but ours; the address is the interface's.
    """
    told = told_leases(folder)
    found: dict[str, Lease] = {}
    defaults = {
        hop.interface: hop.gateway
        for route, protocol in kernel.routes()
        if route.table == MAIN and route.destination == "0.0.0.0/0" and protocol != PROTOCOL
        for hop in route.hops
    }
    addresses = kernel.addresses()
    for uplink in plan.balance.uplinks:
        if uplink.addressing is Addressing.STATIC:
            continue
        port = port_of(uplink)
        if uplink.name in told:
            lease = told[uplink.name]
            if lease is not None and lease.address is None:
                lease = lease._replace(address=_first(addresses.get(port, [])))
        else:
            gateway = defaults.get(port, "")
            lease = Lease(parse_address(gateway)[0] if gateway else None, _first(addresses.get(port, [])))
        if lease is not None and lease != Lease():
            found[uplink.name] = lease
    return found


def _first(texts: list[str]) -> InterfaceAddress | None:
    return interface_address(texts[0]) if texts else None
