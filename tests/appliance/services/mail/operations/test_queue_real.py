"""The queue of a real Postfix, through the operations as the helper does them; and what its logs tell afterwards."""

from __future__ import annotations

import gzip
import json
import os
import time
from typing import Any

import pytest

from appliance.helper.answers import HelperRefused
from appliance.supervisor.errors import SupervisionFailed
from tests.appliance.services.mail.operations.conftest import House, wait_until

# One set of daemons, and the tests follow each other on it.


def waiting(house: House, **more: Any) -> dict[str, Any]:
    page: dict[str, Any] = house.perform("queue-list", more.pop("search", ""), **{**_ALL, **more})
    return page


_ALL = {"queue": "all", "offset": 0, "count": 100}


@pytest.fixture(scope="module")
def stuck(house: House) -> House:
    """Three messages wait for a server that does not answer."""
    for place in range(3):
        house.send("siti@rssulsel.com", f"x{place}@stuck.example", number=f"<s{place}@rssulsel.com>")
    wait_until(lambda: waiting(house)["queues"] == {"deferred": 3})
    return house


def test_what_waits_is_told_with_why(stuck: House) -> None:
    page = waiting(stuck)
    assert [row["recipients"] for row in page["rows"]] == [[f"x{place}@stuck.example"] for place in range(3)]
    assert all("Connection refused" in row["reason"] for row in page["rows"])
    assert page["matching"] == 3
    assert abs(page["oldest"] - time.time()) < 3_600


def test_a_search_and_a_page(stuck: House) -> None:
    assert [row["sender"] for row in waiting(stuck, search="X1@STUCK")["rows"]] == ["siti@rssulsel.com"]
    page = waiting(stuck, offset=1, count=1)
    assert page["matching"] == 3
    assert [row["recipients"] for row in page["rows"]] == [["x1@stuck.example"]]
    assert waiting(stuck, queue="hold")["rows"] == []


def test_a_message_is_held_and_released_and_put_in_the_queue_anew(stuck: House) -> None:
    number = waiting(stuck)["rows"][0]["id"]
    assert stuck.perform("queue-hold", [number]) == {"asked": 1, "done": 1}
    assert [row["id"] for row in waiting(stuck, queue="hold")["rows"]] == [number]
    assert stuck.perform("queue-release", [number])["done"] == 1
    assert waiting(stuck, queue="hold")["matching"] == 0
    assert stuck.perform("queue-requeue", [number])["done"] == 1
    wait_until(lambda: number not in [row["id"] for row in waiting(stuck)["rows"]] and waiting(stuck)["matching"] == 3)


def test_one_that_is_gone_is_passed_over_and_no_id_is_refused(stuck: House) -> None:
    assert stuck.perform("queue-hold", ["ABCDEF12345"]) == {"asked": 1, "done": 0}
    for wrong in (["-d"], ["ALL"], ["../x"], ["a;b"], "ALL", [1], []):
        with pytest.raises(SupervisionFailed):
            stuck.perform("queue-delete", wrong)
    assert waiting(stuck)["matching"] == 3


def test_a_message_is_shown_without_its_subject_and_its_text(stuck: House) -> None:
    number = waiting(stuck, search="x2@")["rows"][0]["id"]
    told = stuck.perform("queue-view", id=number)
    headers = dict(told["headers"])
    assert headers["Message-ID"] == "<s2@rssulsel.com>"
    assert "secret" not in json.dumps(told)
    assert [part["type"] for part in told["parts"]] == ["text/plain"]
    with pytest.raises(HelperRefused):
        stuck.perform("queue-content", id=number, reason="siti: \nnone")
    told = stuck.perform("queue-content", id=number, reason="siti: the sender asked, -d $(id) `x`")
    assert "secret matter" in told["text"]
    log = (stuck.postfix / "log" / "maillog").read_text()
    (line,) = [one for one in log.splitlines() if "opened by" in one]
    assert f"{number}: opened by siti: the sender asked, -d $(id) `x`" in line
    assert "secret matter" not in log
    with pytest.raises(SupervisionFailed):
        stuck.perform("queue-view", id="ABCDEF12345")


def test_everything_is_tried_now_and_deleted(stuck: House) -> None:
    log = stuck.postfix / "log" / "maillog"
    before = log.read_text().count("status=deferred")
    stuck.perform("queue-flush")
    wait_until(lambda: log.read_text().count("status=deferred") > before)
    ids = [row["id"] for row in waiting(stuck)["rows"]]
    assert stuck.perform("queue-delete", ids)["done"] == 3
    assert waiting(stuck)["matching"] == 0


# The trace, on what these daemons have written


def traced(house: House, by: str, text: str) -> list[dict[str, Any]]:
    now = int(time.time())
    found: list[dict[str, Any]] = house.perform("trace", text, by=by, since=now - 3_600, until=now + 60, most=50)[
        "traces"
    ]
    return found


def outcomes(trace: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["recipient"]: (one["verdict"], one["folder"]) for one in trace["outcomes"]}


