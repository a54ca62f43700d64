"""The vocabulary, judged over records made by hand: what holds, what fails, and what the message names."""

from dataclasses import replace

import pytest

from labs.assertions import VOCABULARY, VerdictState, judge, judge_all, say
from labs.observation import DropCount, LinkCount, Observation, RuleCount
from labs.topology import Assertion, Fault, FaultKind, Lab
from labs.words.figures import jain, octets_until, percentile
from tests.labs.records import SECOND, outcome, record

MILLISECOND = 1_000_000
LAB = Lab("lab", None, faults=(Fault(FaultKind.LINK_DOWN, "wan", 5 * SECOND),))


def observed(*outcomes, **more):
    return Observation("simulator", 1, 10 * SECOND, outcomes, **more)


def verdict(observation, word, lab=LAB, **arguments):
    return judge(lab, observation, Assertion(word, tuple(arguments.items())))


def held(observation, word, **arguments):
    found = verdict(observation, word, **arguments)
    return found.state is VerdictState.HELD


FINE = outcome("fine", record(0), record(1, at=6))
REFUSED = outcome("refused", record(0, kind="refused"))
SILENT = outcome("silent", record(0, kind="timed out"))
TOLD = outcome("told", record(0, kind="prohibited", said={"reporter": 0x0A000001, "icmp_type": 3, "icmp_code": 13}))
UNFINISHED = outcome("unfinished", record(0, connected=None, ended=None))
ALL = observed(FINE, REFUSED, SILENT, TOLD, UNFINISHED)


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("connected", {"fine"}),
        ("answered", {"fine"}),
        ("refused", {"refused"}),
        ("filtered", {"silent", "told", "unfinished"}),
        ("failed", {"refused", "silent", "told", "unfinished"}),
    ],
)
def test_each_fate_has_its_word(word, right):
    assert {one.traffic for one in ALL.outcomes if held(ALL, word, traffic=one.traffic)} == right


def test_filtered_tells_silence_from_a_report():
    assert held(ALL, "filtered", traffic="silent", how="silent")
    assert not held(ALL, "filtered", traffic="silent", how="reported")
    assert held(ALL, "filtered", traffic="told", how="reported")
    assert not held(ALL, "filtered", traffic="told", how="silent")


def test_a_failed_assertion_names_the_record_and_the_reason():
    message = verdict(ALL, "connected", traffic="told").message
    assert "told#0 10.0.0.2:1024 > 192.0.2.9:80 at 1 s" in message
    assert "prohibited, said 10.0.0.1 (ICMP 3/13)" in message


def test_after_and_before_choose_by_the_moment_of_the_beginning():
    assert held(
        observed(outcome("t", record(0), record(1, at=6, kind="refused"))), "connected", traffic="t", before=SECOND * 5
    )
    assert held(
        observed(outcome("t", record(0), record(1, at=6, kind="refused"))), "failed", traffic="t", after=SECOND * 5
    )
    empty = verdict(ALL, "failed", traffic="fine", after=SECOND * 9)
    assert empty.state is VerdictState.FAILED
    assert "no connection in that time" in empty.message


def test_answered_can_ask_what_was_said():
    names = observed(outcome("names", record(0, connected=None, detail="NXDOMAIN")))
    assert held(names, "answered", traffic="names", **{"with": "NXDOMAIN"})
    assert not held(names, "answered", traffic="names", **{"with": "192.0.2.1"})


def clients(*pairs):
    """Connections of clients, each through or filtered."""
    return observed(
        *(
            outcome(f"ftp-{address}", record(client=f"172.16.{address}:1025", kind=None if through else "timed out"))
            for address, through in pairs
        )
    )


def test_connected_only_wants_exactly_the_right_clients():
    wildcard = ("172.16.6.0 0.0.0.252",)
    right = clients(("6.0", False), ("6.4", False), ("6.1", True), ("7.0", True))
    assert held(right, "connected_only", traffic="ftp-*", **{"except": wildcard})
    assert not held(right, "connected_only", traffic="ftp-*", to=wildcard)
    leak = verdict(clients(("6.4", True), ("6.1", True)), "connected_only", traffic="ftp-*", **{"except": wildcard})
    assert leak.state is VerdictState.FAILED
    assert "172.16.6.4:1025" in leak.message
    assert "should have been filtered" in leak.message
    shut = verdict(clients(("6.4", False), ("6.1", False)), "connected_only", traffic="ftp-*", **{"except": wildcard})
    assert "172.16.6.1:1025" in shut.message
    assert "should have connected" in shut.message


def test_a_refusal_is_not_a_filter_for_connected_only():
    refused = observed(outcome("ftp", record(client="172.16.6.4:1025", kind="refused")))
    assert not held(refused, "connected_only", traffic="ftp", **{"except": ("172.16.6.4",)})


def seen(*addresses):
    return observed(outcome("web", *(record(n, seen_as=f"{text}:1024") for n, text in enumerate(addresses))))


