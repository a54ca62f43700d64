"""What scripts of others do: figures that can be told by hand."""

from __future__ import annotations

import pytest

from compiler.errors import InputErrors, UsageError
from compiler.rehearsal import Failing, RehearsalOptions, WayToFail, rehearse_script
from compiler.rehearsal.script_scene import script_scene
from compiler.rehearsal.shares import play_workload, seen_of
from tests.compiler.rehearsal.scripts import PUBLISHED, router


def shares(text: str, count: int = 240, repeated: float = 0.0):
    options = RehearsalOptions(connections=count, repeated=repeated)
    world, flows = play_workload(script_scene(text, "router.rsc"), options)
    return seen_of(world, flows)


def counts(seen) -> list[int]:
    return [one.connections for one in seen.uplinks]


def test_the_published_script_deals_evenly_into_black_holes():
    seen = shares(PUBLISHED)
    assert counts(seen) == [120, 120]
    assert seen.unfinished == 240
    assert dict(seen.reasons) == {
        "the gateway is the router's own address (Speedy1)": 120,
        "the gateway is the router's own address (Speedy2)": 120,
    }


def test_unguarded_turns_are_even_and_mark_anew_who_asks_twice():
    text = router(["nth=2,1", "nth=2,2"], guarded=False)
    assert counts(shares(text)) == [120, 120]
    seen = shares(text, repeated=0.5)
    assert 0 < seen.remarked <= 120
    assert seen.moved == seen.remarked == seen.unfinished  # one address cannot answer for both
    assert shares(text).unfinished == 0


def test_guarded_turns_of_equal_counts_leave_a_quarter_unmarked():
    """2,1 takes half; of the other half 2,2 takes every second one; the rest goes by the main table."""
    seen = shares(router(["nth=2,1", "nth=2,2"]))
    assert counts(seen) == [180, 60]
    assert [one.unmarked for one in seen.uplinks] == [60, 0]
    assert (seen.unmarked, seen.remarked, seen.unfinished) == (60, 0, 0)


def test_three_guarded_lines_leave_eight_of_27_unmarked():
    seen = shares(router(["nth=3,1", "nth=3,2", "nth=3,3"]), 270)
    assert [one.connections - one.unmarked for one in seen.uplinks] == [90, 60, 40]
    assert seen.unmarked == 80


