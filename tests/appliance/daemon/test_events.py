"""Events: who is told, who is not, and who does not read."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from appliance.contract.context import Event
from appliance.contract.people import Person
from appliance.daemon import events
from appliance.daemon.errors import TooMany
from appliance.store.failures import StoreAway
from tests.appliance.daemon.house import Client, House


def told(parts: list[bytes]) -> list[Any]:
    return [json.loads(part[6:]) for part in parts if part.startswith(b"data: ")]


async def listening(house: House, person: Person | None, cut: Any = lambda: None) -> Any:
    stream = await house.parts.hub.listen(lambda: person, person.name if person else "", cut)
    assert await anext(stream) == b": listening\n\n"
    return stream


async def next_told(stream: Any) -> Any:
    return told([await asyncio.wait_for(anext(stream), 5)])[0]


ANI = Person("ani", frozenset({"ledger.clerk"}))
BUDI = Person("budi", frozenset({"system.none"}))
ROOT = Person("admin", frozenset({"system.administrator"}))


def test_each_is_told_what_is_for_him(house: House, client: Client) -> None:
    async def check() -> None:
        ani, root = await listening(house, ANI), await listening(house, ROOT)
        secret = Event(service="ledger", kind="k", subject="for managers", roles=frozenset({"manager"}))
        of_system = Event(service="system", kind="k", subject="people/x")
        plain = Event(service="ledger", kind="k", subject="s", template="{n} came", values={"n": 3}, urgent=True)
        house.parts.hub.publish((secret, of_system, plain))
        first = await next_told(ani)
        assert first == {
            "service": "ledger",
            "kind": "k",
            "subject": "s",
            "template": "{n} came",
            "values": {"n": 3},
            "urgent": True,
            "roles": [],
        }
        assert [(await next_told(root))["subject"] for _ in range(3)] == ["for managers", "people/x", "s"]
        await ani.aclose()
        await root.aclose()

    client.run(check())
    assert not house.parts.hub._listeners


VISITOR = Person("")
PUBLIC = (
    (Event(service="ledger", kind="k", subject="of the clerks"), {"ani", "admin"}),
    (Event(service="ledger", kind="k", subject="of the managers", roles=frozenset({"manager"})), {"admin"}),
    (Event(service="ledger", kind="k", subject="of anyone", roles=frozenset({"anyone"})), {"ani", "budi", "admin"}),
    (Event(service="ledger", kind="k", subject="of all", roles=frozenset({"visitor"})), {"", "ani", "budi", "admin"}),
    (Event(service="system", kind="k", subject="people/x"), {"admin"}),
)


def test_a_public_side_tells_visitors_and_strangers_only_what_says_so(house: House, client: Client) -> None:
    """The ledger is public, and what happens in it is not."""
    last = Event(service="ledger", kind="k", subject="the end", roles=frozenset({"visitor"}))

    async def subjects(stream: Any) -> list[str]:
        found = [(await next_told(stream))["subject"]]
        while found[-1] != "the end":
            found.append((await next_told(stream))["subject"])
        await stream.aclose()
        return found[:-1]

    async def check() -> None:
        streams = [(person.name, await listening(house, person)) for person in (VISITOR, ANI, BUDI, ROOT)]
        house.parts.hub.publish((*(event for event, _names in PUBLIC), last))
        for name, stream in streams:
            assert await subjects(stream) == [event.subject for event, names in PUBLIC if name in names], name

    client.run(check())


def test_a_visitor_is_told_no_change_of_master_data_that_he_may_not_see(house: House, client: Client) -> None:
    maya = house.header("maya")
    stream = client.run(listening(house, VISITOR))
    client.post("/commands/ledger/accounts.add", {"code": "A1", "title": "Kas"}, maya)
    house.parts.hub.publish((Event(service="ledger", kind="k", subject="later", roles=frozenset({"visitor"})),))
    assert client.run(next_told(stream))["subject"] == "later"
    client.run(stream.aclose())


def test_visitors_from_many_places_take_no_stream_from_those_who_logged_in(house: House, client: Client) -> None:
    async def check() -> None:
        streams = []
        for place in range(events.MOST_OF_VISITORS):
            one = await house.parts.hub.listen(lambda: VISITOR, f"visitor:{place}", lambda: None, visitor=True)
            await anext(one)
            streams.append(one)
        with pytest.raises(TooMany):
            await house.parts.hub.listen(lambda: VISITOR, "visitor:more", lambda: None, visitor=True)
        streams.append(await listening(house, ANI))
        for stream in streams:
            await stream.aclose()

    client.run(check())


def test_a_command_s_events_come_when_it_is_kept(house: House, client: Client) -> None:
    maya, ani = house.header("maya"), house.header("ani")
    client.post("/commands/ledger/accounts.add", {"code": "A1", "title": "Kas"}, maya)
    stream = client.run(listening(house, ANI))
    client.post("/commands/ledger/deposit", {"account": "none", "amount": 1}, ani)
    client.post("/commands/ledger/deposit", {"account": "A1", "amount": 9}, ani)
    event = client.run(next_told(stream))
    assert (event["subject"], event["values"]) == ("accounts/A1", {"amount": 9})
    client.run(stream.aclose())


def test_who_does_not_read_is_told_that_he_lost_something_and_is_cut(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[bool] = []

    async def check() -> None:
        slow = await listening(house, ANI, lambda: cut.append(True))
        monkeypatch.setattr(events, "CUT_AFTER", 0)
        event = Event(service="ledger", kind="k", subject="s")
        house.parts.hub.publish((event,) * (events.LONGEST + 1))
        while not cut:
            await asyncio.sleep(0)
        assert cut == [True]
        monkeypatch.undo()
        assert await anext(slow) == events.LOST
        with pytest.raises(StopAsyncIteration):
            await anext(slow)

    client.run(check())


def test_a_stream_ends_with_its_session(house: House, client: Client) -> None:
    async def check() -> None:
        holder: list[Person | None] = [ANI]
        stream = await house.parts.hub.listen(lambda: holder[0], "ani", lambda: None)
        await anext(stream)
        holder[0] = None
        house.parts.hub.publish((Event(service="system", kind="removed", subject="sessions/1"),))
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(stream), 5)

    client.run(check())


def test_a_store_that_fails_or_is_slow_takes_the_events_of_nobody_else(house: House, client: Client) -> None:
    """What cannot be told to somebody for sure is lost for him alone, and the loop never waits for the store."""
    release, asked = threading.Event(), threading.Event()

    def fails() -> Person | None:
        raise StoreAway("the server does not answer")

    def slow() -> Person | None:
        asked.set()
        release.wait()
        return ANI

    async def check() -> None:
        first = await house.parts.hub.listen(fails, "first", lambda: None)
        second = await house.parts.hub.listen(slow, "second", lambda: None)
        third = await listening(house, ROOT)
        await anext(first), await anext(second)
        house.parts.hub.publish((Event(service="ledger", kind="k", subject="one"),))
        await asyncio.to_thread(asked.wait, 20)
        turns = 0
        for _ in range(100):  # the loop goes on
            await asyncio.sleep(0)
            turns += 1
        assert turns == 100
        release.set()
        assert (await next_told(second))["subject"] == "one"
        assert (await next_told(third))["subject"] == "one"
        assert await asyncio.wait_for(anext(first), 5) == events.LOST
        for stream in (first, second, third):
            await stream.aclose()

    client.run(check())


def test_events_come_in_the_order_in_which_they_happened(house: House, client: Client) -> None:
    async def check() -> None:
        stream = await listening(house, ROOT)
        for number in range(50):
            service = "system" if number % 3 else "ledger"  # those of the system are looked at in a thread
            house.parts.hub.publish((Event(service=service, kind="k", subject=str(number)),))
        assert [(await next_told(stream))["subject"] for _ in range(50)] == [str(number) for number in range(50)]
        await stream.aclose()

    client.run(check())


def test_a_heartbeat_comes_while_nothing_happens(house: House, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.01)

    async def check() -> None:
        stream = await listening(house, BUDI)
        assert await asyncio.wait_for(anext(stream), 5) == b": still here\n\n"
        await stream.aclose()

    client.run(check())


def test_one_person_has_a_bounded_number_of_streams(house: House, client: Client) -> None:
    async def check() -> None:
        streams = [await listening(house, ANI) for _ in range(events.MOST_OF_ONE)]
        with pytest.raises(TooMany):
            await listening(house, ANI)
        for stream in streams:
            await stream.aclose()

    client.run(check())
