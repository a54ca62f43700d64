"""Ten mistakes in networks: a person's property finds each, in words and conversation by conversation."""

import pytest
from hypothesis import strategies as st

from compiler.testing.answer import PropertyFailed
from compiler.testing.strategies import conversations, fault_schedules
from tests.verification.seeded.hunting import SEEDS, hunt
from tests.verification.seeded.network_faults import FAULTS, happened

IDS = [fault.name for fault in FAULTS]


def _cases(fault, model):
    """Outages of what may die, and a conversation."""
    schedules = fault_schedules(model, most=1, among=fault.among) if fault.among else st.just(())
    return st.tuples(schedules, conversations(model))


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_the_words_hold_of_the_right_network_and_fail_of_the_faulty_one(fault):
    fault.word(fault.right.verify())
    with pytest.raises(PropertyFailed) as failed:
        fault.word(fault.faulty.verify())
    assert failed.value.answer.witness is not None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_a_fault_is_found_within_300_examples_and_shrunk(fault, seed):
    found = hunt(_cases(fault, fault.faulty), lambda case: fault.wrong(happened(fault.faulty, *case)), seed)
    assert found is not None
    outages, spoken = found.witness
    told = ", ".join(map(repr, outages)), repr(spoken), happened(fault.faulty, *found.witness).lost_at
    assert told == (fault.outages, fault.spoken, fault.lost_at)


@pytest.mark.parametrize("fault", FAULTS, ids=IDS)
def test_no_conversation_breaks_the_right_network(fault):
    cases = _cases(fault, fault.right)
    assert hunt(cases, lambda case: fault.wrong(happened(fault.right, *case)), 1, 60) is None
