"""All sets of dead cables and nodes: what a sweep finds is what ``under`` finds, set by set."""

import pytest

from compiler.errors import UsageError
from compiler.testing.answer import PropertyFailed
from compiler.testing.networks.model import network
from compiler.testing.sweeps import Summary, sweep
from compiler.testing.sweeps.failing import DeadParts, FailureCheck, FailureSets, without
from compiler.testing.sweeps.properties import network_property

NEAR = {"lan": "10.1.0.1/24", "a": "10.9.0.1/30", "b": "10.9.1.1/30"}
FAR = {"lan": "10.2.0.1/24", "a": "10.9.0.2/30", "b": "10.9.1.2/30"}


@pytest.fixture(scope="module")
def lan():
    """Two routers in a row, with two cables between them of which routes use one only, and a way round."""
    return (
        network()
        .host("anna", "10.1.0.2/24", gateway="10.1.0.1")
        .host("server", "10.2.0.2/24", gateway="10.2.0.1")
        .router("near", ports=NEAR, routes={"10.2.0.0/24": "10.9.0.2"})
        .router("far", ports=FAR, routes={"10.1.0.0/24": "10.9.0.1"})
        .cable("anna", "near:lan")
        .cable("server", "far:lan")
        .cable("near:a", "far:a", name="first")
        .cable("near:b", "far:b", name="second")
    )


def swept(lan, most, *properties, **words):
    check = FailureCheck(lan, tuple(network_property(text) for text in properties))
    return {one.identity: one for one in sweep(FailureSets(lan, most), check, **({"processes": 0} | words))}


def test_every_set_has_its_own_result(lan):
    found = swept(lan, 1, "reachable anna server tcp/80")
    assert {identity: one.held for identity, one in found.items()} == {
        "without nothing": True,
        "without near": False,
        "without far": False,
        "without first": False,
        "without second": True,
    }
    assert len(FailureSets(lan, 2)) == len(swept(lan, 2, "no_loop")) == 11
    assert len(FailureSets(lan, 9)) == len(list(FailureSets(lan, 9))) == 16


def test_a_sweep_and_under_agree(lan):
    found = swept(lan, 2, "reachable anna server tcp/80", "unreachable server anna tcp/23")
    for identity, one in found.items():
        dead = frozenset(identity.removeprefix("without ").replace("nothing", "").split(", ")) - {""}
        verification = without(lan, dead).verify()
        held = []
        for word, ends in (("reachable", ("anna", "server", "tcp/80")), ("unreachable", ("server", "anna", "tcp/23"))):
            try:
                getattr(verification, word)(*ends)
                held.append(True)
            except PropertyFailed:
                held.append(False)
        assert [answer["held"] for answer in one.answers] == held
    with pytest.raises(PropertyFailed):
        lan.verify().under(1).reachable("anna", "server", "tcp/80")


def test_processes_find_the_same(lan):
    properties = ("reachable anna server tcp/80", "no_loop")
    alone = {name: one.substance for name, one in swept(lan, 2, *properties).items()}
    assert {name: one.substance for name, one in swept(lan, 2, *properties, processes=2).items()} == alone


def test_the_fewest_dead_parts_are_shown(lan):
    summary = Summary()
    for one in reversed(swept(lan, 3, "reachable anna server tcp/80").values()):
        summary.add(one)
    assert all(group.simplest.weight == 1 for group in summary.groups())


def test_a_network_that_changed_is_another_question(lan):
    asked = (network_property("no_loop"),)
    other = lan.host("bert", "10.1.0.3/24")
    assert FailureCheck(lan, asked).fingerprint == FailureCheck(lan, asked).fingerprint
    assert FailureCheck(lan, asked).fingerprint != FailureCheck(other, asked).fingerprint


def test_wrong_use_is_said(lan):
    with pytest.raises(UsageError, match="nobody"):
        without(lan, frozenset({"nobody"}))
    with pytest.raises(UsageError, match="failures"):
        FailureSets(lan, -1)
    with pytest.raises(UsageError, match="nobody"):
        FailureSets(lan, 1, ("nobody*",))
    with pytest.raises(UsageError, match="expected via"):
        network_property("via anna server")
    for text in ("reachable anna bert", "unreachable anna* 10.2.0.2/33", "via anna server nobody"):
        with pytest.raises(UsageError):
            FailureCheck(lan, (network_property(text),))
    assert DeadParts(frozenset()).identity == "without nothing"
