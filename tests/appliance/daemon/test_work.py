"""Long work, files and exports."""

from __future__ import annotations

import csv
import io
import time

import openpyxl

from tests.appliance.daemon.house import Client, House

COUNT = "/commands/ledger/count-up"


def ended(client: Client, work: str, headers: dict[str, str]) -> dict[str, object]:
    for _ in range(2000):
        seen: dict[str, object] = client.get(f"/work/{work}", headers).json()
        if seen["state"] != "running":
            return seen
        time.sleep(0.005)
    raise AssertionError("it does not end")


def test_work_is_watched_and_answers(house: House, client: Client) -> None:
    maya, ani = house.header("maya"), house.header("ani")
    begun = client.post(COUNT, {"steps": 5}, maya)
    assert begun.status_code == 202
    work = begun.json()["work"]
    seen = ended(client, work, maya)
    assert (seen["state"], seen["result"], seen["done"], seen["total"]) == ("done", 5, 4, 5)
    assert client.get(f"/work/{work}/result", maya).json() == 5
    assert client.get(f"/work/{work}", ani).status_code == 404
    assert client.get(f"/work/{work}", house.header("admin")).status_code == 200
    assert "counted" in [line.command for line in house.audit()]


def test_work_is_cancelled(house: House, client: Client) -> None:
    maya = house.header("maya")
    work = client.post(COUNT, {"steps": 100_000}, maya).json()["work"]
    assert client.get(f"/work/{work}/result", maya).status_code == 404
    assert client.delete(f"/work/{work}", house.header("ani")).status_code == 404
    assert client.delete(f"/work/{work}", maya).status_code == 204
    assert ended(client, work, maya)["state"] == "cancelled"
    assert "counted" not in [line.command for line in house.audit()]


def test_one_person_has_a_bounded_amount_of_work(house: House, client: Client) -> None:
    maya = house.header("maya")
    answers = [client.post(COUNT, {"steps": 100_000}, maya) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [202] * 8 + [429]
    assert client.post("/commands/ledger/greet", headers=maya).status_code == 200


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
