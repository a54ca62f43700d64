"""Ten faults of a compiler, found by drawn policies and packets at their corners, and shrunk to the minimum."""

import pytest
from hypothesis import given, settings

from compiler.policy.packet_text import format_packet
from tests.verification.seeded.compiler_faults import FAULTS, seeded
from tests.verification.seeded.compiling import cases, differs, entries_of
from tests.verification.seeded.hunting import hunt

MOST = 1_000


def _check(fault, seed):
    with seeded(fault):
        found = hunt(cases(), lambda case: differs(*case, fault.target), seed, MOST)
    assert found is not None
    policy, packet = found.witness
    assert fault.minimal.get(entries_of(policy)) == format_packet(packet), (policy, packet)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_the_compiler_is_found_and_shrunk(fault):
    _check(fault, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_with_any_seed(fault, seed):
    _check(fault, seed)


@pytest.mark.parametrize("target", ["nftables", "routeros", "ios"])
@settings(max_examples=60)
@given(case=cases())
def test_our_compiler_has_none_of_them(target, case):
    assert not differs(*case, target)
