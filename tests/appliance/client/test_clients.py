"""Both clients against a real daemon."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from appliance.client.addresses import Address, forget_token, keep_token, kept_token
from appliance.client.blocking import Client
from appliance.client.errors import LoginNeeded, Refusal, Unreachable
from appliance.client.protocol import asked
from appliance.client.waiting import AsyncClient
from appliance.console.door import Door
from appliance.console.door import Unreachable as NotReached
from appliance.console.transport import ClientTransport
from compiler.errors import UsageError
from tests.appliance.daemon.house import PASSWORD
from tests.appliance.daemon.process import Process


def test_logging_in_and_out(process: Process) -> None:
    with process.client() as client:
        assert client.login("ani", PASSWORD)["person"]["name"] == "ani"
        assert client.me()["full_name"] == "Ani"
        client.logout()
        with pytest.raises(LoginNeeded):
            client.me()
        client.token = "other"
        with pytest.raises(LoginNeeded):
            client.services()


def test_refusals_have_their_words_and_values(process: Process) -> None:
    with process.client("maya") as client:
        with pytest.raises(Refusal) as missing:
            client.call("ledger", "accounts.get", {"code": "none"})
        assert (missing.value.code, missing.value.status) == ("not-found", 404)
        assert missing.value.template == "there is no {what} {key}"
        assert missing.value.values == {"what": "account", "key": "none"}
        assert missing.value.exit_code == 1
        with pytest.raises(Refusal) as wrong:
            client.call("ledger", "accounts.add", {"code": "a b", "balance": "x"})
        assert wrong.value.exit_code == 2
        said = wrong.value.render()
        assert "code: string pattern mismatch" in said
        assert "balance: int type" in said
        assert "title: missing" in said
        with pytest.raises(Refusal) as forbidden:
            client.call("ledger", "deposit", {"account": "A", "amount": 1})
        assert forbidden.value.code == "not-allowed"


def test_all_rows_of_a_query_and_its_exports(process: Process) -> None:
    with process.client("maya") as client:
        for number in range(130):
            client.call("ledger", "accounts.add", {"code": f"Q{number:03}", "title": "Kas", "balance": number})
        question = {"conditions": [{"column": "code", "operator": "starts", "value": "Q"}]}
        query = client.ask("ledger", "accounts", question)
        assert (query.count, len(query.first)) == (130, 100)
        assert [row["values"][0] for row in client.rows(query)] == [f"Q{number:03}" for number in range(130)]
        assert b"".join(client.export(query, "csv")).count(b"\r\n") == 131
        with pytest.raises(Refusal):
            list(client.export(query, "exe"))


def test_work_is_waited_for_and_cancelled(process: Process, tmp_path: Path) -> None:
    with process.client("maya") as client:
        seen: list[str] = []
        work = client.call("ledger", "count-up", {"steps": 100})["work"]
        assert client.wait(work, lambda one: seen.append(one.doing), every=0.01).result == 100
        assert "counting" in seen
        work = client.call("ledger", "count-up", {"steps": 1_000_000})["work"]
        client.cancel(work)
        assert client.wait(work, every=0.01).state == "cancelled"
        file = tmp_path / "bukti ü.txt"
        file.write_bytes(b"hello")
        assert len(client.send_file(file, "text/plain")) == 32


def test_events_come_to_both_clients(process: Process) -> None:
    with process.client("ani") as client:
        events = client.events()
        assert next(events) == {}
        with process.client("maya") as other:
            other.call("ledger", "accounts.add", {"code": "E1", "title": "Kas"})
        event = next(events)
        assert (event["kind"], event["subject"]) == ("added", "accounts/E1")
        events.close()

    async def check() -> None:
        async with AsyncClient(Address(process.socket), process.tokens["ani"]) as waiting:
            told = waiting.events()
            assert await anext(told) == {}
            await waiting.call("ledger", "deposit", {"account": "E1", "amount": 5})
            assert (await anext(told))["values"] == {"amount": 5}
            await told.aclose()

    asyncio.run(check())


def test_many_requests_at_once_of_the_waiting_client(process: Process) -> None:
    async def check() -> None:
        async with AsyncClient(Address(process.socket)) as client:
            await client.login("admin", PASSWORD)
            await client.call("ledger", "accounts.add", {"code": "M1", "title": "Kas"})
            await asyncio.gather(*(client.call("ledger", "deposit", {"account": "M1", "amount": 1}) for _ in range(60)))
            query = await client.ask("ledger", "accounts", {"search": "kas", "order": [{"column": "code"}]})
            [first] = await client.page(query, 0, 1)
            assert await client.place(query, first["id"]) == 0
            assert await client.totals(query)
            held = await client.call("ledger", "accounts.get", {"code": "M1"})
            assert held["row"]["balance"] == 60
            assert (await client.me())["name"] == "admin"
            assert len(await client.services()) == 2
            work = (await client.call("ledger", "count-up", {"steps": 3}))["work"]
            assert (await client.wait(work, every=0.01)).result == 3
            await client.logout()

    asyncio.run(check())


@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_nobody_there_and_somebody_else_there(tmp_path: Path) -> None:
    with Client(Address(tmp_path / "none.sock")) as client, pytest.raises(Unreachable, match="No such file"):
        client.me()
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()

        def answer() -> None:
            taken, _ = other.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()
        with Client(Address(path)) as client, pytest.raises(Unreachable, match="no Gerbang"):
            client.me()
        thread.join()


def test_tokens_are_kept_by_daemon_for_this_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("GERBANG_TOKEN", raising=False)
    here, there = Address.of("/run/x.sock"), Address.of(url="https://h:8443/")
    assert kept_token(here) == ""
    file = keep_token(here, "one")
    keep_token(there, "two")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert (kept_token(here), kept_token(there)) == ("one", "two")
    forget_token(here)
    forget_token(here)
    assert (kept_token(here), kept_token(there)) == ("", "two")
    file.write_text("no json")
    assert kept_token(there) == ""


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GERBANG_SOCKET", raising=False)
    monkeypatch.setenv("GERBANG_URL", "https://h")
    assert str(Address.of()) == "https://h"
    assert str(Address.of("/a.sock")) == "/a.sock"
    monkeypatch.setenv("GERBANG_SOCKET", "/b.sock")
    assert str(Address.of()) == "/b.sock"
    with pytest.raises(UsageError, match="https"):
        Address.of(url="http://h")


def test_what_a_console_needs_of_the_waiting_client(process: Process, tmp_path: Path) -> None:
    async def all_of_it() -> None:
        client = AsyncClient(Address(process.socket), process.tokens["admin"])
        refused = await client.reply(asked("POST", "/commands/ledger/nothing", {}))
        assert (refused.status, refused.media_type) == (404, "application/json")
        work = (await client.call("ledger", "statement"))["work"]
        await client.wait(work, every=0.01)
        await client.download(f"/work/{work}/result", tmp_path / "s.txt")
        with pytest.raises(Refusal):
            await client.download("/work/nothing/result", tmp_path / "t.txt")
        assert [one.name for one in tmp_path.iterdir()] == ["s.txt"]
        await client.close()
        nobody = AsyncClient(Address(tmp_path / "nobody.sock"))
        with pytest.raises(Unreachable):
            async for _event in nobody.events(again=False):
                pass
        await nobody.close()

    asyncio.run(all_of_it())


def test_a_question_is_asked_again_when_its_connection_went_away(tmp_path: Path) -> None:
    """A daemon that has just ended, or an idle connection that it closes at that moment. A login is not tried twice."""
    path = tmp_path / "hasty.sock"
    answer = b'{"query": "q1", "count": 0, "rows": []}'
    taken: list[bytes] = []
    with socket.create_server(str(path), family=socket.AF_UNIX) as hasty:

        def serve() -> None:
            for hangs_up in (True, False) * 3 + (True,):
                connection, _ = hasty.accept()
                with connection:
                    taken.append(connection.recv(65536).split(b" HTTP")[0])
                    if not hangs_up:
                        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(answer)
                        connection.sendall(head + answer)

        thread = threading.Thread(target=serve)
        thread.start()

        async def ask() -> None:
            transport = ClientTransport(AsyncClient(Address(path)))
            door = Door(transport, renew=never)
            assert (await door.ask("ledger", "accounts", {}))["query"] == "q1"
            await door.set_language("id")
            await door.call("ledger", "deposit", {})
            with pytest.raises(NotReached):
                await door.login("ani", "secret")
            await transport.close()

        asyncio.run(ask())
        thread.join()
    assert taken == [
        *[b"POST /v1/listings/ledger/accounts"] * 2,
        *[b"POST /v1/language"] * 2,
        *[b"POST /v1/commands/ledger/deposit"] * 2,
        b"POST /v1/login",
    ]


async def never() -> bool:
    raise AssertionError("the session has not expired")
