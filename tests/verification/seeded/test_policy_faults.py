"""Twenty mistakes in policies: a person's property finds each, in words and packet by packet.

``python -m tests.benchmarks.strategies`` prints the table: fault, examples to the first hit, packet, rule.
"""

import pytest

from compiler.policy.packet_text import format_packet
from compiler.testing.strategies import packets_near
from tests.verification.seeded.asking import answers, broken_rule, is_wrong, policy_of
from tests.verification.seeded.hunting import SEEDS, hunt
from tests.verification.seeded.policy_faults import FAULTS

IDS = [fault.name for fault in FAULTS]


def _near(fault, text):
    """Packets at the corners of the policy, and of what the property names."""
    policy = policy_of(text, fault.dialect)
    return policy, packets_near(policy, *(claim.headers for claim in fault.claims), family=fault.family)


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_the_words_hold_of_the_right_policy_and_fail_of_the_faulty_one(fault):
    assert all(answer.held for answer in answers(policy_of(fault.right, fault.dialect), fault.claims))
    failed = [answer for answer in answers(policy_of(fault.faulty, fault.dialect), fault.claims) if not answer.held]
    assert failed
    (rule,) = failed[0].witness.path[-1].rules
    assert fault.rule in str(rule)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_a_fault_is_found_within_300_examples_and_shrunk(fault, seed):
    policy, near = _near(fault, fault.faulty)
    found = hunt(near, lambda packet: is_wrong(policy, fault.claims, packet), seed)
    assert found is not None
    assert format_packet(found.witness) == fault.packet
    assert broken_rule(fault, found.witness) == fault.rule


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_no_packet_breaks_the_right_policy(fault):
    policy, near = _near(fault, fault.right)
    assert hunt(near, lambda packet: is_wrong(policy, fault.claims, packet), 1, 120) is None
