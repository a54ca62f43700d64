"""Files that services take, and files that commands answer."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance.contract.people import ADMINISTRATOR, Person
from appliance.daemon import files
from appliance.services.system.tables import FILES
from tests.appliance.daemon.house import ROOT, Client, House

ROOT_WITH_NAME = Person("admin", frozenset({ADMINISTRATOR}))
ATTACH = "/commands/ledger/attach"


def sent(client: Client, headers: dict[str, str], content: bytes = b"\x89PNG") -> str:
    named = {**headers, "Content-Type": "image/png", "X-Name": "proof.png"}
    answer = client.post("/files", headers=named, content=content)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["file"])


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


def test_a_service_takes_a_file_with_its_transaction(house: House, client: Client, tmp_path: Path) -> None:
    ani = house.header("ani")
    file = sent(client, ani)
    refused = client.post(ATTACH, {"file": file, "refuse": True}, ani)
    assert refused.status_code == 422
    assert (names(tmp_path / "files"), names(tmp_path / "evidence")) == ([file], [])
    assert client.get(f"/files/{file}", ani).content == b"\x89PNG"

    taken = client.post(ATTACH, {"file": file}, ani)
    assert taken.json() == "proof.png image/png 4"
    assert (names(tmp_path / "files"), names(tmp_path / "evidence")) == ([], [file])
    assert client.get(f"/files/{file}", ani).status_code == 404
    assert client.post(ATTACH, {"file": file}, ani).status_code == 404


def test_only_its_sender_gives_it_away(house: House, client: Client, tmp_path: Path) -> None:
    file = sent(client, house.header("ani"))
    for other in (house.header("maya"), house.header("admin"), {}):
        assert client.post(ATTACH, {"file": file}, other).status_code == 404
    for wrong in ("", "../audit.key", "0" * 32):
        assert client.post(ATTACH, {"file": wrong}, house.header("ani")).status_code == 404
    assert names(tmp_path / "files") == [file]


def test_visitors_send_a_little(house: House, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    file = sent(client, {}, b"abc")
    assert client.get(f"/files/{file}").status_code == 401
    assert client.post(ATTACH, {"file": file}).json() == "proof.png image/png 3"
    monkeypatch.setattr(files, "OF_VISITOR", 8)
    assert client.post("/files", content=b"123456789").status_code == 413
    monkeypatch.setattr(files, "VISITOR_BYTES", 9)
    assert client.post("/files", content=b"1234567").status_code == 413
    sent(client, {}, b"123456")
    full = client.post("/files", content=b"1")
    assert full.status_code == 429
    assert int(full.headers["Retry-After"]) > 3600
    monkeypatch.setattr(files, "VISITOR_BYTES", 10**6)
    for _ in range(files.VISITOR_FILES - 2):
        sent(client, {}, b"1")
    assert client.post("/files", content=b"1").status_code == 429
    sent(client, house.header("ani"), b"a person may")


def test_what_nobody_takes_goes_after_a_day(house: House, client: Client, tmp_path: Path) -> None:
    old = sent(client, house.header("ani"))
    house.clock.forward(hours=23)
    young = sent(client, house.header("ani"))
    house.parts.files.expire(house.clock())
    assert names(tmp_path / "files") == sorted([old, young])
    house.clock.forward(hours=2)
    house.parts.files.expire(house.clock())
    assert names(tmp_path / "files") == [young]


def test_a_crash_within_a_claim_is_mended(house: House, client: Client, tmp_path: Path) -> None:
    """Both names are there: which counts, the line in the store says."""
    before, after = sent(client, house.header("ani")), sent(client, house.header("ani"))
    (tmp_path / "evidence").mkdir()
    for file in (before, after):
        (tmp_path / "evidence" / file).hardlink_to(tmp_path / "files" / file)
    with house.store.writing() as connection:
        connection.execute(FILES.delete().where(FILES.c.id == after))
    house.parts.files.recover()
    assert (names(tmp_path / "files"), names(tmp_path / "evidence")) == ([before], [after])


def test_a_claim_is_undone_with_a_transaction_that_is_not_kept(house: House, client: Client, tmp_path: Path) -> None:
    file = sent(client, house.header("ani"))

    class Full(Exception):
        pass

    def spoiled() -> None:
        with house.store.together():
            with house.parts.runner.changing(Person("ani"), "ledger", "attach", {}) as context:
                context.claim_file(file)
            assert names(tmp_path / "evidence") == [file]
            raise Full

    with pytest.raises(Full):
        spoiled()
    assert (names(tmp_path / "files"), names(tmp_path / "evidence")) == ([file], [])
    with house.store.reading() as connection:
        assert connection.execute(select(FILES.c.id)).scalars().all() == [file]


def finished(client: Client, headers: dict[str, str], path: str, value: Any = None) -> str:
    work = client.post(path, value, headers).json()["work"]
    while (seen := client.get(f"/work/{work}", headers).json())["state"] == "running":
        time.sleep(0.01)
    assert seen["state"] == "done", seen
    return str(work)


def test_work_answers_a_file(house: House, client: Client, tmp_path: Path) -> None:
    maya = house.header("maya")
    work = finished(client, maya, "/commands/ledger/statement")
    said = client.get(f"/work/{work}", maya).json()["result"]
    assert said == {"name": "statement.txt", "media_type": "text/plain"}
    file = client.get(f"/work/{work}/result", maya)
    assert file.text == "all is well\n"
    assert 'filename="statement.txt"' in file.headers["Content-Disposition"]
    assert client.get(f"/work/{work}/result", house.header("ani")).status_code == 404
    (tmp_path / "statement.txt").unlink()
    assert client.get(f"/work/{work}/result", maya).status_code == 404


def test_a_backup_goes_out_and_comes_back(tmp_path: Path) -> None:
    house = House(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}")
    with house.client() as client:
        admin = house.header("admin")
        finished(client, admin, "/commands/system/backup", {"services": ["ledger"]})
        name = client.post("/commands/system/backups", headers=admin).json()[0]["file"]
        work = finished(client, admin, "/commands/system/fetch-backup", {"file": name})
        octets = client.get(f"/work/{work}/result", admin).content
        assert octets == (tmp_path / "backups" / name).read_bytes()
        assert "fetch-backup" in [line.command for line in house.audit()]

        headers = {**admin, "X-Name": "../from elsewhere.gerbang"}
        file = client.post("/files", headers=headers, content=octets).json()["file"]
        row = client.post("/commands/system/receive-backup", {"file": file}, admin)
        assert row.json()["services"] == ["ledger"], row.text
        assert row.json()["file"] == "from-elsewhere.gerbang"
        assert names(tmp_path / "backups") == sorted([name, "from-elsewhere.gerbang"])
        finished(client, admin, "/commands/system/restore", {"file": "from-elsewhere.gerbang"})

        assert client.post("/commands/system/receive-backup", {"file": file}, admin).status_code == 404
        headers["X-Name"] = "broken.gerbang"
        broken = client.post("/files", headers=headers, content=b"no backup").json()["file"]
        assert client.post("/commands/system/receive-backup", {"file": broken}, admin).status_code == 422
        assert broken in names(tmp_path / "files")
        assert broken not in names(tmp_path / "backups")
    house.store.close()


def test_nobody_claims_in_work_or_outside_a_folder(house: House) -> None:
    with pytest.raises(TypeError), house.parts.runner.changing(ROOT, "ledger", "x", {}) as context:
        context.claim_file("0" * 32, "../elsewhere")


def test_the_bytes_are_written_beside_the_loop(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A disk that hangs holds up nobody but who sends."""
    release, hangs = threading.Event(), threading.Event()
    write = files._write

    def slow(*arguments: Any, **more: Any) -> None:
        hangs.set()
        release.wait()
        write(*arguments, **more)

    monkeypatch.setattr(files, "_write", slow)
    ani = house.header("ani")

    async def check() -> Any:
        sending = asyncio.create_task(client._http.post("/files", headers=ani, content=b"x" * 3_000_000))
        await asyncio.to_thread(hangs.wait, 20)
        assert (await client._http.get("/me", headers=ani)).status_code == 200
        assert not sending.done()
        release.set()
        return await sending

    answer = client.run(check())
    assert answer.status_code == 201
    assert (tmp_path / "files" / answer.json()["file"]).read_bytes() == b"x" * 3_000_000


