"""How soon three strategies meet ten faults of a compiler, and how often they shrink to the minimum.

``python -m tests.benchmarks.strategies [SEEDS [MOST]]``, each search of up to MOST examples: policies and packets drawn
independently and uniformly; uniform policies with packets at their corners;
the public strategies (tiny alphabet and corners). Then, for thirty mistakes in
policies and networks, the examples to the first hit and what is left.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from hypothesis import strategies as st

from compiler.addresses import Wildcard
from compiler.dialects import read
from compiler.errors import CannotSay
from compiler.fields import Family
from compiler.policy.packet import Packet
from compiler.policy.packet_text import format_packet
from compiler.testing.policies import Policy
from compiler.testing.strategies import conversations, fault_schedules, packets_near
from compiler.testing.strategies.cisco import configuration
from compiler.testing.strategies.policies import drawn
from compiler.testing.strategies.rules import PlainRule
from tests.verification.seeded import compiler_faults, network_faults, policy_faults
from tests.verification.seeded.asking import broken_rule, is_wrong, policy_of
from tests.verification.seeded.compiling import cases, differs, entries_of
from tests.verification.seeded.hunting import Hunt, hunt, middle

MOST = 1_000

_ADDRESS = st.integers(0, (1 << 32) - 1)
_PORT = st.integers(0, 65535)
_PORTS = st.none() | st.tuples(_PORT, _PORT).map(lambda pair: (min(pair), max(pair)))


def _place(value: int, mask: int) -> Wildcard:
    return Wildcard.of(value, mask)


_PLACES = st.builds(_place, _ADDRESS, st.sampled_from(((1 << 32) - 1, 0, 0xFFFF)) | st.integers(0, 255))
_UNIFORM_RULES = st.builds(
    PlainRule,
    permits=st.booleans(),
    protocol=st.sampled_from(("any", "tcp", "udp", "icmp")),
    source=_PLACES,
    destination=_PLACES,
    ports=_PORTS,
    source_ports=_PORTS,
    message=st.none() | st.tuples(st.integers(0, 18), st.none() | st.integers(0, 15)),
    established=st.booleans(),
    fragments=st.booleans(),
)
_UNIFORM_PACKETS = st.builds(
    Packet,
    st.just(Family.IPV4),
    _ADDRESS,
    _ADDRESS,
    st.sampled_from((6, 17, 1)),
    _PORT,
    _PORT,
    st.integers(0, 255),
    st.integers(0, 18),
    st.integers(0, 15),
    noninitial=st.booleans(),
    ingress=st.just("GigabitEthernet0/1"),
)


def _policy(rules: list[PlainRule]) -> Policy:
    return drawn(read(configuration(rules), "drawn", dialect="ios"))


_UNIFORM_POLICIES = st.lists(_UNIFORM_RULES, min_size=1, max_size=4).map(_policy)


STRATEGIES = {
    "independent and uniform": st.tuples(_UNIFORM_POLICIES, _UNIFORM_PACKETS),
    "uniform policy, packet at a corner": cases(_UNIFORM_POLICIES),
    "tiny alphabet and corners": cases(),
}


def _clauses(policy: Policy) -> int:
    return sum(len(line.split()) for line in entries_of(policy))


def compare(seeds: int, most: int = MOST) -> None:
    """The table of the strategies."""
    print(f"{'':36} {'found':>7} {'first hit':>10} {'minimal':>8} {'s each':>7}")
    for name, examples in STRATEGIES.items():
        firsts, minimal, found, begun = [], 0, 0, process_time()
        for fault in compiler_faults.FAULTS:
            least = min(sum(len(line.split()) for line in entries) for entries in fault.minimal)
            with compiler_faults.seeded(fault):
                hunts = [hunt(examples, _judge(fault.target), seed, most) for seed in range(seeds)]
            caught = [one for one in hunts if one is not None]
            firsts.append(middle([one or Hunt(most, None, most) for one in hunts]))
            found += len(caught) == seeds
            minimal += len(caught) == seeds and all(_clauses(one.witness[0]) <= least + 2 for one in caught)
        each = (process_time() - begun) / len(compiler_faults.FAULTS) / seeds
        print(f"{name:36} {found:>4}/10 {min(firsts):>4} to {max(firsts):>4} {minimal:>5}/10 {each:>7.2f}")
        print(f"{'':36}   medians: {' '.join(map(str, firsts))}")


def _judge(target: str) -> Callable[[Any], bool]:
    def is_wrong_case(case: Any) -> bool:
        try:
            return differs(*case, target)
        except CannotSay:  # a refusal is no wrong text
            return False

    return is_wrong_case


def thirty(seeds: int) -> None:
    """The table of the thirty mistakes."""
    print(f"\n{'mistake':40} {'first hit':>9}  left by the shrinker")
    for fault in policy_faults.FAULTS:
        policy = policy_of(fault.faulty, fault.dialect)
        near = packets_near(policy, *(claim.headers for claim in fault.claims), family=fault.family)
        hunts = [_found(near, _breaks(policy, fault), seed) for seed in range(seeds)]
        packet = hunts[0].witness
        print(f"{fault.name:40} {middle(hunts):>9}  {format_packet(packet)}\n{'':52}{broken_rule(fault, packet)}")
    for mistake in network_faults.FAULTS:
        schedules = fault_schedules(mistake.faulty, most=1, among=mistake.among) if mistake.among else st.just(())
        cases = st.tuples(schedules, conversations(mistake.faulty))
        hunts = [_found(cases, _fails(mistake), seed) for seed in range(seeds)]
        outages, spoken = hunts[0].witness
        print(f"{mistake.name:40} {middle(hunts):>9}  {', '.join((*map(repr, outages), repr(spoken)))}")


def _found(cases: st.SearchStrategy[Any], is_wrong_case: Callable[[Any], bool], seed: int) -> Hunt:
    found = hunt(cases, is_wrong_case, seed)
    assert found is not None
    return found


def _breaks(policy: Policy, fault: policy_faults.PolicyFault) -> Callable[[Any], bool]:
    return lambda packet: is_wrong(policy, fault.claims, packet)


def _fails(fault: network_faults.NetworkFault) -> Callable[[Any], bool]:
    return lambda case: fault.wrong(network_faults.happened(fault.faulty, *case))


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    compare(number, int(sys.argv[2]) if len(sys.argv) > 2 else MOST)
    thirty(number)
