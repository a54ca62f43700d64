"""The limits: never more than the limit in any window, whatever happens, also over a restart."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.services.mail.limits_counts import Allowance, Counts
from appliance.services.mail.limits_rules import Rules, answer, read_rules

WINDOW = 100.0
STEPS = st.lists(
    st.tuples(
        st.floats(min_value=-20, max_value=90, allow_nan=False),  # seconds that the clock moves, also back
        st.sampled_from(["siti", "budi"]),
        st.integers(min_value=1, max_value=6),
        st.booleans(),  # a restart before it
    ),
    max_size=40,
)


# What was forgotten before the clock went back into its window.
@example([(0.0, "siti", 1, False), (90.0, "budi", 1, False), (10.0, "budi", 1, True), (-5.0, "siti", 1, False)], 1, 0)
@example([(0.0, "siti", 1, False), (50.0, "a", 1, False), (50.0, "a", 1, True), (-5.0, "siti", 1, True)], 0, 1)
@given(STEPS, st.integers(min_value=0, max_value=5), st.integers(min_value=0, max_value=12))
def test_no_window_holds_more_than_the_limit(steps, messages, recipients):
    allowance = Allowance(messages=messages, recipients=recipients)
    accepted = []
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sent.sqlite"
        counts, now = Counts(path, WINDOW), 1_000.0
        for moved, login, number, restarted in steps:
            now += moved
            if restarted:
                counts.close()
                counts = Counts(path, WINDOW)
                counts.forget(now)
            if counts.take(login, number, allowance, now):
                refused += 1
            else:
                accepted.append((now, login, number))
        counts.close()
    assert len(accepted) + refused == len(steps)
    for end, login, _ in accepted:
        held = [number for at, who, number in accepted if who == login and end - WINDOW < at <= end]
        assert not messages or len(held) <= messages
        assert not recipients or sum(held) <= recipients


@given(st.lists(st.floats(min_value=0, max_value=90), max_size=20))
def test_what_is_allowed_is_not_refused(moves):
    """Whoever stays below the limit in each window is never told to wait."""
    counts, now, times = Counts(":memory:", WINDOW), 0.0, []
    for move in moves:
        now += move
        free = sum(1 for at in times if at > now - WINDOW) < 3
        taken = counts.take("siti", 1, Allowance(messages=3, recipients=0), now) == ""
        assert taken is free
        if taken:
            times.append(now)
    counts.close()


def test_a_clock_set_back_by_days_finds_nothing_forgotten_free(tmp_path):
    """Behind what was forgotten, also over a restart, time stands still: no window there is taken for an empty one."""
    allowance = Allowance(messages=2, recipients=0)
    counts = Counts(tmp_path / "sent.sqlite", WINDOW)
    assert [counts.take("siti", 1, allowance, 1_000.0) for _ in range(2)] == ["", ""]
    counts.forget(1_000.0 + 30 * WINDOW)
    assert counts.sent("siti", 1_000.0).messages == 0
    counts.close()
    counts = Counts(tmp_path / "sent.sqlite", WINDOW)
    counts.forget(950.0)
    floor = 1_000.0 + 6 * WINDOW
    assert [counts.take("siti", 1, allowance, now) for now in (950.0, 1_000.0, 1_300.0)] == ["", "", "messages"]
    assert counts.sent("siti", floor + WINDOW - 1).messages == 2
    assert counts.take("siti", 1, allowance, floor + WINDOW) == ""
    counts.close()


def test_a_refused_message_does_not_count():
    counts = Counts(":memory:", WINDOW)
    allowance = Allowance(messages=2, recipients=5)
    assert counts.take("siti", 6, allowance, 0) == "recipients"
    assert counts.take("siti", 5, allowance, 1) == ""
    assert counts.take("siti", 1, allowance, 2) == "recipients"
    assert counts.sent("siti", 3).messages == 1
    counts.close()


RULES = Rules(
    accounts={"siti": Allowance(messages=1, recipients=10), "dr.ani": Allowance(messages=0, recipients=0)},
    guards={"dokter@x.id": frozenset({"dr.ani"}), "perawat@x.id": None},
    recipients_per_message=20,
    postmaster="kepala@x.id",
    seconds=3600.0,
)


@pytest.mark.parametrize(
    ("login", "recipient", "taken"),
    [
        ("dr.ani", "dokter@x.id", True),
        ("dr.ani", "Dokter+kamar@X.id", True),
        ("siti", "dokter@x.id", False),
        ("siti", "DOKTER+kamar@x.ID", False),
        ("siti", "dokter@x.id.", False),
        ("siti", "perawat@x.id", True),
        ("", "perawat@x.id", False),
        ("", "siti@x.id", True),
    ],
)
def test_a_list_is_written_to_by_whom_it_says(login, recipient, taken):
    request = {"protocol_state": "RCPT", "sasl_username": login, "recipient": recipient}
    with closing(Counts(":memory:")) as counts:
        said = answer(request, RULES, counts, 0)
    assert (said == "DUNNO") is taken
    assert taken or said.startswith("REJECT 5.7.2 ")


def test_refusals_name_the_limit_and_whom_to_ask():
    counts = Counts(":memory:")

    def asked(login: str, recipients: int) -> str:
        request = {"protocol_state": "DATA", "sasl_username": login, "recipient_count": str(recipients)}
        return answer(request, RULES, counts, 5.0)

    assert asked("SITI@x.id", 1) == "DUNNO"
    later = asked("siti", 1)
    assert later.startswith("DEFER_IF_PERMIT 4.7.1 siti may send 1 messages in an hour")
    assert "kepala@x.id" in later
    assert asked("siti", 11).startswith("REJECT 5.5.3 One mail may go to 10 recipients, this one has 11.")
    assert asked("dr.ani", 21).startswith("REJECT 5.5.3 One mail may go to 20 recipients")
    assert [asked("dr.ani", 20) for _ in range(30)] == ["DUNNO"] * 30
    assert asked("lama", 1).startswith("REJECT 5.7.1 The account lama may not send.")
    assert asked("", 1).startswith("REJECT 5.7.1 ")
    counts.close()


def test_rules_are_read_beside_the_own_folder_through_its_link(tmp_path):
    own, other = tmp_path / "7" / "mail.limits", tmp_path / "7" / "mail.accounts"
    own.mkdir(parents=True)
    other.mkdir()
    (own / "policy.json").write_text(json.dumps({"seconds": 60, "recipients_per_message": 3, "postmaster": "k@x.id"}))
    limits = {"accounts": {"a": {"messages": 1, "recipients": 2}}, "guards": {"l@x.id": ["a"], "m@x.id": None}}
    (other / "limits.json").write_text(json.dumps(limits))
    link = tmp_path / "links" / "mail.limits"
    link.parent.mkdir()
    link.symlink_to(own)
    rules = read_rules(link)
    assert rules.accounts == {"a": Allowance(messages=1, recipients=2)}
    assert rules.guards == {"l@x.id": frozenset({"a"}), "m@x.id": None}
