"""Every door of every installed service, over real HTTP: who may not is refused, and nothing has changed afterwards.

The doors are those that the services declare, so a new service is tried as it comes. What is sent is what the command
takes: whoever gets past the roles does something, and it shows.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from appliance.contract.commands import Effect
from appliance.contract.people import ADMINISTRATOR, ANYONE, VISITOR, Person
from appliance.contract.service import all_services
from appliance.services.system.tables import SESSIONS
from appliance.store.revisions import metadata_of, with_core
from tests.appliance.daemon.house import PASSWORD, House
from tests.appliance.daemon.ledger import service as ledger
from tests.appliance.daemon.plausible import plausible

SERVICES = (*all_services(), ledger)
OTHER = "gunung tinggi hijau"


class Door(NamedTuple):
    """One path with what it takes, and who may."""

    path: str
    body: bytes
    service: str
    allowed: frozenset[str]
    changes: bool


class Caller:
    """A client of the socket that repeats nothing and follows nothing. Each request has its own connection."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, method: str, path: str, body: bytes = b"", token: str = "") -> tuple[int, Any]:
        """The status, and the answer if it is JSON."""
        login = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"{method} /v1{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{login}Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.socket(socket.AF_UNIX) as own:
            own.settimeout(120)
            own.connect(str(self._path))
            # At once: who is refused is answered before his body is read.
            own.sendall(head.encode() + body)
            answer = HTTPResponse(own, method=method)
            answer.begin()
            said = answer.read()
            return answer.status, json.loads(said) if answer.headers["Content-Type"] == "application/json" else said

    def status(self, door: Door, token: str = "") -> int:
        """What this door says."""
        return self.ask("POST", door.path, door.body, token)[0]

    def does(self, path: str, value: object, token: str) -> Any:
        """What must succeed."""
        status, said = self.ask("POST", path, json.dumps(value).encode(), token)
        assert status in {200, 204}, said
        return said


class Live(NamedTuple):
    """A house that listens, and somebody at its door."""

    house: House
    caller: Caller
    folder: Path


@contextmanager
def living(folder: Path) -> Iterator[Live]:
    house = House(folder, services=SERVICES)
    try:
        with house.live(folder) as path:
            yield Live(house, Caller(path), folder)
    finally:
        house.store.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with living(tmp_path) as made:
        yield made


def doors(house: House) -> list[Door]:
    found = []
    for name, offered in house.parts.registry.services.items():
        for one in offered.commands.values():
            body = (plausible(one.arguments) if one.arguments else None) or b"{}"
            found.append(
                Door(f"/commands/{name}/{one.name}", body, name, one.roles, changes=one.effect is not Effect.QUERY)
            )
        for listing in offered.listings.values():
            found.append(Door(f"/listings/{name}/{listing.name}", b"{}", name, listing.see, changes=False))
    return found


def everything(live: Live) -> dict[str, Any]:
    """All rows but those of the sessions, which end by themselves, and the files that stand in the state folder."""
    found: dict[str, Any] = {}
    with live.house.store.reading() as connection:
        for service in with_core(SERVICES):
            for table in metadata_of(service).sorted_tables:
                if table is not SESSIONS:
                    found[table.name] = sorted(map(repr, connection.execute(select(table))))
    found["files"] = sorted(str(one) for one in live.folder.rglob("*"))
    return found


def test_what_is_sent_is_what_they_take(live: Live) -> None:
    """The refusals below would be worth less if nothing happened without them either."""
    taken = [one for one in doors(live.house) if one.body != b"{}"]
    assert len(taken) > 100
    before = everything(live)
    token = live.house.token("admin")
    assert live.caller.status(next(one for one in taken if one.path == "/commands/ledger/accounts.add"), token) == 200
    assert everything(live) != before


def test_every_role_at_every_door_that_is_not_its_own(live: Live) -> None:
    house, caller = live.house, live.caller
    people = [("", frozenset[str]()), ("nobody", frozenset[str]())]
    people += [(f"person{place}", frozenset({role})) for place, role in enumerate(sorted(house.parts.registry.roles))]
    people = [one for one in people if ADMINISTRATOR not in one[1]]
    for name, roles in people[1:]:
        house.add(name, *roles)
    tokens = {name: house.token(name) if name else "" for name, _roles in people}
    all_of, before, refused = doors(house), everything(live), 0
    for name, roles in people:
        person = Person(name, roles)
        for door in all_of:
            if not person.reaches(door.service, door.allowed):
                assert caller.status(door, tokens[name]) == (403 if name else 401), (name, roles, door.path)
                refused += 1
        assert everything(live) == before, (name, roles)
    assert refused > 1000


def log_out(live: Live, _admin: str) -> str:
    token = live.house.token("rina")
    live.caller.does("/logout", None, token)
    return token


