"""Where two worlds differ: what counts, and what does not."""

from dataclasses import replace

import pytest

from compiler.dialects import read
from compiler.policy.network import Network
from labs.agreement import compare
from labs.observation import Observation
from labs.topology import Configuration, Fault, FaultKind, Lab, Node, NodeKind, Traffic, TrafficKind
from tests.labs.records import SECOND, outcome, record


def differences(kind, left, right, **more):
    traffic = Traffic("t", kind, "pc", "server", **more)
    lab = Lab("lab", None, traffic=(traffic,))
    worlds = (
        Observation(world, 1, SECOND, (outcome("t", *records),))
        for world, records in (("simulator", left), ("kernel", right))
    )
    return compare(lab, *worlds)


ONE = record(seen_as="192.0.2.1:1024")


def test_the_same_records_agree():
    assert differences(TrafficKind.CONNECT, [ONE], [ONE]) == ()


def test_moments_and_chosen_ports_do_not_count():
    other = record(client="10.0.0.2:5555", seen_as="192.0.2.1:5555", connected=7, ended=9, at=2)
    assert differences(TrafficKind.CONNECT, [ONE], [other]) == ()


def test_ports_that_the_lab_chose_count():
    other = record(seen_as="192.0.2.1:2000")
    (found,) = differences(TrafficKind.CONNECT, [ONE], [other], source_ports=(1024,))
    assert str(found) == "t#0: seen as: 192.0.2.1:1024 | 192.0.2.1, port changed"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"kind": "refused"}, "came about"),
        ({"seen_as": "192.0.2.2:1024"}, "seen as"),
        ({"seen_as": None}, "seen as"),
        ({"client": "10.0.0.3:1024"}, "client"),
        ({"server": "192.0.2.8:80"}, "server"),
    ],
)
def test_what_policies_decide_counts(change, what):
    values = {"seen_as": "192.0.2.1:1024"} | change
    found = differences(TrafficKind.CONNECT, [ONE], [record(**values)])
    assert what in {difference.what for difference in found}


def test_waiting_in_vain_is_one_thing():
    silent, unfinished = record(kind="timed out"), record(connected=None, ended=None)
    assert differences(TrafficKind.CONNECT, [silent], [unfinished]) == ()
    (found,) = differences(TrafficKind.CONNECT, [silent], [record(kind="refused")])
    assert (found.left, found.right) == ("no answer", "refused")


def test_how_a_host_finds_out_does_not_count_once_something_is_broken():
    silent = outcome("t", record(at=3, kind="timed out"))
    alone = outcome("t", record(at=3, kind="unreachable", said={"reporter": 0x0A000002}))
    router = outcome("t", record(at=3, kind="unreachable", said={"reporter": 0x0A000001}))
    traffic = (Traffic("t", TrafficKind.CONNECT, "pc"),)
    left, same, other = (Observation("x", 1, SECOND, (one,)) for one in (silent, alone, router))
    broken = Lab("lab", None, traffic=traffic, faults=(Fault(FaultKind.NODE_DOWN, "centre", 2 * SECOND),))
    assert compare(broken, left, same) == ()
    assert len(compare(broken, left, other)) == 1
    assert len(compare(replace(broken, faults=()), left, same)) == 1


def test_a_compiled_list_drops_in_silence():
    told = outcome("t", record(kind="prohibited", said={"reporter": 0x0A000001}))
    silent, refused = (outcome("t", record(kind=kind)) for kind in ("timed out", "refused"))
    traffic = (Traffic("t", TrafficKind.CONNECT, "pc"),)
    device = read("access-list 101 permit ip any any\n", "r.cfg", dialect="ios")
    configuration = Configuration("ios", None, device, Network("r.cfg", "ios"))
    lab = Lab("lab", None, traffic=traffic, nodes=(Node("r", NodeKind.ROUTER, configuration=configuration),))
    left, same, other = (Observation("x", 1, SECOND, (one,)) for one in (told, silent, refused))
    assert compare(lab, left, same) == ()
    assert len(compare(lab, left, other)) == 1
    assert len(compare(replace(lab, nodes=()), left, same)) == 1


def test_who_reported_a_failure_counts():
    reports = [
        record(kind="prohibited", said={"reporter": reporter, "icmp_type": 3, "icmp_code": 13})
        for reporter in (0x0A000001, 0x0A000002)
    ]
    (found,) = differences(TrafficKind.CONNECT, [reports[0]], [reports[1]])
    assert "10.0.0.1" in found.left


def test_octets_count_where_the_lab_gives_them():
    less = replace(ONE, transferred=5)
    assert differences(TrafficKind.DOWNLOAD, [ONE], [less], duration=SECOND) == ()
    (found,) = differences(TrafficKind.DOWNLOAD, [ONE], [less], octets=10)
    assert found.what == "octets"


def test_answers_count_where_a_protocol_has_them():
    first, second = (record(detail=text) for text in ("192.0.2.1", "NXDOMAIN"))
    assert [found.what for found in differences(TrafficKind.DNS, [first], [second])] == ["answer"]
    assert differences(TrafficKind.CONNECT, [first], [second]) == ()


def test_missing_connections_and_activities_are_told():
    assert [found.what for found in differences(TrafficKind.CONNECT, [ONE], [])] == ["connections"]
    lab = Lab("lab", None, traffic=(Traffic("t", TrafficKind.PING, "pc"),))
    there = Observation("simulator", 1, SECOND, (outcome("t", sent=3, received=3),))
    assert [found.what for found in compare(lab, there, replace(there, outcomes=()))] == ["outcome"]
    skipped = replace(there, outcomes=(), lacks=(("traffic t", "no such router here"),))
    assert compare(lab, there, skipped) == ()
    lost = replace(there, outcomes=(outcome("t", sent=3, received=2),))
    assert [found.what for found in compare(lab, there, lost)] == ["sent and received"]