def received(house: House, client: Client) -> str:
    """A backup that was sent, not yet put among the others."""
    admin = house.header("admin")
    work = client.post("/commands/system/backup", {"services": ["ledger"]}, admin).json()["work"]
    while (seen := client.get(f"/work/{work}", admin).json())["state"] == "running":
        time.sleep(0.005)
    file = house.parts.appliance.state_folder / "backups" / seen["result"]["file"]
    sending = {**admin, "X-Name": "monday.gerbang"}
    identity = str(client.post("/files", headers=sending, content=file.read_bytes()).json()["file"])
    file.unlink()
    return identity


def test_a_crash_while_a_backup_is_received_leaves_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}")
    with house.client() as client:
        identity = received(house, client)
    arguments = b'{"file": "%s"}' % identity.encode()
    folder = tmp_path / "backups"
    monkeypatch.setattr("appliance.store.engine._call", lambda _told: None)  # the daemon is dead by then
    with monkeypatch.context() as patched:

        def dies(*_arguments: Any) -> None:
            raise KeyboardInterrupt

        patched.setattr(house.parts.runner, "_append", dies)
        with pytest.raises(KeyboardInterrupt):
            house.parts.runner.call(ROOT_WITH_NAME, "system", "receive-backup", arguments)
    assert names(folder) == sorted([identity, "monday.gerbang"]), "before the transaction was kept"
    (folder / f".x.gerbang.{'0' * 32}.new").write_bytes(b"half")
    house.parts.files.recover()
    assert (names(folder), names(tmp_path / "files")) == ([], [identity])
    house.parts.runner.call(ROOT_WITH_NAME, "system", "receive-backup", arguments)
    assert names(folder) == sorted([identity, "monday.gerbang"]), "after it was kept"
    house.parts.files.recover()
    assert (names(folder), names(tmp_path / "files")) == (["monday.gerbang"], [])
    house.store.close()
