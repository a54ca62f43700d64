"""Networks as Hypothesis's state machines: packets are sent while parts die and come back, and time passes.

::

    class Failover(network_machine(star(1, 2))):
        def delivered(self, sent):
            assert sent.journey.arrived is not None or "isp1" in self.dead

    test_failover = Failover.TestCase

Each step is a rule; ``always`` is asked after each of them and ``delivered``
after each packet. A machine that fails shrinks to the fewest steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from compiler.policy.packet import Packet
from compiler.simulator.engine import SECOND
from compiler.testing.dynamic.world import Journey, NetworkWorld
from compiler.testing.networks.failures import mortal
from compiler.testing.networks.model import NetworkModel
from compiler.testing.strategies.conversations import SERVICES, Service, opening

__all__ = ["NetworkMachine", "Sent", "network_machine"]

_PAUSES = (SECOND, 30 * SECOND, 60 * SECOND)


class Sent(NamedTuple):
    """A packet that a host sent, and what became of it. ``answer`` is None where it did not arrive."""

    source: str
    destination: str
    journey: Journey
    answer: Journey | None

    @property
    def arrived(self) -> bool:
        """Whether the packet came to the host that it was meant for."""
        return self.journey.arrived is not None and self.journey.arrived.node == self.destination

    @property
    def returned(self) -> bool:
        """Whether the answer came back to the sender."""
        return self.answer is not None and self.answer.arrived is not None and self.answer.arrived.node == self.source


class NetworkMachine(RuleBasedStateMachine):
    """The steps that a network may take. Subclass it by :func:`network_machine`, and overwrite the two hooks."""

    model: ClassVar[NetworkModel]

    def __init__(self) -> None:
        super().__init__()
        self.world = NetworkWorld(self.model)
        self.dead: set[str] = set()
        self.sent: list[Sent] = []

    # -- hooks ---------------------------------------------------------------------------------

    def delivered(self, sent: Sent) -> None:
        """Asked after each packet: raise AssertionError when that should not have become of it."""

    def always(self) -> None:
        """Asked after each step."""

    # -- parts of the rules --------------------------------------------------------------------

    def exchange(self, source: str, destination: str, packet: Packet) -> Sent:
        """Send one packet and have its answer sent back."""
        journey = self.world.send(source, packet)
        sent = Sent(source, destination, journey, self.world.answer(journey) if journey.arrived is not None else None)
        self.sent.append(sent)
        return sent

    @invariant()
    def holds(self) -> None:
        """Hypothesis calls it; see :meth:`always`."""
        self.always()


def network_machine(
    model: NetworkModel, *, among: str | tuple[str, ...] = (), services: Iterable[Service] = SERVICES
) -> type[NetworkMachine]:
    """The base class of machines of one network.

    ``among`` are the parts that may die (patterns; all but hosts and their
    cables without it), ``services`` protocols with destination ports (0 for
    echo requests). Rules: ``send``, ``link_down``, ``link_up``, ``advance`` and ``reload``.
    """
    parts = st.sampled_from(mortal(model, (among,) if isinstance(among, str) and among else tuple(among)))
    hosts = st.sampled_from(tuple(host.name for host in model.hosts))
    routers = st.sampled_from(tuple(router.name for router in model.routers))

    class Machine(NetworkMachine):
        @rule(source=hosts, destination=hosts, service=st.sampled_from(tuple(services)))
        def send(self, source: str, destination: str, service: Service) -> None:
            """One packet of a service between two hosts, and its answer."""
            packet = opening(self.model, source, destination, service, 1025 + len(self.sent))
            if packet is not None:
                self.delivered(self.exchange(source, destination, packet))

        @rule(part=parts)
        def link_down(self, part: str) -> None:
            """A cable or a node dies."""
            self.dead.add(part)
            self.world.set_up(part, False)

        @rule(part=parts)
        def link_up(self, part: str) -> None:
            """It is well again."""
            self.dead.discard(part)
            self.world.set_up(part, True)

        @rule(pause=st.sampled_from(_PAUSES))
        def advance(self, pause: int) -> None:
            """Time passes."""
            self.world.run(pause)

        @rule(name=routers)
        def reload(self, name: str) -> None:
            """A router goes down and comes up again at once, and forgets its connections."""
            if name not in self.dead:
                self.world.set_up(name, False)
                self.world.set_up(name, True)

    Machine.model = model
    Machine.__name__ = Machine.__qualname__ = f"NetworkMachine of {model.source}"
    return Machine
