"""Long work, files and exports."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import threading
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import openpyxl
import pytest

from appliance.daemon import files, work
from appliance.helper.answers import HelperUnreachable
from tests.appliance.daemon.house import Client, House

MIB = 1024 * 1024
COUNT = "/commands/ledger/count-up"


def ended(client: Client, piece: str, headers: dict[str, str]) -> dict[str, object]:
    for _ in range(2000):
        seen: dict[str, object] = client.get(f"/work/{piece}", headers).json()
        if seen["state"] != "running":
            return seen
        time.sleep(0.005)
    raise AssertionError("it does not end")


def test_work_is_watched_and_answers(house: House, client: Client) -> None:
    maya, ani = house.header("maya"), house.header("ani")
    begun = client.post(COUNT, {"steps": 5}, maya)
    assert begun.status_code == 202
    piece = begun.json()["work"]
    seen = ended(client, piece, maya)
    assert (seen["state"], seen["result"], seen["done"], seen["total"]) == ("done", 5, 4, 5)
    assert client.get(f"/work/{piece}/result", maya).json() == 5
    assert client.get(f"/work/{piece}", ani).status_code == 404
    assert client.get(f"/work/{piece}", house.header("admin")).status_code == 200
    assert "counted" in [line.command for line in house.audit()]


def test_work_is_cancelled(house: House, client: Client) -> None:
    maya = house.header("maya")
    piece = client.post(COUNT, {"steps": 100_000}, maya).json()["work"]
    assert client.get(f"/work/{piece}/result", maya).status_code == 404
    assert client.delete(f"/work/{piece}", house.header("ani")).status_code == 404
    assert client.delete(f"/work/{piece}", maya).status_code == 204
    assert ended(client, piece, maya)["state"] == "cancelled"
    assert "counted" not in [line.command for line in house.audit()]


def test_one_person_has_a_bounded_amount_of_work(house: House, client: Client) -> None:
    maya = house.header("maya")
    answers = [client.post(COUNT, {"steps": 100_000}, maya) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [202] * 8 + [429]
    assert client.post("/commands/ledger/greet", headers=maya).status_code == 200


def held_up(house: House) -> threading.Event:
    """All threads of long work have something to do, until the event is set."""
    release = threading.Event()
    for _ in range(work.AT_ONCE):
        house.parts.works._pool.submit(release.wait)
    return release


def test_roles_are_asked_again_when_work_begins_and_for_its_result(house: House, client: Client) -> None:
    admin, maya = house.header("admin"), house.header("maya")
    done = client.post("/commands/ledger/statement", headers=maya).json()["work"]
    assert ended(client, done, maya)["state"] == "done"
    release = held_up(house)
    queued = client.post(COUNT, {"steps": 1}, maya).json()["work"]
    row = {"name": "maya", "full_name": "Maya", "roles": ["ledger.clerk"]}
    change = client.post("/commands/system/people.change", {"name": "maya", "version": 1, "row": row}, admin)
    assert change.status_code == 200, change.text
    release.set()
    assert ended(client, queued, admin)["error"]["code"] == "not-allowed"  # type: ignore[index]
    assert "counted" not in [line.command for line in house.audit()]
    for path in (f"/work/{done}", f"/work/{done}/result"):
        assert client.get(path, maya).status_code == 403
        assert client.get(path, admin).status_code == 200


def test_work_of_a_person_who_was_removed_does_not_begin(house: House, client: Client) -> None:
    admin, maya = house.header("admin"), house.header("maya")
    release = held_up(house)
    queued = client.post(COUNT, {"steps": 1}, maya).json()["work"]
    gone = client.post("/commands/system/people.remove", {"name": "maya", "version": 1}, admin)
    assert gone.status_code == 200, gone.text
    release.set()
    assert ended(client, queued, admin)["error"]["code"] == "login-needed"  # type: ignore[index]
    assert "counted" not in [line.command for line in house.audit()]


def test_a_key_begins_work_once_and_is_of_one_request(house: House, client: Client) -> None:
    maya = {**house.header("maya"), "Idempotency-Key": str(uuid4())}
    first = client.post(COUNT, {"steps": 1}, maya).json()["work"]
    ended(client, first, maya)
    assert client.post(COUNT, {"steps": 1}, maya).json()["work"] == first
    for path, arguments in ((COUNT, {"steps": 2}), ("/commands/ledger/statement", None)):
        other = client.post(path, arguments, maya)
        assert (other.status_code, other.json()["error"]["code"]) == (409, "key-reused")


def test_work_that_failed_is_tried_anew_with_its_key(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    maya = {**house.header("maya"), "Idempotency-Key": str(uuid4())}

    def away(*_arguments: object) -> None:
        raise HelperUnreachable("helper.sock: the root helper cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(house.parts.runner, "work", away)
        first = client.post(COUNT, {"steps": 1}, maya).json()["work"]
        seen = ended(client, first, maya)
    said = {"code": "refused", "message": "helper.sock: the root helper cannot be reached"}
    assert said.items() <= seen["error"].items()  # type: ignore[attr-defined]
    second = client.post(COUNT, {"steps": 1}, maya).json()["work"]
    assert second != first
    assert ended(client, second, maya)["state"] == "done"


def test_what_has_a_deadline_does_not_wait_behind_what_takes_long(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "URGENT", frozenset({"ledger.statement"}))
    maya = house.header("maya")
    release = held_up(house)
    slow = [client.post(COUNT, {"steps": 1}, maya) for _ in range(work.WAITING_OF_ONE + 1)]
    assert [answer.status_code for answer in slow] == [202] * work.WAITING_OF_ONE + [429]
    urgent = client.post("/commands/ledger/statement", headers=maya)
    assert urgent.status_code == 202
    assert ended(client, urgent.json()["work"], maya)["state"] == "done"
    release.set()


def test_files_are_for_who_sent_them(house: House, client: Client) -> None:
    ani = house.header("ani")
    headers = {**ani, "X-Name": "bukti ü.png".encode(), "Content-Type": "image/png"}
    sent = client.post("/files", headers=headers, content=b"\x89PNG")
    path = f"/files/{sent.json()['file']}"
    got = client.get(path, ani)
    assert (got.content, got.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert "bukti%20%C3%BC.png" in got.headers["content-disposition"]
    assert got.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, house.header("maya")).status_code == 404
    assert client.get(path, house.header("admin")).status_code == 200
    assert client.get(path).status_code == 401
    assert client.get("/files/..%2Faudit.key", ani).status_code == 404
    assert "files.send" in [line.command for line in house.audit()]


def test_bytes_on_the_way_count(house: House, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent at once has the same bound as what is kept, and each that ends gives its room back."""
    monkeypatch.setattr(files, "OF_ONE", 5 * MIB // 2)
    ani, maya = house.header("ani"), house.header("maya")

    async def at_once() -> list[int]:
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"x" * MIB
            await go.wait()

        async def send(who: dict[str, str]) -> int:
            return int((await client._http.post("/files", headers=who, content=slow())).status_code)

        sending = [asyncio.create_task(send(who)) for who in (ani, ani, ani, ani, maya)]
        async with asyncio.timeout(60):
            while sum(one.done() for one in sending) < 2:
                await asyncio.sleep(0.01)
        go.set()
        return sorted(await asyncio.gather(*sending))

    assert client.run(at_once()) == [201, 201, 201, 413, 413]
    assert len(list(house.parts.files._folder.iterdir())) == 3
    assert not house.parts.files.arriving.bytes


def test_a_part_of_the_disk_stays_free(house: House, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it neither the store nor the logs could be written, and nobody could mend it."""
    ani = house.header("ani")
    assert client.post("/files", headers=ani, content=b"x").status_code == 201
    monkeypatch.setattr("appliance.daemon.arriving.free_share", lambda _folder: -1)
    answer = client.post("/files", headers=ani, content=b"x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no-room")
    assert len(list(house.parts.files._folder.iterdir())) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said(house: House, client: Client, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(*_given: object, **_more: object) -> None:
        raise OSError(number, "full")

    monkeypatch.setattr(files, "_write", full)
    assert client.post("/files", headers=house.header("ani"), content=b"x").status_code == 507
    assert not list(house.parts.files._folder.iterdir())


def test_too_large_a_file_leaves_nothing(house: House, client: Client) -> None:
    async def parts():  # type: ignore[no-untyped-def]
        for _ in range(70):
            yield b"x" * 1024 * 1024

    assert client.post("/files", headers=house.header("ani"), content=parts()).status_code == 413
    assert list(house.parts.files._folder.iterdir()) == []


def test_a_query_is_exported(house: House, client: Client) -> None:
    maya = house.header("maya")
    titles = ["Kas", "=1+1", "+62 812", "@x", 'a "b", c', "雪"]
    for number, title in enumerate(titles):
        account = {"code": f"A{number}", "title": title, "note": "a\nb"}
        assert client.post("/commands/ledger/accounts.add", account, maya).status_code == 200
    client.post("/commands/ledger/deposit", {"account": "A1", "amount": 300_000}, house.header("ani"))
    query = client.post("/listings/ledger/accounts", {"order": [{"column": "code", "descending": True}]}, maya).json()
    assert client.get(f"/queries/{query['query']}/totals", maya).json() == {"balance": 300_000}
    identity = query["rows"][0]["id"]
    assert client.get(f"/queries/{query['query']}/position?row={identity}", maya).json() == {"offset": 0}
    assert client.get(f"/queries/{query['query']}/position?row=99", maya).json() == {"offset": None}
    export = f"/queries/{query['query']}/export"
    text = client.get(f"{export}?format=csv", maya)
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert rows[0] == ["Code", "Title", "Balance", "Note"]
    # What a spreadsheet would run has a mark before it.
    assert [row[1] for row in rows[1:]] == ["雪", 'a "b", c', "'@x", "'+62 812", "'=1+1", "Kas"]
    plain = client.get(f"{export}?format=csv&plain=yes&limit=1", maya)
    assert plain.content.decode() == 'code,title,balance,note\nA5,雪,0,"a\nb"\n'
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{export}?format=xlsx", maya).content)).active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[5] == ["A1", "=1+1", 300_000, "a\nb"]
    assert sheet.cell(6, 2).data_type == "s", "a text, no formula"
    assert client.get(f"{export}?format=exe", maya).status_code == 422
