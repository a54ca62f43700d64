"""A virtual router in a simulated network: its tables say where packets go.

When tables have changed, the router is made anew from what they hold, as the
readers of :mod:`compiler.dialects.routeros` understand it; its connections,
filled address lists and what it knows of gateways stay. Not kept, because no
source says that the device keeps them: the counters of ``nth``, and learned
neighbours.

The node looks at its tables each second of the simulation for as long as that
runs: tell the engine until when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.dialects.routeros.network import read_network
from compiler.dialects.routeros.reader import read
from compiler.dialects.routeros.script import Path
from compiler.errors import InputError, InputErrors, UsageError
from compiler.fields import Family
from compiler.policy.network import Interface, Network
from compiler.simulator.engine import SECOND, Engine
from compiler.simulator.frame import Frame
from compiler.simulator.link import Direction
from compiler.simulator.node import Port, link_address
from compiler.simulator.router.device import Router
from labs.virtual_routeros.device import Device
from labs.virtual_routeros.export import export

__all__ = ["VirtualRouter"]

_BEAT = SECOND
"""How often the tables are looked at when no packet comes: the scheduler of the device counts in seconds."""


class _Plug(Port):
    """A port that tells its node when it is plugged in."""

    __slots__ = ()
    node: VirtualRouter

    def attach(self, direction: Direction) -> None:
        """Plug in the outgoing half of a link. ValueError when there is one already."""
        super().attach(direction)
        self.node.plugged()


class VirtualRouter:
    """A node whose router follows the tables of a :class:`Device`.

    Tables may change from another thread (a session of the API); the change is
    noticed with the next frame, at the next whole second of the simulation, or
    by :meth:`refresh`. ``static`` gives neighbours' link addresses by port.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        device: Device,
        *,
        seed: str = "1",
        clock: int = 0,
        static: Mapping[str, Mapping[tuple[Family, int], int]] | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self.device = device
        self.is_shut = False
        self.faults: tuple[str, ...] = ()
        """What of the tables the simulator does not understand; while there is such, the router stays as it was."""
        self._seed = seed
        self._clock = clock
        self._static = static or {}
        self.ports: dict[str, Port] = {
            port: _Plug(self, port, link_address(name, port)) for port in device.description.ports
        }
        self._rows: tuple[tuple[Path, str], ...] = ()
        """The menu and id behind each line that the router was made from."""
        self._counted: dict[int, int] = {}
        self._generation = device.generation
        self.router: Router = self._make(None)
        device.before_print = self._count
        engine.after(_BEAT, self._beat)

    # -- the simulation's side -------------------------------------------------------------

    def receive(self, port: Port, frame: Frame) -> None:
        """A frame has arrived."""
        if self.device.generation != self._generation and not self.is_shut:
            self.refresh()
        self.router.ports[port.name].receive(frame)

    def carrier_changed(self, port: Port, is_up: bool) -> None:
        """The link at the port has come up or gone down."""
        self.router.ports[port.name].carrier_changed(is_up)

    def shut(self) -> None:
        """Power off: connections are forgotten, tables are not."""
        self.is_shut = True
        self.router.shut()

    def start(self) -> None:
        """Power on again."""
        self.is_shut = False
        self.refresh()
        self.router.start()

    def refresh(self) -> None:
        """Follow the tables as they are now. UsageError when the simulator does not understand them.

        The message names each row by menu and id; the router stays as it was.
        """
        with self.device.lock:
            if self.device.generation == self._generation:
                return
            self._generation = self.device.generation
            self._count()
            self.router = self._make(self.router)

    # -- counters ------------------------------------------------------------------------------

    def _count(self) -> None:
        """Add what rules have matched since the last look to the counters that the API tells."""
        for span, packets in self.router.rule_counts():
            if not 0 < span.line <= len(self._rows):
                continue
            path, id = self._rows[span.line - 1]
            fresh = packets - self._counted.get(span.line, 0)
            self._counted[span.line] = packets
            for row in self.device.tables[path].rows:
                if row.id == id:
                    row.extra["packets"] = str(int(row.extra.get("packets", "0")) + fresh)

    # -- making a router ---------------------------------------------------------------------

    def _beat(self, _: object) -> None:
        self.engine.after(_BEAT, self._beat)
        if self.is_shut:
            return
        self.device.tick()
        self.refresh()

    def _make(self, before: Router | None) -> Router:
        with self.device.lock:
            text, rows = export(self.device)
        try:
            network = self._network(read_network(text, self.name, version=self.device.version))
            policy = read(text, self.name, version=self.device.version, unmodelled="simulate")
        except (InputError, InputErrors) as faults:
            self.faults = tuple(_told(faults, rows))
            raise UsageError(f"{self.name}: the simulator cannot follow the tables: {'; '.join(self.faults)}") from None
        self.faults, self._rows, self._counted = (), rows, {}
        made = Router(self.engine, self.name, network, policy, seed=self._seed, clock=self._clock, successor_of=before)
        self._join(made)
        if before is not None:
            for port in before.ports.values():
                port.is_shut = True
            self._flush(before, made)
        return made

    def _network(self, network: Network) -> Network:
        """With a place for every port, whether the tables name it or not."""
        known = {interface.name for interface in network.interfaces}
        more = tuple(Interface(name) for name in self.ports if name not in known)
        return replace(network, interfaces=(*network.interfaces, *more))

    def plugged(self) -> None:
        """A port has got its wire."""
        self._join(self.router)

    def _join(self, router: Router) -> None:
        """Give the router's ports the wires of ours."""
        for name, port in self.ports.items():
            inner = router.ports.get(name) or router.add_port(name, self._static.get(name))
            if inner.direction is None and port.direction is not None:
                inner.attach(port.direction)
                inner.carrier = port.carrier

    def _flush(self, before: Router, made: Router) -> None:
        """Connections masqueraded behind an address die with it, or with its interface."""
        held = {one.name: one for one in made.network.interfaces}
        for old in before.network.interfaces:
            new = held.get(old.name)
            lost = new is None or (old.enabled and not new.enabled) or not {*old.addresses} <= {*new.addresses}
            if lost and made.pipeline is not None:
                made.pipeline.interface_gone(old.name, carrier_only=False)


def _told(faults: InputError | InputErrors, rows: tuple[tuple[Path, str], ...]) -> Iterator[str]:
    several = faults.errors if isinstance(faults, InputErrors) else (faults,)
    for fault in several:
        line = fault.span.line
        path, id = rows[line - 1] if 0 < line <= len(rows) else ((), "")
        yield f"/{' '.join(path)} {id}: {fault.message}"
