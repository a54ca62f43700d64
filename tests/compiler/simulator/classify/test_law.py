"""The law: columns are decided as ``decide`` decides each packet, step and reason included, by every engine."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.fields import Family
from compiler.semantics.decision import decide
from compiler.simulator.classify.classifier import Classifier
from compiler.simulator.classify.columns import columns_of
from tests.compiler.simulator.classify.conftest import ENGINES
from tests.compiler.simulator.classify.strategies import packets, stages

# Drawing lists of lists is what takes the time.
unhurried = settings(
    max_examples=max(settings.default.max_examples // 4, 1), suppress_health_check=[HealthCheck.too_slow]
)


@given(st.data(), st.sampled_from(Family))
@unhurried
def test_every_packet_is_decided_as_one_by_one(data, family):
    some = data.draw(stages(family))
    several = data.draw(st.lists(packets(family), min_size=1, max_size=20))
    expected = [decide(some, packet) for packet in several]
    for engine in ENGINES:
        classifier = Classifier(some, family, ingress="eth1", engine=engine)
        found = classifier.classify(columns_of(several))
        assert found.passes.tolist() == [decision.passes for decision in expected]
        assert [classifier.decision(number) for number in found.decision] == expected
