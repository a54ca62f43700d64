"""Compiles and comparisons as values."""

from __future__ import annotations

import pickle

import pytest

from appliance.workbench.comparing import compare_texts
from appliance.workbench.compiling import Choice, Outcome, compile_text, pairs_of
from appliance.workbench.tracing import trace_text
from compiler.errors import UsageError
from tests.appliance.workbench.sources import BOUND, LABS, MAPPED, WIDER, nothing, paper_cases


@pytest.mark.parametrize("target", ["nftables", "routeros6", "routeros7", "ios"])
def test_a_bound_list_is_proved_on_every_target(target):
    interfaces = MAPPED if target != "ios" else ()
    done = compile_text(BOUND, "edge.cfg", Choice(target, interfaces), nothing)
    assert done.outcome is Outcome.PROVED, done.remarks
    assert done.proof[0].startswith("PROVED")
    assert "contexts" in done.size
    ((end, text),) = done.files
    assert end == ""
    # What is shown as proved is equal when it is read as a text of its own.
    end = {"nftables": "nft", "ios": "cfg"}.get(target, "rsc")
    again = compare_texts(("edge.cfg", BOUND), (f"out.{end}", text), interfaces, nothing)
    assert again.is_equal, again


@pytest.mark.parametrize(("case", "path", "denied"), paper_cases(), ids=lambda one: str(one)[:8])
def test_the_cases_of_the_paper_compile_and_are_proved(case, path, denied):
    done = compile_text(path.read_text(), path.name, Choice("nftables", MAPPED), nothing)
    assert done.outcome is Outcome.PROVED
    assert pickle.loads(pickle.dumps(done)) == done


def test_a_writer_that_lies_is_caught_with_a_witness(monkeypatch):
    from compiler.dialects.nftables import writer

    honest = writer.write
    monkeypatch.setattr(writer, "write", lambda *a, **k: honest(*a, **k).replace("dport 21", "dport 22"))
    done = compile_text(BOUND, "edge.cfg", Choice("nftables", MAPPED), nothing)
    assert done.outcome is Outcome.DISPROVED
    assert done.files == ()
    assert done.witnesses
    seen = {
        (witness.left.split(": ")[1].split()[0], witness.right.split(": ")[1].split()[0]) for witness in done.witnesses
    }
    assert seen <= {("stopped", "passes"), ("passes", "stopped")}
    assert any(":21 " in f"{witness.packet} " or ":22 " in f"{witness.packet} " for witness in done.witnesses)
    assert {7, 8} & {witness.left_line for witness in done.witnesses}


def test_what_is_missing_is_said():
    assert compile_text(BOUND, "edge.cfg", Choice("nftables"), nothing).outcome is Outcome.WRONG_USE
    assert compile_text(" ", "edge.cfg", Choice("nftables"), nothing).outcome is Outcome.WRONG_USE
    assert compile_text("a: 1", "x.yaml", Choice("nftables"), nothing).outcome is Outcome.WRONG_USE
    unread = compile_text(BOUND.replace("deny", "denny"), "edge.cfg", Choice("ios"), nothing)
    assert unread.outcome is Outcome.UNREADABLE
    assert unread.remarks[0].line == 7


def test_a_refusal_has_its_place_and_a_bound_is_told():
    text = BOUND.replace("permit ip any any", "permit ip any any option any-options")
    assert compile_text(text, "e.cfg", Choice("nftables", MAPPED), nothing).outcome is Outcome.UNREADABLE
    done = compile_text(text, "e.cfg", Choice("nftables", MAPPED, bound=True), nothing)
    assert done.outcome is Outcome.NARROWER
    assert done.remarks[0].line == 8


def test_an_intent_compiles_to_linux_in_two_files():
    intents = sorted((LABS / "two-isps" / "intents").glob("*.yaml"))
    done = compile_text(intents[0].read_text(), intents[0].name, Choice("linux"), nothing)
    assert done.outcome is Outcome.PROVED, done.remarks
    assert [end for end, _text in done.files] == ["", ".ip"]
    assert "cases" in done.size
    assert compile_text(intents[0].read_text(), intents[0].name, Choice("ios"), nothing).outcome is Outcome.WRONG_USE


@pytest.mark.parametrize("words", ["a", "a=", "=b", "a=b a=c"])
def test_pairs_that_are_none(words):
    with pytest.raises(UsageError):
        pairs_of(words)


def test_pairs():
    assert pairs_of("Gi0/1=eth0, Gi0/2=eth1") == (("Gi0/1", "eth0"), ("Gi0/2", "eth1"))


def test_a_change_has_a_witness_that_a_trace_confirms_on_both_sides():
    from appliance.workbench.tracing import asked_of

    done = compare_texts(("old.cfg", BOUND), ("new.cfg", WIDER), (), nothing)
    assert not done.is_equal
    assert {change.newly for change in done.changes} == {"permitted"}
    for change in done.changes:
        asked = asked_of(change.witness.packet)
        old, new = (trace_text(text, "x.cfg", asked, nothing) for text in (BOUND, WIDER))
        assert (old.passes, new.passes) == (False, True)
        assert (old.deciding[-1][0], new.deciding[-1][0]) == (change.witness.left_line, change.witness.right_line)


def test_what_cannot_be_compared_is_said():
    assert compare_texts(("a.cfg", "x"), ("b.yaml", "a: 1"), (), nothing).remarks
    broken = compare_texts(("a.cfg", BOUND), ("b.cfg", BOUND.replace("deny", "denny")), (), nothing)
    assert (broken.remarks[0].source, broken.remarks[0].line) == ("b.cfg", 7)
