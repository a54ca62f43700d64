"""What ``/v1/health`` tells, and that a hung root helper holds nobody up but who asks it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.context import Event
from appliance.contract.programs import State, Status
from appliance.daemon import health, ports
from appliance.daemon.health import Watch
from appliance.helper.answers import HelperUnreachable
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from appliance.store.engine import Store
from appliance.store.failures import StoreAway, StoreBusy
from tests.appliance.daemon.house import House
from tests.appliance.daemon.ledger import service as ledger


class Standing:
    """A machine that answers what it is told."""

    def __init__(self) -> None:
        self.statuses: tuple[Status, ...] | Exception = ()

    def __call__(self) -> tuple[Status, ...]:
        if isinstance(self.statuses, Exception):
            raise self.statuses
        return self.statuses


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store("sqlite://")
    yield made
    made.close()


def states(watch: Watch) -> tuple[str, dict[str, str]]:
    told = watch.told()
    return told.status, {one.name: one.state for one in told.services}


def test_a_service_is_ill_while_one_of_its_programs_fails(store: Store) -> None:
    said = Standing()
    watch = Watch(store, ("mail", "machine"), said)
    assert states(watch) == ("ok", {"machine": "ready", "mail": "ready"})
    for ill in (State.FAILED, State.WAITING):
        said.statuses = (
            Status(program="mail.postfix", state=State.READY),
            Status(program="mail.dovecot", state=ill),
            Status(program="machine.x", state=State.STOPPED),
        )
        watch.look()
        assert states(watch) == ("degraded", {"machine": "ready", "mail": "degraded"})
    said.statuses = HelperUnreachable("no helper")
    watch.look()
    assert states(watch) == ("degraded", {"machine": "degraded", "mail": "degraded"}), "what was known last stays"
    said.statuses = (Status(program="mail.dovecot", state=State.READY),)
    watch.look()
    assert states(watch)[0] == "ok"


def test_without_the_store_all_are_down(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(store, ("mail",), Standing())

    def away() -> Any:
        raise StoreAway("the server does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(store, "reading", away)
        watch.look()
        assert states(watch) == ("store-failed", {"mail": "down"})
    watch.look()
    assert states(watch) == ("ok", {"mail": "ready"})


def test_a_look_that_does_not_end_is_no_good_sign(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STALE", -1.0)
    begun, ended = threading.Event(), threading.Event()

    def hangs() -> Any:
        begun.set()
        ended.wait()
        raise StoreAway("at last")

    monkeypatch.setattr(store, "reading", hangs)
    watch = Watch(store, ("mail",), Standing())
    assert states(watch)[0] == "ok"
    thread = threading.Thread(target=watch.look)
    thread.start()
    begun.wait()
    assert states(watch)[0] == "store-failed"
    ended.set()
    thread.join()


def test_a_store_that_another_has_taken_ends_the_daemon(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[bool] = []
    watch = Watch(store, (), Standing(), lambda: lost.append(True))

    def busy() -> None:
        raise StoreBusy("another daemon owns this store")

    monkeypatch.setattr(Store, "owned", property(lambda _self: False))
    monkeypatch.setattr(store, "own_again", busy)
    watch.look()
    watch.look()
    assert lost == [True]


def test_an_event_of_the_machine_is_followed_by_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.daemon.parts.EVERY", 3600.0)
    house = House(tmp_path, services=(system, machine, ledger))
    said = Standing()
    house.parts.watch._statuses = said
    looked = threading.Event()
    look = house.parts.watch.look
    house.parts.watch.look = lambda: (look(), looked.set())  # type: ignore[method-assign, assignment, return-value]
    with house.client() as client:
        client.run(asyncio.to_thread(looked.wait, 20))
        assert client.get("/health").json()["status"] == "ok"
        looked.clear()
        said.statuses = (Status(program="ledger.printer", state=State.FAILED),)
        house.parts._publish((Event(service="machine", kind="generation", subject="generations/1"),))
        client.run(asyncio.to_thread(looked.wait, 20))
        answer = client.get("/health").json()
        assert {one["name"]: one["state"] for one in answer["services"]}["ledger"] == "degraded"
        assert "printer" not in str(answer), "strangers learn no programs"
    house.store.close()


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[House]:
    """A house whose root helper takes requests and never answers."""
    path = tmp_path / "helper.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(50)
        # In a file: a store in memory has one connection, and a query holds it.
        house = House(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}", (system, machine, ledger))
        house.parts.ports._helper = path
        yield house
        house.store.close()


def test_a_hung_helper_holds_up_nobody_else(hung: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five that ask the machine, more than there are readers: who asks the store is answered before them."""
    monkeypatch.setattr(ports, "GLANCE", 2.0)
    ended: list[str] = []
    with hung.client() as client:
        admin = hung.header("admin")

        async def one(name: str, path: str) -> Any:
            answer = await client._http.post(path, headers=admin)
            ended.append(name)
            return answer

        async def all_of_them() -> list[Any]:
            asked = [asyncio.create_task(one("machine", "/commands/machine/programs")) for _ in range(5)]
            await asyncio.sleep(0.1)
            asked += [asyncio.create_task(one("ledger", "/commands/ledger/whoami")) for _ in range(5)]
            return await asyncio.gather(*asked)

        answers = client.run(all_of_them())
        assert ended == ["ledger"] * 5 + ["machine"] * 5
        assert [answer.status_code for answer in answers] == [422] * 5 + [200] * 5
        said = answers[0].json()["error"]
        assert said["code"] == "refused"
        assert "the helper does not answer within 2 s" in said["message"]
