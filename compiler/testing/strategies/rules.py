"""Rules in nobody's dialect, over tiny alphabets: what to write, before it is written.

Each part of a rule is one draw of a short list, the simplest first. There are
four of them, always the same: Hypothesis's shrinker takes away at most five
choices that stand together, and an element of a list is one more than its parts.
With six a rule that has nothing to do with the fault often stays (measured).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hypothesis import strategies as st

from compiler.addresses import Wildcard
from compiler.fields import Family
from compiler.testing.strategies.wildcards import alphabet_of

__all__ = ["PlainRule", "Ports", "plain_rules"]

Ports = tuple[int, int]

_EVERYWHERE = Wildcard(0, (1 << 32) - 1, 32)


class PlainRule(NamedTuple):
    """One rule. ``protocol`` is ``any``, ``tcp``, ``udp`` or ``icmp``; each part below counts only where it applies."""

    permits: bool = True
    protocol: str = "any"
    source: Wildcard = _EVERYWHERE
    destination: Wildcard = _EVERYWHERE
    ports: Ports | None = None
    """Destination ports of TCP and UDP."""
    source_ports: Ports | None = None
    message: tuple[int, int | None] | None = None
    """ICMP type, and code or None for any."""
    established: bool = False
    """TCP with RST or ACK."""
    fragments: bool = False
    """Later fragments alone, of any protocol."""

    @property
    def has_ports(self) -> bool:
        """Whether its protocol has ports."""
        return self.protocol in ("tcp", "udp")


@lru_cache
def plain_rules(
    family: Family = Family.IPV4, *, contiguous: bool = False, established: bool = True, fragments: bool = True
) -> st.SearchStrategy[PlainRule]:
    """Rules of one family; ``permit ip any any`` is the simplest."""
    alphabet = alphabet_of(family, contiguous)
    places = st.sampled_from((*alphabet, *alphabet[:1] * len(alphabet)))  # real rules say "any" often
    services = _services(family, established, fragments)
    # What is drawn last gives way last when Hypothesis shrinks, so what people wonder about least comes last.
    return st.builds(_rule, places, places, st.sampled_from(services), st.sampled_from((True, False)))


def _services(family: Family, established: bool, fragments: bool) -> tuple[_Service, ...]:
    """What rules ask beside addresses; everything is the simplest, and stands there often as it is the commonest.

    What may take another's place stands beside it: the shrinker tries the neighbour, and the first ones, of an index.
    """
    echo, too_big = ((8, None), (3, 4)) if family is Family.IPV4 else ((128, None), (1, 4))
    found = [
        _Service(),
        _Service("tcp"),
        _Service("udp"),
        _Service("icmp"),
        _Service("tcp", (80, 80)),
        _Service("tcp", (20, 21)),
        _Service("udp", (80, 80)),
        _Service("udp", (1024, 65535)),
        _Service("icmp", message=echo),
        _Service("icmp", message=too_big),
        _Service(),
        _Service("icmp", message=too_big),
        _Service("icmp", message=too_big),
        _Service("tcp", source_ports=(53, 53)),
        _Service(),
    ]
    found += [_Service("tcp", established=True)] * 2 if established else []
    found += [_Service(fragments=True)] if fragments else []
    return tuple(found)


class _Service(NamedTuple):
    protocol: str = "any"
    ports: Ports | None = None
    source_ports: Ports | None = None
    message: tuple[int, int | None] | None = None
    established: bool = False
    fragments: bool = False


def _rule(destination: Wildcard, source: Wildcard, service: _Service, permits: bool) -> PlainRule:
    return PlainRule(permits, service.protocol, source, destination, *service[1:])
