"""What an answer tells a person and a program, and how it is demanded."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from compiler.source import NOWHERE, Span
from compiler.testing.answer import Answer, DecidingRule, Hop, PropertyFailed, Sureness, Witness, demand
from compiler.testing.recording import recorder, recording

RULE = DecidingRule(Span("edge.cfg", 7, 1), "access-list 101 deny ip any any", "denies")
WITNESS = Witness(
    "tcp 10.1.0.1:1025 > 10.2.0.2:80 flags=syn",
    (Hop("anna"), Hop("edge", "lan", "", (RULE, DecidingRule(NOWHERE, "", "permits: the policy of chain input")))),
    "gerbang trace edge.cfg '…'",
)
FAILED = Answer("reachable: anna to server", False, Sureness.PROVED, "over all packets", "does not arrive", WITNESS)


class Notes:
    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def answered(self, answer: Answer) -> None:
        self.answers.append(answer)


def test_a_failure_is_told_in_full():
    assert FAILED.lines() == [
        "reachable: anna to server: FAILED (proved: over all packets)",
        "  does not arrive",
        "  packet:  tcp 10.1.0.1:1025 > 10.2.0.2:80 flags=syn",
        "  path:    anna",
        "           edge (in lan)",
        "             edge.cfg:7:1: access-list 101 deny ip any any [denies]",
        "             permits: the policy of chain input",
        "  repeat:  gerbang trace edge.cfg '…'",
    ]


def test_what_holds_is_one_line():
    held = Answer("no_loop", True, Sureness.TESTED, "200 packets")
    assert held.lines() == ["no_loop: holds (tested: 200 packets)"]
    assert demand(held) is held


def test_plain_data_go_through_json():
    told = json.loads(json.dumps(FAILED.as_json()))
    assert told["held"] is False
    assert told["sureness"] == "proved"
    assert told["witness"]["path"][1]["rules"][0] == {
        "file": "edge.cfg",
        "line": 7,
        "text": "access-list 101 deny ip any any",
        "did": "denies",
    }
    assert json.loads(json.dumps(replace(FAILED, witness=None).as_json()))["witness"] is None


def test_what_fails_is_raised_with_its_answer():
    with pytest.raises(AssertionError) as failed:
        demand(FAILED)
    assert isinstance(failed.value, PropertyFailed)
    assert failed.value.answer is FAILED
    assert str(failed.value) == "\n".join(FAILED.lines())


def test_a_failure_goes_from_process_to_process():
    again = pickle.loads(pickle.dumps(PropertyFailed(FAILED)))
    assert again.answer == FAILED
    assert str(again) == str(PropertyFailed(FAILED))


def test_every_answer_is_recorded_and_only_while_recording():
    notes, inner = Notes(), Notes()
    held, outer = replace(FAILED, held=True), recorder()
    with recording(notes):
        demand(held)
        with recording(inner), pytest.raises(PropertyFailed):
            demand(FAILED)
        assert recorder() is notes
    demand(held)
    assert recorder() is outer
    assert (notes.answers, inner.answers) == ([held], [FAILED])