def test_a_message_to_a_list_is_followed_into_each_mailbox(house: House) -> None:
    house.send("siti@rssulsel.com", "nurses@rssulsel.com", number="<list@rssulsel.com>")
    wait_until(lambda: house.messages("siti") and house.messages("budi"))
    here = {"siti@rssulsel.com": ("delivered", "INBOX"), "budi@rssulsel.com": ("delivered", "INBOX")}
    (trace,) = wait_until(lambda: [one for one in traced(house, "recipient", "nurses@") if outcomes(one) == here])
    assert {one["original"] for one in trace["outcomes"]} == {"nurses@rssulsel.com"}
    assert trace["message_id"] == "<list@rssulsel.com>"
    assert "secret" not in json.dumps(trace)
    assert traced(house, "message-id", "<list@rssulsel.com>") == [trace]
    assert traced(house, "queue-id", trace["queue_ids"][0]) == [trace]


def test_a_wrong_address_is_told_as_refused(house: House) -> None:
    house.send("siti@rssulsel.com", "nobody-here@rssulsel.com", number="<no@rssulsel.com>", code=550)
    (trace,) = wait_until(lambda: traced(house, "recipient", "nobody-here@"))
    assert outcomes(trace) == {"nobody-here@rssulsel.com": ("refused", "")}
    assert "User unknown" in trace["outcomes"][0]["reason"]


def test_a_bounce_is_one_trace_with_its_message(house: House) -> None:
    had = house.messages("siti")
    house.send("siti@rssulsel.com", "y@gone.example", number="<gone@rssulsel.com>")
    wait_until(lambda: house.messages("siti") > had)
    (trace,) = wait_until(
        lambda: [one for one in traced(house, "message-id", "gone@rssulsel.com") if len(one["queue_ids"]) == 2]
    )
    assert outcomes(trace) == {"y@gone.example": ("bounced", "")}
    assert "notified" in [step["step"] for step in trace["steps"]]


def test_what_its_reader_does_is_told(house: House) -> None:
    house.send("siti@rssulsel.com", "budi@rssulsel.com", number="<read@rssulsel.com>")
    wait_until(lambda: outcomes(traced(house, "message-id", "read@")[0]) == {
        "budi@rssulsel.com": ("delivered", "INBOX")})  # fmt: skip
    house.inside(
        "import imaplib; c = imaplib.IMAP4('127.0.0.1'); c.login('budi', 'x'); c.create('Ward'); c.select('INBOX')\n"
        "found = c.search(None, 'HEADER', 'message-id', '<read@rssulsel.com>')[1][0].decode()\n"
        "c._simple_command('MOVE', found, 'Ward'); c.logout()"
    )
    wait_until(lambda: outcomes(traced(house, "message-id", "read@")[0]) == {
        "budi@rssulsel.com": ("delivered", "Ward")})  # fmt: skip
    house.inside(
        "import imaplib; c = imaplib.IMAP4('127.0.0.1'); c.login('budi', 'x'); c.select('Ward')\n"
        "c.store('1', '+FLAGS', '\\\\Deleted'); c.expunge(); c.logout()"
    )
    gone = wait_until(lambda: traced(house, "message-id", "read@")[0]["outcomes"][0]["verdict"] == "expunged")
    assert gone
    assert traced(house, "message-id", "read@")[0]["outcomes"][0]["who"] == "budi"


def test_a_trace_goes_on_over_a_rotation(house: House) -> None:
    before = traced(house, "recipient", "nurses@")
    cut_off = house.postfix / "log" / "maillog-20250101T000000Z"
    cut_off.write_bytes(b"an old line\n")
    cut_off.with_name(f".{cut_off.name}.gz").write_bytes(b"half of it")
    told = house.perform(
        "rotate-logs", days=30, postfix=house.process("master"), dovecot=house.process("dovecot"), rspamd=0
    )
    assert told["rotated"] == ["dovecot", "postfix"]
    log = house.postfix / "log"
    # A rotation that was cut off is finished by the next one.
    assert gzip.decompress((log / f"{cut_off.name}.gz").read_bytes()) == b"an old line\n"
    assert not [file for file in log.iterdir() if file.name.startswith(".")]
    (log / f"{cut_off.name}.gz").unlink()
    (old,) = log.glob("maillog-*.gz")
    with gzip.open(old) as file:
        assert b"<list@rssulsel.com>" in file.read()
    assert traced(house, "recipient", "nurses@") == before
    # The daemons write to new files.
    house.send("siti@rssulsel.com", "budi@rssulsel.com", number="<after@rssulsel.com>")
    here = {"budi@rssulsel.com": ("delivered", "INBOX")}
    wait_until(lambda: [one for one in traced(house, "message-id", "after@") if outcomes(one) == here])
    assert b"<after@rssulsel.com>" in (log / "maillog").read_bytes()
    os.utime(old, (0, 0))
    assert house.perform("rotate-logs", days=30, postfix=0, dovecot=0, rspamd=0)["removed"] == 1


def test_a_log_is_told_without_secrets(house: House) -> None:
    with (house.dovecot / "log" / "dovecot.log").open("a") as log:
        log.write("2026-11-23T05:40:04+0000 auth: Debug: client in: AUTH PLAIN AGJ1ZGkAc2VjcmV0 marked\n")
        log.write("2026-11-23T05:40:04+0000 auth: marked passdb password={ARGON2ID}$argon2id$v=19$m=19456 x\n")
    lines = house.perform("log", "marked", daemon="dovecot", lines=10)
    assert len(lines) == 2
    assert not any("AGJ1" in line or "argon2id" in line for line in lines)
