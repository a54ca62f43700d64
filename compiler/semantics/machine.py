"""The machine that all devices are lowered to, and the contexts it runs in.

In one context (family, path, interfaces, fragment or not) a device is a
sequence of stages; a packet passes when every stage lets it pass. A stage is
an ordered list of steps over the packet's own fields.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from compiler.fields import Family
from compiler.policy.access_list import Clause, Entry
from compiler.policy.match import Match
from compiler.policy.packet import Path
from compiler.policy.ruleset import Rule

__all__ = ["Context", "ListName", "Machine", "Outcome", "Stage", "Standing", "Step"]


class Outcome(Enum):
    """What a step does with a packet in its match."""

    PERMIT = "permit"
    """The packet leaves the stage and goes on to the next."""
    DENY = "deny"
    """The packet is gone."""
    RETURN = "return"
    """Back to the step after the call; in a stage's own steps, the stage's default."""
    CALL = "call"
    """The steps of ``body`` come next; what they do not decide comes back."""


class Step(NamedTuple):
    """One ordered decision. ``match`` constrains packet fields only: the context is already applied."""

    match: Match
    outcome: Outcome
    body: tuple[Step, ...] = ()
    origin: Entry | Rule | None = None
    """The line that says it; None for what is implicit."""
    why: str = ""
    """For implicit steps: which rule of the dialect they stand for."""


class Stage(NamedTuple):
    """A list that a packet goes through: the first step that decides, else ``default``.

    ``ttl_decremented`` tells whether the stage sees the TTL as it arrived or
    as it leaves.
    """

    name: str
    steps: tuple[Step, ...]
    default: bool
    default_why: str = ""
    ttl_decremented: bool = False
    reassembled: bool = False
    """Whether a non-initial fragment is seen here only as part of its whole packet."""


class Context(NamedTuple):
    """All that is decided before the fields of a packet are looked at."""

    family: Family
    path: Path
    ingress: str
    egress: str
    noninitial: bool


class ListName(NamedTuple):
    """A list of a device, for proofs about lists alone. ``table`` tells chains of one name apart."""

    name: str
    family: Family
    table: str = ""


class Standing(Enum):
    """What a list of a device is for."""

    BOUND = "bound"
    """It stands in the way of packets: the device's stages hold it."""
    USED = "used"
    """Only another feature names it (access-class, route-map, NAT …)."""
    FREE = "free"


class Machine(Protocol):
    """A device as proofs, traces and searches see it."""

    source: str
    dialect: str
    features: tuple[Clause, ...]
    """What the configuration also does to packets, outside the model (NAT, inspection, fasttrack)."""

    def interfaces(self) -> frozenset[str]:
        """Each interface name that anything of the device mentions."""
        ...

    def is_placed(self) -> bool:
        """Whether anything at all stands in a packet's way: a binding, a base chain."""
        ...

    def stages(self, context: Context) -> tuple[Stage, ...]:
        """What a packet of that context goes through, in order; empty when all pass."""
        ...

    def ways(self, context: Context) -> tuple[tuple[Stage, ...], tuple[Stage, ...]] | None:
        """The stages of a forwarded packet in two parts: what no egress changes, and what no ingress changes.

        None where one stage depends on both.
        """
        ...

    def lists(self) -> tuple[ListName, ...]:
        """The lists that could be paired by name, bound or not."""
        ...

    def standing(self, name: ListName) -> Standing:
        """What the list is for."""
        ...

    def list_stages(self, name: ListName, *, noninitial: bool) -> tuple[Stage, ...]:
        """One list alone."""
        ...
