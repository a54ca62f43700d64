"""State machines of networks: a sound network survives them, a faulty one fails by the fewest steps."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from compiler.testing.strategies import network_machine, star

QUICK = settings(
    max_examples=30,
    stateful_step_count=8,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
LINES = ("isp1", "isp2")


class _Failover(network_machine(star(1, 2, True), among=LINES, services=((6, 80),))):
    """From the client, while a line works: RouterOS asks its gateways every ten seconds."""

    def delivered(self, sent):
        if sent.source == "client1" and len(self.dead) < 2:
            assert sent.returned, f"{sent.journey.sent} while {self.dead} is dead"


def test_a_translated_failover_survives():
    run_state_machine_as_test(_Failover, settings=QUICK)


class _Foolish(network_machine(star(1, 1), among="isp1", services=((6, 80),))):
    """Who believes that a line never dies."""

    steps = 0

    def delivered(self, sent):
        assert sent.arrived

    def always(self):
        type(self).steps += 1


def test_a_machine_fails_by_the_fewest_steps():
    with pytest.raises(AssertionError) as failed:
        run_state_machine_as_test(_Foolish, settings=settings(QUICK, max_examples=300))
    told = "\n".join(failed.value.__notes__)
    assert told.count("state.link_down(part='isp1')") == 1
    assert told.count("state.send(") == 1
    assert "advance" not in told
    assert "reload" not in told
    assert _Foolish.steps > 0
