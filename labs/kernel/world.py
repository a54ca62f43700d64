"""A lab as namespaces and cables, ready to run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from random import Random
from types import TracebackType
from typing import Self

from compiler.errors import UsageError
from compiler.fields import Family
from compiler.policy.network import Network
from compiler.simulator.engine import MILLISECOND
from labs.kernel.cables import Cable, Plug
from labs.kernel.dependence import depends
from labs.kernel.devices import wire_frames
from labs.kernel.hashes import forgetting_program
from labs.kernel.loop import Loop
from labs.kernel.namespaces import Namespace
from labs.kernel.nodes import KernelNode, make_node
from labs.kernel.possible import why_not
from labs.kernel.raw import Way
from labs.kernel.routing import Unrealisable
from labs.kernel.segments import Station, forget_unanswered, introduce, segments
from labs.kernel.settings import apply, silent_settings
from labs.kernel.sockets import KernelSockets
from labs.topology import Attachment, Fault, FaultKind, Lab, Link, LinkDirection, Node, NodeKind, Traffic

__all__ = ["KernelWorld"]

_PATIENCE = 5.0
"""Seconds that carriers may take to come up."""
_LOOPBACKS = ("lo", "dummy")
_APPLICATIONS = (NodeKind.HOST, NodeKind.SERVER)


class KernelWorld:
    """All of a lab in the kernel, as a context manager that leaves nothing behind.

    ``lacks`` says what of the lab is not there, each with the reason.
    UsageError where this machine can run no lab at all.
    """

    def __init__(self, lab: Lab, seed: int) -> None:
        reason = why_not()
        if reason:
            raise UsageError(f"the kernel cannot run labs here: {reason}")
        self.lab = lab
        self.seed = seed
        self.lacks: list[tuple[str, str]] = []
        self.nodes: dict[str, KernelNode] = {}
        self.cables: dict[str, Cable] = {}
        self.stations: dict[Attachment, Station] = {}
        self._missing: dict[str, str] = {}
        self._forgetting: int | None = None
        self._stack = ExitStack()
        try:
            self.loop = self._stack.enter_context(Loop())
            self.room = self._stack.enter_context(Namespace("cables"))
            self._build()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove it all."""
        self._stack.close()

    def at_close(self, action: Callable[[], object]) -> None:
        """Have it happen before the world is gone."""
        self._stack.callback(action)

    # -- building ----------------------------------------------------------------

    def _build(self) -> None:
        with self.room.inside():
            apply(silent_settings().items())
        self._forget_hashes()
        for number, node in enumerate(self.lab.nodes):
            try:
                made = make_node(self.lab, number, node, self.seed)
            except Unrealisable as error:
                self._miss(node, str(error))
                continue
            self._stack.callback(made.close)
            self.nodes[node.name] = made
            if made.firewall.whole_packets_only:
                reason = f"the rules of {node.name} are proved equal for whole packets only"
                self.lacks.append(("fragments", reason))
        for number, link in enumerate(self.lab.links):
            if all(end.node in self.nodes for end in link.ends):
                self._lay(number, link)
        self._stray_interfaces()
        for made in self.nodes.values():
            try:
                made.finish()
            except Unrealisable as error:
                self._miss(made.node, str(error))
        self._place_stations()
        if not self.lab.arp:
            introduce(self.lab, self.stations)
        self._lack_features()
        self._await_carriers()

    def _forget_hashes(self) -> None:
        """Where routes hash ports, cables take from packets what their socket drew."""
        if not any(node.configuration and _hashes_ports(node.configuration.network) for node in self.lab.nodes):
            return
        try:
            self._forgetting = forgetting_program()
        except OSError as error:
            reason = f"routes take the hash that a TCP socket draws, and cables cannot forget it ({error.strerror})"
            self.lacks.append(("hashes of ports", reason))
        else:
            self._stack.callback(os.close, self._forgetting)

    def _miss(self, node: Node, reason: str) -> None:
        self._missing[node.name] = reason
        self.lacks.append((f"node {node.name}", reason))
        for cable in self._cables_of(node.name):
            cable.set_up(False, reason="unrealised")

    def _lay(self, number: int, link: Link) -> None:
        first, second = (self._plug(end) for end in link.ends)
        cable = self.cables[link.name] = Cable(self.room, number, link, (first, second), self._forgetting)
        with self.room.inside():
            for name in cable.names:
                wire_frames(name)
        if not link.is_up:
            cable.set_up(False)
        for end in link.ends:
            if not self.nodes[end.node].node.is_up:
                cable.set_up(False, reason=end.node)
        cable.plug_in()

    def _plug(self, end: Attachment) -> Plug:
        node = self.nodes[end.node]
        return Plug(node.namespace, node.names[end.interface], node.link_address(end.interface))

    def _stray_interfaces(self) -> None:
        """Interfaces without a cable: there, but without a carrier; those that are loopbacks always have one."""
        number = 0
        for node in self.nodes.values():
            linked = {
                end.interface
                for name in self.cables
                for end in self.cables[name].link.ends
                if end.node == node.node.name
            }
            for interface, linux in node.names.items():
                if interface in linked:
                    continue
                self.room.routing.link(
                    "add",
                    ifname=f"s{number}",
                    kind="veth",
                    peer={"ifname": linux, "net_ns_fd": node.namespace.descriptor},
                )
                if interface.lower().startswith(_LOOPBACKS):
                    self.room.routing.link("set", ifname=f"s{number}", state="up")
                number += 1

    def _place_stations(self) -> None:
        for link in self.cables.values():
            for end in link.link.ends:
                node = self.nodes[end.node]
                if node.node.kind is NodeKind.SWITCH or end.interface not in node.indexes:
                    continue
                self.stations[end] = Station(
                    node.namespace,
                    node.indexes[end.interface],
                    node.link_address(end.interface),
                    node.addresses.get(end.interface, ()),
                )

    def _await_carriers(self) -> None:
        """Interfaces come up soon, not at once; packets before that are lost."""
        up = {name for cable in self.cables.values() if not cable.is_cut for name in cable.names}
        watched: list[tuple[Namespace, set[str]]] = [(self.room, up)]
        for node in self.nodes.values():
            if node.node.kind is NodeKind.SWITCH:
                names = {
                    node.names[end.interface]
                    for cable in self.cables.values()
                    for end in cable.link.ends
                    if end.node == node.node.name and not cable.is_cut
                }
                watched.append((node.namespace, names))
        deadline = time.monotonic() + _PATIENCE
        for namespace, names in watched:
            while not names <= _operational(namespace):
                if time.monotonic() > deadline:
                    raise UsageError(f"the links of {namespace.name} do not come up")
                time.sleep(0.001)

    def _lack_features(self) -> None:
        """What the kernel has no part for (no netem here)."""
        directions: list[LinkDirection] = [way for link in self.lab.links for way in (link.up, link.down)]
        directions += [way for fault in self.lab.faults for way in (fault.up, fault.down) if way is not None]
        if any(way.delay for way in directions):
            self.lacks.append(("delay", "links of the kernel world have no delay of their own (no netem)"))
        if any(way.loss for way in directions):
            self.lacks.append(("loss", "links of the kernel world lose nothing at random (no netem)"))
        if self.lab.clock and any(node.configuration and _has_time(node) for node in self.lab.nodes):
            self.lacks.append(("clock", "time ranges follow the clock of this machine"))

    # -- what runs in it -----------------------------------------------------------

    def why_skip(self, traffic: Traffic) -> str:
        """Why that traffic cannot be: it depends on a node that is not there. Empty when it can."""
        for node, reason in self._missing.items():
            if depends(self.lab, traffic, node):
                return f"it depends on {node}, which is not realised: {reason}"
        return ""

    def sockets(self, name: str) -> KernelSockets:
        """The services of a host."""
        node = self.nodes.get(name)
        if node is None or node.node.kind not in _APPLICATIONS:
            raise UsageError(f"{self.lab.source or self.lab.name}: {name!r} is no host")
        addresses = tuple((one.family, one.address) for one in node.node.addresses)
        made = KernelSockets(self.loop, node.namespace, addresses, Random(f"{self.seed}/{name}"))
        self._stack.callback(made.close)
        return made

    def hosts(self) -> dict[str, Namespace]:
        """The namespaces of hosts and servers."""
        return {name: node.namespace for name, node in self.nodes.items() if node.node.kind in _APPLICATIONS}

    def way(self, name: str, family: Family, destination: int) -> Way | None:
        """How a raw packet of that host leaves: to the station with the address, or to the gateway."""
        node = self.nodes[name]
        gateway = next((address for kind, address in node.node.gateways if kind is family), None)
        return self._on_link(node, family, destination) or (
            self._on_link(node, family, gateway) if gateway is not None else None
        )

    def _on_link(self, node: KernelNode, family: Family, address: int) -> Way | None:
        for segment in segments(self.lab):
            own = next((end for end in sorted(segment) if end.node == node.node.name), None)
            if own is None:
                continue
            for end in segment:
                station = self.stations.get(end)
                if end != own and station and any(one[:2] == (family, address) for one in station.addresses):
                    return Way(node.names[own.interface], node.link_address(own.interface), station.link_address)
        return None

    # -- faults --------------------------------------------------------------------

    def plan(self, fault: Fault) -> None:
        """Have the fault happen at its moment."""
        if fault.kind is not FaultKind.LINK_FLAP:
            self.loop.at(fault.at, partial(self._happen, fault))
            return
        for turn in range(fault.count):
            begins = fault.at + turn * (fault.duration + fault.interval)
            self.loop.at(begins, partial(self._set_link, fault, is_up=False))
            self.loop.at(begins + fault.duration, partial(self._set_link, fault, is_up=True))

    def _happen(self, fault: Fault) -> None:
        if fault.kind in (FaultKind.LINK_DOWN, FaultKind.LINK_UP):
            self._set_link(fault, is_up=fault.kind is FaultKind.LINK_UP)
        elif fault.kind is FaultKind.LINK_CHANGE:
            cable = self.cables.get(fault.target)
            if cable is not None:
                cable.change(fault.up, fault.down)
        else:
            for cable in self._cables_of(fault.target):
                cable.set_up(fault.kind is FaultKind.NODE_UP, reason=fault.target)
                self._settle(cable, self.loop.now())
            if fault.kind is FaultKind.NODE_DOWN and fault.target in self.nodes:
                self.nodes[fault.target].lose_power()

    def _set_link(self, fault: Fault, *, is_up: bool) -> None:
        cable = self.cables.get(fault.target)
        if cable is not None:
            cable.set_up(is_up, direction=fault.direction)
            self._settle(cable, self.loop.now())

    def _settle(self, cable: Cable, mended: int) -> None:
        """Make good what a mended cable loses while its ends come up one after the other, which no real one does.

        A question for a link address that is lost in between would be asked again only a second later.
        """
        if cable.is_cut:
            return
        ends = [self.stations[end] for end in cable.link.ends if end in self.stations]
        if all(_is_operational(station) for station in ends):
            for station in ends:
                forget_unanswered(station, self.loop.now() - mended)
        else:
            self.loop.after(MILLISECOND, partial(self._settle, cable, mended))

    def _cables_of(self, node: str) -> list[Cable]:
        return [cable for cable in self.cables.values() if any(end.node == node for end in cable.link.ends)]


def _operational(namespace: Namespace) -> set[str]:
    return {
        link.get_attr("IFLA_IFNAME")
        for link in namespace.routing.get_links()
        if link.get("state") == "up" and link.get_attr("IFLA_OPERSTATE") == "UP"
    }


def _is_operational(station: Station) -> bool:
    (message,) = station.namespace.routing.link("get", index=station.number)
    return bool(message.get_attr("IFLA_OPERSTATE") == "UP")


def _hashes_ports(network: Network) -> bool:
    return network.multipath_policy == "l4" and any(len(route.next_hops) > 1 for route in network.routes)


def _has_time(node: Node) -> bool:
    from compiler.policy.access_list import Device

    policy = node.configuration.policy if node.configuration else None
    return isinstance(policy, Device) and bool(policy.time_ranges)
