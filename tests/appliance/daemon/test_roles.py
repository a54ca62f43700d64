"""Who may do what, asked of the API itself: each role at each command and listing of every service."""

from __future__ import annotations

from pathlib import Path

from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.service import all_services
from tests.appliance.daemon.house import Client, House
from tests.appliance.daemon.ledger import service as ledger

NONSENSE = b'{"nonsense'
"""What no command takes: whoever gets as far as that was let in, and nothing was done."""


def test_each_role_reaches_exactly_what_is_declared(tmp_path: Path) -> None:
    services = [*all_services(), ledger]
    house = House(tmp_path, services=services)
    roles = sorted(house.parts.registry.roles)
    for place, role in enumerate(roles):
        house.add(f"person{place}", role)
    house.add("nobody")
    people = [("", frozenset[str]()), ("nobody", frozenset[str]())]
    people += [(f"person{place}", frozenset({role})) for place, role in enumerate(roles)]
    asked = 0
    with house.client() as client:
        for name, held in people:
            headers = house.header(name) if name else {}
            person = Person(name, held)
            for path, allowed, service in _doors(house):
                answer = client.post(path, headers=headers, content=NONSENSE)
                refused = 401 if not name else 403
                assert answer.status_code == (422 if person.reaches(service, allowed) else refused), (name, path)
                asked += 1
    assert asked > 100
    house.store.close()


def _doors(house: House) -> list[tuple[str, frozenset[str], str]]:
    found = []
    for name, offered in house.parts.registry.services.items():
        found += [(f"/commands/{name}/{one.name}", one.roles, name) for one in offered.commands.values()]
        found += [(f"/listings/{name}/{one.name}", one.see, name) for one in offered.listings.values() if one.select]
    return found


def test_reaching_agrees_with_the_words_of_the_declaration(house: House, client: Client) -> None:
    clerk, manager, administrator = house.header("ani"), house.header("maya"), house.header("admin")
    account = {"code": "A1", "title": "Kas"}
    assert client.post("/commands/ledger/accounts.add", account, clerk).status_code == 403
    assert client.post("/commands/ledger/accounts.add", account, manager).status_code == 200
    assert client.post("/commands/ledger/deposit", {"account": "A1", "amount": 5}, manager).status_code == 403
    assert client.post("/commands/ledger/deposit", {"account": "A1", "amount": 5}, clerk).json() == {"balance": 5}
    assert client.post("/commands/ledger/deposit", {"account": "A1", "amount": 5}, administrator).status_code == 200
    assert client.post("/commands/ledger/greet").json() == "hello visitor"
    assert client.post("/commands/ledger/whoami").status_code == 401
    assert client.post("/commands/ledger/whoami", headers=clerk).json() == "ani"


def test_services_are_told_as_far_as_one_may_use_them(house: House, client: Client) -> None:
    seen = {one["name"]: one for one in client.get("/services", house.header("ani")).json()}
    assert [one["name"] for one in seen["ledger"]["commands"]] == [
        "accounts.get",
        "attach",
        "deposit",
        "echo",
        "greet",
        "slip",
        "whoami",
    ]
    assert [one["name"] for one in seen["system"]["commands"]] == ["sessions.end", "sessions.own"]
    assert not seen["system"]["settings"]
    visitor = client.get("/services").json()
    assert [one["name"] for one in visitor] == ["ledger"]
    assert [one["name"] for one in visitor[0]["commands"]] == ["attach", "greet"]
    assert {one["name"] for one in client.get("/services", house.header("admin")).json()} == {"ledger", "system"}


def test_a_query_is_of_its_session_and_ends_with_the_role(house: House, client: Client) -> None:
    ani, maya, admin = house.header("ani"), house.header("maya"), house.header("admin")
    for number in range(3):
        client.post("/commands/ledger/accounts.add", {"code": f"A{number}", "title": "Kas"}, maya)
    asked = client.post("/listings/ledger/accounts", {}, ani).json()
    assert asked["count"] == 3
    page = f"/queries/{asked['query']}"
    assert [row["values"][0] for row in client.get(f"{page}?offset=1&limit=1", ani).json()["rows"]] == ["A1"]
    assert client.get(page, maya).status_code == 404
    assert client.get(page, house.header("ani")).status_code == 404
    row = {"name": "ani", "full_name": "Ani", "roles": []}
    changed = client.post("/commands/system/people.change", {"name": "ani", "version": 1, "row": row}, admin)
    assert changed.status_code == 200
    assert client.get(page, ani).status_code == 403
    client.post("/logout", headers=ani)
    assert client.get(page, ani).status_code == 401
    assert house.parts.queries._queries == {}


def test_the_administrator_s_role_is_the_only_one_that_opens_all(house: House) -> None:
    registry = house.parts.registry
    for name, offered in registry.services.items():
        for command in offered.commands.values():
            assert Person("x", frozenset({ADMINISTRATOR})).reaches(name, command.roles)