def change_the_password_elsewhere(live: Live, _admin: str) -> str:
    token = live.house.token("rina")
    live.caller.does("/password", {"old": PASSWORD, "new": OTHER}, live.house.token("rina"))
    return token


def reset_the_password(live: Live, admin: str) -> str:
    token = live.house.token("rina")
    live.caller.does("/commands/system/people.reset-password", {"name": "rina"}, admin)
    return token


def remove_the_person(live: Live, admin: str) -> str:
    token = live.house.token("rina")
    live.caller.does("/commands/system/people.remove", {"name": "rina", "version": 1}, admin)
    return token


def remove_and_add_again(live: Live, admin: str) -> str:
    token = remove_the_person(live, admin)
    live.house.add("rina", ADMINISTRATOR)
    return token


def disable_the_person(live: Live, admin: str) -> str:
    token = live.house.token("rina")
    row = {"name": "rina", "full_name": "Rina", "roles": [ADMINISTRATOR], "active": False}
    live.caller.does("/commands/system/people.change", {"name": "rina", "version": 1, "row": row}, admin)
    return token


def end_the_session(live: Live, admin: str) -> str:
    token = live.house.token("rina")
    rows = live.caller.does("/listings/system/sessions", {}, admin)["rows"]
    (session,) = (row["id"] for row in rows if row["values"][0] == "rina")
    live.caller.does("/commands/system/sessions.end", {"session": session}, admin)
    return token


def idle(live: Live, _admin: str) -> str:
    token = live.house.token("rina")
    live.house.clock.forward(minutes=31)
    return token


def last_too_long(live: Live, _admin: str) -> str:
    token = live.house.token("rina")
    for _ in range(12 * 3):
        live.caller.ask("GET", "/me", token=token)
        live.house.clock.forward(minutes=20, seconds=1)
    return token


def lose_the_roles(live: Live, admin: str) -> str:
    token = live.house.token("rina")
    row = {"name": "rina", "full_name": "Rina", "roles": []}
    live.caller.does("/commands/system/people.change", {"name": "rina", "version": 1, "row": row}, admin)
    return token


def one_time_password(live: Live, admin: str) -> str:
    given = live.caller.does("/commands/system/people.reset-password", {"name": "rina"}, admin)["password"]
    said = live.caller.ask("POST", "/login", json.dumps({"name": "rina", "password": given}).encode())[1]
    assert said["must_change_password"]
    return str(said["token"])


ENDS: list[tuple[Callable[[Live, str], str], int]] = [
    (log_out, 401),
    (change_the_password_elsewhere, 401),
    (reset_the_password, 401),
    (remove_the_person, 401),
    (remove_and_add_again, 401),
    (disable_the_person, 401),
    (end_the_session, 401),
    (idle, 401),
    (last_too_long, 401),
    (lose_the_roles, 403),
    (one_time_password, 403),
]


@pytest.mark.parametrize(("ends", "status"), ENDS, ids=[one.__name__ for one, _status in ENDS])
def test_the_token_of_an_administrator_that_opens_nothing_any_more(
    live: Live, ends: Callable[[Live, str], str], status: int
) -> None:
    house, caller = live.house, live.caller
    house.add("rina", ADMINISTRATOR)
    used = house.token("rina")
    assert caller.ask("GET", "/services", token=used)[0] == 200  # known without the store from now on
    query = caller.does("/listings/system/people", {}, used)["query"]
    work = caller.ask("POST", "/commands/ledger/count-up", b'{"steps": 1}', used)[1]["work"]
    file = caller.ask("POST", "/files", b"some bytes", used)[1]["file"]
    while caller.ask("GET", f"/work/{work}", token=used)[1]["state"] == "running":
        threading.Event().wait(0.01)
    caller.does("/logout", None, used)
    token = ends(live, house.token("admin"))
    before = everything(live)
    open_to_all = {VISITOR, ANYONE} if ends is lose_the_roles else set()
    for door in doors(house):
        if not open_to_all & door.allowed:
            assert caller.status(door, token) == status, door.path
    beside = [("GET", f"/queries/{query}{end}") for end in ("", "/position?row=1", "/totals", "/export?format=csv")]
    beside += [("GET", f"/work/{work}"), ("GET", f"/work/{work}/result"), ("DELETE", f"/work/{work}")]
    for method, path in beside:
        # Of a session that has ended a query is nobody's; without the role the work is nobody's business.
        assert caller.ask(method, path, token=token)[0] in {status, 404 if open_to_all else status}, path
    if not open_to_all:
        for method, path in [("GET", f"/files/{file}"), ("POST", "/files"), ("GET", "/services"), ("GET", "/events")]:
            assert caller.ask(method, path, b"x" if method == "POST" else b"", token)[0] == status, path
        body = json.dumps({"language": "id"}).encode()
        assert caller.ask("POST", "/language", body, token)[0] == status
    assert everything(live) == before
    assert caller.ask("GET", "/health")[0] == 200
