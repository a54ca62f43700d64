"""Counts that two worlds must agree on, counts that they need not, and counters that a world has not."""

from dataclasses import replace

import pytest

from compiler.errors import InputErrors
from labs.agreement import compare
from labs.assertions import VerdictState, judge_all
from labs.determined import is_determined, uncompared
from labs.lab_file import read_lab, read_lab_file
from labs.observation import RuleCount
from labs.simulated import run
from tests.labs.test_no_false_success import HEAD

PLAIN = HEAD.replace(", delay: 100 ms, rate: 10 Mbit/s", "").replace(", rate: 3 Mbit/s", "")
FLOW = """\
traffic:
  - {name: flow, client: pc, server: server, udp: {rate: 80 kbit/s, size: 100, port: 1234, count: 10}}
"""
DRAWN = PLAIN.replace("udp dport { 7, 9 } drop", "udp dport 1234 numgen random mod 2 0 drop")
LIMITED = PLAIN.replace("udp dport { 7, 9 } drop", "udp dport 1234 limit rate 5/second accept")


def with_one_less(observation):
    (outcome,) = observation.outcomes
    return replace(observation, outcomes=(replace(outcome, received=outcome.received - 1),))


def test_datagrams_that_the_lab_determines_are_compared(lab_folder):
    lab = read_lab(lab_folder(PLAIN + FLOW))
    seen = run(lab)
    assert compare(lab, seen, seen) == ()
    (found,) = compare(lab, seen, with_one_less(seen))
    assert str(found) == "flow: sent and received: 10, 10 | 10, 9"
    assert uncompared(lab, seen, with_one_less(seen)) == ()


@pytest.mark.parametrize("head", [HEAD, DRAWN, LIMITED, PLAIN.replace("server]}", "server], loss: 1 %}")])
def test_datagrams_that_chance_decides_are_said_not_to_be(lab_folder, head):
    lab = read_lab(lab_folder(head + FLOW))
    assert not is_determined(lab, lab.traffic[0])
    seen = run(lab)
    less = with_one_less(seen)
    assert compare(lab, seen, less) == ()
    received = seen.outcomes[0].received
    assert uncompared(lab, seen, less) == (f"flow {received} | {received - 1} of 10",)


RULES = PLAIN + "traffic: [{name: web, client: pc, server: server, http: /}]\nassert:\n"


def test_a_rule_that_the_kernel_does_not_count_is_skipped_and_one_that_is_not_there_fails(lab_folder):
    lab = read_lab(
        lab_folder(RULES + '  - matches: {node: router, rule: "13"}\n  - matches: {node: router, rule: "1"}\n')
    )
    kernel = replace(run(lab), world="kernel", rules=())
    skipped, failed = judge_all(lab, kernel)
    assert (skipped.state, failed.state) == (VerdictState.SKIPPED, VerdictState.FAILED)
    assert "the rule at '13' of router has no 'counter'" in skipped.message
    counted = replace(kernel, rules=(RuleCount("router", f"{lab.source}:13:11", 3),))
    assert judge_all(lab, counted)[0].state is VerdictState.HELD


def test_rules_of_a_router_that_is_compiled_are_skipped_in_the_kernel(lab_folder):
    start, end = PLAIN.index("    interfaces:"), PLAIN.index("  server:\n")
    ios = (
        "interface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0\n ip access-group 101 in\n"
        "interface GigabitEthernet0/1\n ip address 192.0.2.1 255.255.255.0\naccess-list 101 permit ip any any\n"
    )
    text = PLAIN[:start] + "    configuration: router.cfg\n" + PLAIN[end:]
    text = text.replace("router:lan", "router:GigabitEthernet0/0").replace("router:wan", "router:GigabitEthernet0/1")
    text += "traffic: [{name: web, client: pc, server: server, http: /}]\n"
    lab = read_lab(lab_folder(text + 'assert: [matches: {node: router, rule: "6"}]\n', router__cfg=ios))
    seen = run(lab)
    assert judge_all(lab, seen)[0].state is VerdictState.HELD
    (verdict,) = judge_all(lab, replace(seen, world="kernel", rules=()))
    assert verdict.state is VerdictState.SKIPPED
    assert "the rules of router are ios" in verdict.message


def test_a_flow_whose_echoes_are_all_lost_is_not_answered(lab_folder):
    head = PLAIN.replace("udp dport { 7, 9 } drop", "udp sport 7 drop")
    lab = read_lab(
        lab_folder(
            head
            + "traffic:\n"
            + "  - {name: asked, client: pc, server: server, udp: {rate: 80 kbit/s, size: 100, port: 7, count: 4}}\n"
            + "  - {name: told, client: pc, server: server, udp: {rate: 80 kbit/s, size: 100, port: 9, count: 4}}\n"
            + "assert: [answered: asked, filtered: asked, failed: asked, answered: told]\n"
        )
    )
    seen = run(lab)
    assert seen.outcome("asked").received == 4
    failed, held = VerdictState.FAILED, VerdictState.HELD
    assert [one.state for one in judge_all(lab, seen)] == [failed, held, held, held]
    fine = read_lab(lab_folder(lab_text(lab).replace("udp sport 7 drop", "udp sport 70 drop")))
    assert [one.state for one in judge_all(fine, run(fine))] == [held, failed, failed, held]


def lab_text(lab):
    return "\n".join(lab.lines)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("throughput: {traffic: web, after: 20 s, at_most: 1 Mbit/s}", "'after' is 20 s, and the lab is over at 12 s"),
        ("throughput: {traffic: web, before: 20 s, at_most: 1 Mbit/s}", "'before' is 20 s, and the lab is over at"),
        (
            "throughput: {traffic: web, after: 5 s, before: 2 s, at_most: 1 Mbit/s}",
            "'before' is 2 s, not later than 'after', 5 s",
        ),
        ("filtered: {traffic: web, after: 5 s, before: 5 s}", "'before' is 5 s, not later than 'after', 5 s"),
    ],
)
def test_a_window_without_a_moment_of_the_lab_is_a_mistake(lab_folder, asked, said):
    with pytest.raises(InputErrors) as raised:
        read_lab(lab_folder(f"{RULES}  - {asked}\n"))
    (error,) = raised.value.errors
    assert said in error.message
    assert error.span.line == RULES.count("\n") + 1


@pytest.mark.parametrize(("timeout", "warns"), [("3 s", True), ("1 s", False)])
def test_silence_that_the_end_of_the_lab_makes_is_warned_of(lab_folder, timeout, warns):
    late = f"traffic: [{{name: late, client: pc, server: server, connect: 80, at: 10 s, timeout: {timeout}}}]\n"
    found = read_lab_file(lab_folder(f"{PLAIN}{late}assert: [filtered: {{traffic: late, how: silent}}]\n"))
    assert bool(found.warnings) is warns
    assert all("late waits for an answer until 13 s" in one.message for one in found.warnings)
