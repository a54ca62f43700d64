"""The router and the Linux kernel say the same of random packets under random policies, octet for octet."""

from __future__ import annotations

import pytest

from tests.compiler.simulator.router.agreement import compare_random, explained

_POLICIES = 200
_PACKETS = 5_000
_PARTS = 8


def check(kernel, seed: str, packets: int) -> int:
    played = compare_random(kernel, seed, packets)
    if played.difference is not None:
        pytest.fail(explained(kernel, seed, played))
    return played.packets


@pytest.mark.parametrize("part", range(4))
def test_ten_thousand_random_packets(kernel, part):
    assert sum(check(kernel, f"short {part} {policy}", 250) for policy in range(10)) == 2_500


@pytest.mark.long
@pytest.mark.parametrize("part", range(_PARTS))
def test_a_million_random_packets(kernel, part):
    """The judged figure, in parts that run side by side: 200 policies, 5,000 packets each, no difference."""
    policies = range(part, _POLICIES, _PARTS)
    assert sum(check(kernel, f"long {policy}", _PACKETS) for policy in policies) == len(policies) * _PACKETS
