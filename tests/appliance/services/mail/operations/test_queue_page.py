"""A page out of a large queue, and a message's structure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from appliance.services.mail.health_operation import redacted_line
from appliance.services.mail.queue_page import RECIPIENTS, Wanted, page_of
from appliance.services.mail.queue_structure import structure_of


def line(number: int, queue: str = "deferred", recipients: int = 1, reason: str = "refused") -> bytes:
    told = {
        "queue_name": queue, "queue_id": f"A{number:09X}", "arrival_time": 1_700_000_000 - number,
        "message_size": 100, "forced_expire": False, "sender": f"s{number}@x.example",
        "recipients": [{"address": f"r{one}@y.example", "delay_reason": reason} for one in range(recipients)],
    }  # fmt: skip
    return json.dumps(told).encode() + b"\n"


def wanted(**more: Any) -> Wanted:
    return Wanted(**{"queue": "all", "search": "", "offset": 0, "count": 10, **more})


def test_only_the_page_of_a_long_queue_is_kept() -> None:
    kept = 0

    def lines() -> Iterator[bytes]:
        nonlocal kept
        for number in range(30_000):
            kept += 1
            yield line(number)

    page = page_of(lines(), wanted(offset=50, count=20))
    assert kept == page["matching"] == page["queues"]["deferred"] == 30_000
    # The oldest first: they came last.
    assert [row["sender"] for row in page["rows"]] == [f"s{29_999 - place}@x.example" for place in range(50, 70)]
    assert page["oldest"] == 1_700_000_000 - 29_999
    assert len(json.dumps(page)) < 10_000


def test_many_recipients_are_counted_and_their_reason_said_once() -> None:
    (row,) = page_of([line(1, recipients=50)], wanted())["rows"]
    assert (len(row["recipients"]), row["more"], row["reason"]) == (RECIPIENTS, 45, "refused")


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["active", "deferred", "hold"])), max_size=30),
       st.integers(1, 7))  # fmt: skip
def test_pages_are_the_whole_in_its_order(messages: list[tuple[int, str]], count: int) -> None:
    lines = [line(number * 100 + place, queue) for place, (number, queue) in enumerate(messages)]
    whole = page_of(lines, wanted(count=1_000))["rows"]
    pages = [row for first in range(0, len(lines), count)
             for row in page_of(lines, wanted(offset=first, count=count))["rows"]]  # fmt: skip
    assert pages == whole
    held = page_of(lines, wanted(queue="hold", count=1_000))
    assert held["matching"] == sum(queue == "hold" for _number, queue in messages) == len(held["rows"])


def test_a_line_that_is_no_message_is_counted() -> None:
    page = page_of([b"{", b"[]", b'{"queue_name": "hold"}', b"\n", line(1)], wanted())
    assert (page["unread"], page["matching"]) == (3, 1)


def test_a_structure_has_neither_subject_nor_names_nor_text() -> None:
    message = (
        b"From: a@x.example\nSubject: Tn. Amir\nX-Secret: cancer\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/plain\n\nthe diagnosis\n--b\nContent-Type: message/rfc822\n\n"
        b"Subject: inner secret\nContent-Type: application/pdf; name=amir.pdf\n\nxyz\n--b--\n"
    )
    told = structure_of(message)
    assert dict(told["headers"]) == {"From": "a@x.example", "Content-Type": "multipart/mixed"}
    assert [(part["depth"], part["type"]) for part in told["parts"]] == [
        (0, "multipart/mixed"), (1, "text/plain"), (1, "message/rfc822"), (2, "application/pdf")]  # fmt: skip
    said = json.dumps(told)
    assert not any(word in said for word in ("Amir", "amir", "cancer", "diagnosis", "secret"))


@given(st.binary(max_size=400))
def test_any_octets_have_a_structure(message: bytes) -> None:
    json.dumps(structure_of(message))


def test_secrets_do_not_come_out_of_a_log() -> None:
    for secret in (
        "password=hunter2", "pass: hunter2", 'PASSWORD="hunter2"', "AUTH PLAIN hunter2", "{ARGON2ID}$hunter2",
        "resp=hunter2", "token=hunter2,", "Authorization: hunter2",
    ):  # fmt: skip
        assert "hunter2" not in redacted_line(f"before {secret} after"), secret
    assert redacted_line("status=sent (250 2.0.0 Saved)") == "status=sent (250 2.0.0 Saved)"