def test_seen_as_and_its_port():
    assert held(seen("192.0.2.1", "192.0.2.2"), "seen_as", traffic="web", address=("192.0.2.0/30",))
    assert not held(seen("192.0.2.1", "192.0.2.9"), "seen_as", traffic="web", address=("192.0.2.0/30",))
    assert held(seen("192.0.2.1"), "seen_as", traffic="web", address=("192.0.2.1",), port="kept")
    moved = observed(outcome("web", record(seen_as="192.0.2.1:2000")))
    assert not held(moved, "seen_as", traffic="web", address=("192.0.2.1",), port="kept")
    assert not held(observed(outcome("web", record())), "seen_as", traffic="web", address=("192.0.2.1",))


@pytest.mark.parametrize(
    ("first", "second", "within", "right"),
    [(5, 5, 0, True), (6, 5, 0, True), (6, 4, 0, False), (6, 4, 1, True), (10, 0, 4, False)],
)
def test_split_counts_connections_by_address(first, second, within, right):
    observation = seen(*["192.0.2.1"] * first, *["192.0.2.2"] * second)
    over = ("192.0.2.1", "192.0.2.2")
    assert held(observation, "split", traffic="web", over=over, within=within) is right


def test_split_knows_strangers():
    found = verdict(
        seen("192.0.2.1", "192.0.2.2", "192.0.2.3"), "split", traffic="web", over=("192.0.2.1", "192.0.2.2")
    )
    assert found.state is VerdictState.FAILED
    assert "192.0.2.3 1" in found.message


def test_sticky_wants_one_address_for_each_client():
    assert held(seen("192.0.2.1", "192.0.2.1"), "sticky", traffic="web")
    found = verdict(seen("192.0.2.1", "192.0.2.2"), "sticky", traffic="web")
    assert "10.0.0.2 as 192.0.2.1 and 192.0.2.2" in found.message