@pytest.mark.parametrize("lines", [2, 3, 5])
def test_guarded_descending_turns_are_exact_though_every_second_one_asks_twice(lines):
    draws = [f"nth={count},1" for count in range(lines, 1, -1)] + [""]
    seen = shares(router(draws), 240, 0.5)
    assert counts(seen) == [240 // lines] * lines
    assert (seen.unmarked, seen.remarked, seen.moved, seen.unfinished) == (0, 0, 0, 0)
    assert seen.repeated == 120


def test_hashes_by_source_keep_each_client_on_one_address():
    draws = [f"per-connection-classifier=src-address:2/{n}" for n in range(2)]
    seen = shares(router(draws), 240, 0.2)
    assert seen.stickiness.pairs > 10
    assert seen.stickiness.steady == seen.stickiness.pairs
    assert (seen.stickiness.most, seen.unmarked, seen.remarked, seen.unfinished) == (1, 0, 0, 0)
    turns = shares(router(["nth=2,1", ""]))
    assert turns.stickiness.most == 2
    assert turns.stickiness.steady < turns.stickiness.pairs


def test_a_forgotten_remainder_goes_unmarked():
    draws = [f"per-connection-classifier=both-addresses-and-ports:3/{n}" for n in range(2)]
    seen = shares(router(draws))
    assert 40 < seen.unmarked < 120
    assert seen.unfinished == 0


def test_without_masquerade_nothing_comes_back():
    text = "\n".join(line for line in router(["nth=2,1", ""]).split("\n") if "out-interface=WAN2" not in line)
    seen = shares(text)
    assert dict(seen.reasons) == {"left by WAN2 without translation": 120}


def rehearsed(text: str, *failures: tuple[str, str]):
    chosen = tuple(Failing(name, WayToFail(way)) for name, way in failures)
    return rehearse_script(text, "router.rsc", options=RehearsalOptions(40, failures=chosen, downloads=False))


def test_a_black_hole_that_its_check_notices_and_the_marks_do_not():
    """The published failover: the default is checked, the marked routes are not."""
    text = router(["nth=2,1", ""], checked=False).replace("distance=1 ", "distance=1 check-gateway=ping")
    (seen,) = rehearsed(text, ("WAN1", "gateway")).failures
    assert seen.detected is None
    assert 11e9 < seen.noticed < 21.1e9
    assert 0.4 < seen.lost_part < 0.6
    assert (seen.kept, seen.silent) == (0, 8)


def test_an_isp_dead_behind_its_modem_is_not_noticed_and_said_so():
    seen = rehearsed(router(["nth=2,1", ""]), ("WAN2", "isp"))
    assert (seen.failures[0].noticed, seen.failures[0].detected) == (None, None)
    (wrong,) = seen.problems
    assert wrong == "WAN2, ISP dead behind a live modem: NOT noticed: 50% of new connections are lost for ever"
    assert wrong.partition(": ")[2] in "\n".join(seen.lines())
    assert not seen.holds
    assert not seen.is_intent


def test_calls_from_outside_are_answered_by_the_wrong_line_where_nobody_marks_them():
    text = router(["nth=2,1", ""], more="/ip firewall nat add chain=dstnat in-interface=WAN2 protocol=tcp "
                  "dst-port=8080 action=dst-nat to-addresses=192.168.3.10 to-ports=80\n")  # fmt: skip
    seen = rehearsed(text)
    assert {(one.uplink, one.what): (one.answered, one.elsewhere) for one in seen.incoming} == {
        ("WAN1", "ping to the router"): (5, 0),
        ("WAN1", "tcp 8291 to the router"): (5, 0),
        ("WAN2", "ping to the router"): (5, 0),
        ("WAN2", "tcp 8291 to the router"): (5, 0),
        ("WAN2", "tcp 8080 to 192.168.3.10:80"): (5, 0),
    }
    unmarked = "\n".join(line for line in text.split("\n") if "in-interface=WAN2 connection-state" not in line)
    wrong = [one for one in rehearsed(unmarked).incoming if one.answered < one.asked]
    assert {one.uplink for one in wrong} == {"WAN2"}
    assert all(one.answered == 0 and one.elsewhere == 5 for one in wrong if "router" in one.what)


def test_a_filter_rule_is_named_where_it_stops_a_call():
    more = "/ip firewall filter add chain=input in-interface=WAN1 protocol=tcp dst-port=8291 action=drop\n"
    (call,) = [one for one in rehearsed(router(["nth=2,1", ""], more=more)).incoming if one.answered == 0]
    assert call.uplink == "WAN1"
    ((reason, count),) = call.reasons
    assert count == 5
    assert "(line " in reason


def test_leases_and_dialled_lines_get_addresses():
    text = """\
/interface pppoe-client add name=pppoe-out1 interface=ether1 user=x add-default-route=yes
/ip dhcp-client add interface=ether2
/ip address add interface=ether3 address=192.168.3.1/24
/ip firewall nat add chain=srcnat out-interface=pppoe-out1 action=masquerade
/ip firewall nat add chain=srcnat out-interface=ether2 action=masquerade
"""
    scene = script_scene(text, "router.rsc")
    assert {line.name for line in scene.lines} == {"pppoe-out1", "ether2"}
    assert next(line for line in scene.lines if line.name == "pppoe-out1").answers_for_all
    assert shares(text, 60).unfinished == 0


def test_a_piece_without_addresses_inside_gets_a_network():
    text = "\n".join(line for line in router(["nth=2,1", ""]).split("\n") if "interface=LAN address" not in line)
    scene = script_scene(text, "router.rsc")
    assert "LAN: the script gives it no address, 192.168.88.1/24 assumed" in scene.notes
    assert counts(shares(text)) == [120, 120]
    bare = "/ip address add interface=W address=192.168.88.2/24\n/ip route add gateway=192.168.88.1\n"
    bare += "/ip firewall nat add chain=srcnat out-interface=W action=masquerade\n"
    assert script_scene(bare, "router.rsc").insides[0].own == 0xAC1D5801
    assert shares(bare, 20).unfinished == 0


ONE_LINE = """\
/ip address add interface=W address=192.168.88.2/24
/ip address add interface=LAN address=192.168.3.1/24
/ip route add gateway=192.168.88.1
/ip firewall nat add chain=srcnat out-interface=W action=masquerade
"""


def test_questions_that_are_turned_to_the_router_are_answered():
    seen = shares(ONE_LINE + "/ip firewall nat add chain=dstnat protocol=udp dst-port=53 action=redirect\n")
    assert seen.unfinished == 0
    assert 180 < sum(counts(seen)) < 240


def test_errors_that_the_router_sends_are_no_connections_of_clients():
    """No default route: the router says so to the client, and this ICMP leaves by W, for its mark has a route."""
    text = ONE_LINE.replace("gateway=192.168.88.1", "gateway=192.168.88.1 routing-table=by-w").replace(
        "/ip route", "/routing table add name=by-w fib\n/ip route"
    )
    seen = shares(text + "/ip firewall mangle add chain=output action=mark-routing new-routing-mark=by-w\n", 60)
    assert counts(seen) == [0]
    assert dict(seen.reasons) == {"no route": 60}


def test_what_is_no_balancing_router_is_said():
    with pytest.raises(UsageError, match="no uplink"):
        rehearse_script("/ip address add interface=LAN address=192.168.3.1/24\n", "router.rsc")
    with pytest.raises(InputErrors):
        rehearse_script(PUBLISHED.replace("gateway=192.168.2.254", "ateway=192.168.2.254"), "router.rsc")
    options = RehearsalOptions(connections=5, failures=(Failing("WAN9", WayToFail.LINK),))
    with pytest.raises(UsageError, match="no uplink 'WAN9': it has WAN1, WAN2"):
        rehearse_script(router(["nth=2,1", ""]), "router.rsc", options=options)
