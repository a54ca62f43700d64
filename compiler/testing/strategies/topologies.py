"""Star networks: clients behind one router, and up to three ISPs that lead to one server.

::

    client1 - lan1 |      | isp1 - provider1 |
    client2 - lan2 | edge | isp2 - provider2 | internet - server
                          | isp3 - provider3 |

The edge is a RouterOS router with a default route by each ISP, the first one
best, each watched by ``check-gateway``. Without ISPs the server stands in a
network of its own at the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hypothesis import strategies as st

from compiler.testing.networks.model import NetworkModel

__all__ = ["CORE", "SERVER", "SERVER_ADDRESS", "DrawnNetwork", "star", "topologies"]

CORE = "edge"
SERVER = "server"
SERVER_ADDRESS = "203.0.113.10"


@dataclass(frozen=True, slots=True, repr=False)
class DrawnNetwork(NetworkModel):
    """A network that shows its parts in a few lines where Hypothesis tells what failed."""

    def __repr__(self) -> str:
        cables = ", ".join(f"{cable.ends[0]} - {cable.ends[1]}" for cable in self.cables)
        lines = [line for router in self.routers if router.policy is not None for line in router.policy.lines]
        return "\n".join((f"a network of {', '.join(self.names)} with cables {cables}", *lines))


def topologies(
    *, least_isps: int = 0, most_isps: int = 3, most_clients: int = 2, translates: bool | None = None
) -> st.SearchStrategy[NetworkModel]:
    """Stars of one client or more and some ISPs; the simplest has one client and as few ISPs as there may be.

    ``translates`` says whether the edge hides clients behind the address of
    each line (source NAT); None draws it. Without it answers come back by the first provider.
    """
    hidden = st.just(translates) if translates is not None else st.sampled_from((False, True))
    return st.builds(star, st.integers(1, most_clients), st.integers(least_isps, most_isps), hidden)


@lru_cache
def star(clients: int = 1, isps: int = 0, translates: bool = False, *, filter: str = "") -> NetworkModel:
    """One star. ``filter`` are further lines of the edge's script, as ``/ip firewall filter`` and its rules."""
    made: NetworkModel = DrawnNetwork(source="star")
    for number in range(1, clients + 1):
        made = made.host(f"client{number}", f"10.{number}.0.2/24", gateway=f"10.{number}.0.1")
    made = made.host(SERVER, f"{SERVER_ADDRESS}/24", gateway="203.0.113.1")
    made = made.router(CORE, text=_edge(clients, isps, translates, filter))
    for number in range(1, clients + 1):
        made = made.cable(f"client{number}", f"{CORE}:lan{number}", name=f"lan{number}")
    if not isps:
        return made.cable(SERVER, f"{CORE}:dmz", name="dmz")
    clients_at = [f"10.{number}.0.0/24" for number in range(1, clients + 1)]
    ports = {f"isp{number}": f"100.64.{number}.1/24" for number in range(1, isps + 1)}
    ways = {f"192.0.2.{4 * number}/30": f"100.64.{number}.2" for number in range(1, isps + 1)}
    ways |= dict.fromkeys(clients_at, "100.64.1.2")
    made = made.router("internet", ports={"net": "203.0.113.1/24", **ports}, routes=ways)
    made = made.cable(SERVER, "internet:net", name="net")
    for number in range(1, isps + 1):
        line, far = f"192.0.2.{4 * number + 1}", f"100.64.{number}.1"
        home = dict.fromkeys(clients_at, line)
        held = {"customer": f"192.0.2.{4 * number + 2}/30", "uplink": f"100.64.{number}.2/24"}
        name = f"provider{number}"
        made = made.router(name, ports=held, routes={"0.0.0.0/0": far, **home})
        made = made.cable(f"{CORE}:isp{number}", f"{name}:customer", name=f"isp{number}")
        made = made.cable(f"{name}:uplink", f"internet:isp{number}", name=f"trunk{number}")
    return made


def _edge(clients: int, isps: int, translates: bool, filter: str) -> str:
    lines = ["/ip address"]
    lines += [f"add address=10.{number}.0.1/24 interface=lan{number}" for number in range(1, clients + 1)]
    if not isps:
        lines.append("add address=203.0.113.1/24 interface=dmz")
    lines += [f"add address=192.0.2.{4 * number + 1}/30 interface=isp{number}" for number in range(1, isps + 1)]
    if isps:
        lines.append("/ip route")
    for number in range(1, isps + 1):
        gateway = f"gateway=192.0.2.{4 * number + 2} distance={number} check-gateway=ping"
        lines.append(f"add dst-address=0.0.0.0/0 {gateway}")
    if isps and translates:
        lines.append("/ip firewall nat")
        for number in range(1, isps + 1):
            lines.append(f"add chain=srcnat action=masquerade out-interface=isp{number}")
    return "\n".join((*lines, *filter.splitlines(), ""))