def flow(name, rate, start=0, end=10):
    """Samples each 100 ms of a steady flow of so many bits a second."""
    moments = range(start * 10, end * 10 + 1)
    samples = tuple((n * SECOND // 10, (n - start * 10) * rate // 80) for n in moments)
    return outcome(name, record(at=start, transferred=samples[-1][1]), samples=samples)


def test_throughput_is_taken_from_samples_within_the_interval():
    observation = observed(flow("a", 1_000_000), flow("b", 2_000_000))
    window = {"after": SECOND, "before": 9 * SECOND}
    assert held(observation, "throughput", traffic="a", at_least=999_000, at_most=1_001_000, **window)
    assert held(observation, "throughput", traffic="*", at_least=2_999_000, at_most=3_001_000, **window)
    slow = verdict(observation, "throughput", traffic="a", at_least=1_500_000, **window)
    assert "received 1 Mbit/s; expected at least 1.5 Mbit/s" in slow.message


def test_octets_between_samples_are_drawn_straight():
    one = outcome("t", samples=((0, 0), (10, 100), (20, 100)))
    assert [octets_until(one, moment) for moment in (0, 5, 10, 15, 25)] == [0, 50, 100, 100, 100]


def test_fairness_is_jains():
    assert jain([1, 1, 1]) == 1
    assert jain([1, 0, 0, 0]) == 0.25
    assert held(observed(flow("a", 1_000_000), flow("b", 1_010_000)), "fair", traffic="*", at_least=0.99)
    assert not held(observed(flow("a", 1_000_000), flow("b", 3_000_000)), "fair", traffic="*", at_least=0.99)
    assert not held(observed(flow("a", 1_000_000)), "fair", traffic="*", at_least=0.99)


def test_transferred_has_bounds():
    observation = observed(outcome("get", record(transferred=600), record(1, transferred=400)))
    assert held(observation, "transferred", traffic="get")
    assert held(observation, "transferred", traffic="get", exactly=1000)
    assert not held(observation, "transferred", traffic="get", at_least=1001)
    assert not held(observation, "transferred", traffic="get", at_most=999)


def test_delay_has_its_statistics():
    observation = observed(outcome("echo", delays=tuple(range(MILLISECOND, 101 * MILLISECOND, MILLISECOND))))
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99
    for of, most in (("lowest", 1), ("median", 50), ("p95", 95), ("p99", 99), ("highest", 100)):
        assert held(observation, "delay", traffic="echo", of=of, at_most=most * MILLISECOND), of
        assert not held(observation, "delay", traffic="echo", of=of, at_most=most * MILLISECOND - 1), of


def test_loss_is_a_share_of_what_was_sent():
    observation = observed(outcome("udp", sent=1000, received=990))
    assert held(observation, "loss", traffic="udp", at_most=0.01)
    assert not held(observation, "loss", traffic="udp", at_most=0.009)
    assert not held(observed(outcome("udp")), "loss", traffic="udp", at_most=1.0)


def test_recovery_is_the_first_connection_after_the_last_failure():
    records = [record(0, at=4), record(1, at=5.1, kind="timed out"), record(2, at=5.4), record(3, at=5.6)]
    assert held(observed(outcome("web", *records)), "recovers", traffic="web", within=SECOND)
    late = verdict(observed(outcome("web", *records)), "recovers", traffic="web", within=SECOND // 10)
    assert "came about again 401 ms after the fault" in late.message
    assert not held(observed(outcome("web", records[0], records[1])), "recovers", traffic="web", within=SECOND)


def test_recovery_of_a_transfer_is_its_longest_silence():
    samples = ((0, 0), (4 * SECOND, 400), (5 * SECOND, 500), (8 * SECOND, 600), (9 * SECOND, 700))
    transfer = observed(outcome("get", record(at=0), samples=samples))
    assert held(transfer, "recovers", traffic="get", within=3 * SECOND)
    assert not held(transfer, "recovers", traffic="get", within=2 * SECOND)


def test_drops_rules_and_links_are_counted():
    observation = observed(
        links=(LinkCount("wan", "up", 10, 9_900, 0), LinkCount("wan", "down", 20, 10_000, 0)),
        drops=(DropCount("router", "list 101 in", 7, "r.cfg:14:1"), DropCount("router", "no route", 1)),
        rules=(RuleCount("router", "labs/x/r.cfg:14:1", 7),),
        captures=(("wan", "x.pcapng"),),
    )
    assert held(observation, "dropped", node="router", exactly=8)
    assert held(observation, "dropped", node="router", reason="list 101", exactly=7)
    assert not held(observation, "dropped", node="router", reason="ttl")
    assert held(observation, "matches", node="router", rule="r.cfg:14", exactly=7)
    assert held(observation, "matches", node="router", rule="14", at_least=1)
    assert not held(observation, "matches", node="router", rule="4")
    assert held(observation, "captured", link="wan", exactly=30)
    assert held(observation, "carried", link="wan", direction="up", exactly=9_900)
    assert not held(observed(), "captured", link="wan")


def test_balanced_links_carry_alike():
    counts = (LinkCount("a", "down", 1, 1000, 0), LinkCount("b", "down", 1, 1010, 0), LinkCount("b", "up", 1, 5000, 0))
    observation = observed(links=counts)
    assert held(observation, "balanced", links=("a", "b"), direction="down", within=0.01)
    assert not held(observation, "balanced", links=("a", "b"), direction="down", within=0.001)
    assert not held(observation, "balanced", links=("a", "b"), within=0.01)


def test_hops_are_the_responders_in_their_order():
    hops = outcome(
        "path",
        record(1, kind=None, detail="192.0.2.9"),
        record(0, kind="time exceeded", said={"reporter": 0x0A000001}),
    )
    assert held(observed(hops), "hops", traffic="path", through=("10.0.0.1", "192.0.2.9"))
    found = verdict(observed(hops), "hops", traffic="path", through=("10.0.0.7", "192.0.2.9"))
    assert "10.0.0.1 > 192.0.2.9; expected 10.0.0.7 > 192.0.2.9" in found.message


def test_what_a_world_lacks_is_skipped_with_the_reason():
    kernel = replace(ALL, world="kernel", lacks=(("delay", "the kernel has no netem"),))
    found = verdict(kernel, "delay", traffic="fine", at_most=1)
    assert found.state is VerdictState.SKIPPED
    assert found.message == "the kernel has no delay: the kernel has no netem"
    needing = Assertion("connected", (("traffic", "fine"),), needs=frozenset({"delay"}))
    assert judge(LAB, kernel, needing).state is VerdictState.SKIPPED
    assert judge(LAB, ALL, needing).state is VerdictState.HELD
    only = Assertion("connected", (("traffic", "fine"),), worlds=frozenset({"simulator"}))
    assert judge(LAB, kernel, only).message == "asked of the simulator only"


def test_what_a_world_could_not_realise_is_skipped():
    lacks = (("traffic ftp-6.1", "its router is not one that the kernel knows"), ("node r", "an IOS router"))
    kernel = replace(ALL, world="kernel", lacks=lacks)
    assert verdict(kernel, "connected", traffic="ftp-*").state is VerdictState.SKIPPED
    assert verdict(kernel, "connected", traffic="fine").state is VerdictState.HELD
    assert verdict(kernel, "matches", node="r", rule="1").state is VerdictState.SKIPPED
    assert verdict(kernel, "dropped", node="router").state is VerdictState.SKIPPED


def test_every_assertion_of_a_lab_gets_its_verdict(small_lab):
    observation = observed(outcome("web", record()), outcome("closed", record(kind="refused")))
    assert [one.state for one in judge_all(small_lab, observation)] == [VerdictState.HELD] * 2


def test_an_assertion_is_said_with_its_units():
    said = say(Assertion("throughput", (("traffic", "a"), ("after", 5 * SECOND), ("at_least", 3_000_000))))
    assert said == "throughput a after 5 s at least 3 Mbit/s"


def test_every_word_explains_itself_and_has_its_main_argument():
    for name, word in VOCABULARY.items():
        assert word.about, name
        assert word.main in word.parameters, name
