"""The OpenAPI document says what the services take and answer, and nothing else is on offer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from appliance.contract.commands import Effect
from appliance.contract.people import VISITOR
from appliance.contract.service import all_services
from appliance.daemon.app import build
from appliance.daemon.openapi import document
from appliance.daemon.paths import REFUSED
from appliance.daemon.registry import Registry
from appliance.daemon.running import adapter
from tests.appliance.daemon.house import Client, House

PREFIX = "/v1/commands/ledger/"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that nobody changes."""
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Requests to it."""
    with house.client() as made:
        yield made


@pytest.fixture(scope="module")
def said(house: House, client: Client) -> dict[str, Any]:
    """The document as a client gets it."""
    found: dict[str, Any] = client.get("/openapi.json", headers=house.header("admin")).json()
    return found


def test_every_command_and_listing_is_there_and_no_other(house: House, said: dict[str, Any]) -> None:
    offered = house.parts.registry.services
    commands = {f"/v1/commands/{name}/{one}" for name, service in offered.items() for one in service.commands}
    listings = {f"/v1/listings/{name}/{one}" for name, service in offered.items() for one in service.listings}
    assert {path for path in said["paths"] if path.startswith("/v1/commands/")} == commands
    assert {path for path in said["paths"] if path.startswith("/v1/listings/")} == listings
    assert said["openapi"] == "3.1.0"
    assert said["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}


def test_bodies_are_the_records_own_schemas(house: House, said: dict[str, Any]) -> None:
    registry = Registry(all_services())
    whole = document(house.app, registry)
    compared = 0
    for service, offered in registry.services.items():
        for name, command in offered.commands.items():
            operation = whole["paths"][f"/v1/commands/{service}/{name}"]["post"]
            assert ("requestBody" in operation) is (command.arguments is not None)
            if command.arguments is None:
                continue
            own = adapter(command.arguments).json_schema(mode="validation")
            written = operation["requestBody"]["content"]["application/json"]["schema"]
            definitions = {f"#/components/schemas/{key}": one for key, one in whole["components"]["schemas"].items()}
            expected = _resolved(own, {f"#/$defs/{key}": one for key, one in own.get("$defs", {}).items()})
            assert _resolved(written, definitions) == expected
            compared += 1
    assert compared > 50


def _resolved(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Without references and without ``default: null``, which FastAPI leaves out; titles are words."""
    if isinstance(schema, list):
        return [_resolved(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        beside = {name: one for name, one in schema.items() if name != "$ref"}
        return _resolved({**definitions[schema["$ref"]], **beside}, definitions)
    return {
        name: _resolved(one, definitions)
        for name, one in schema.items()
        if name != "$defs"
        and not (name == "title" and isinstance(one, str))
        and not (name == "default" and one is None)
    }


def test_whole_numbers_have_whole_bounds(said: dict[str, Any]) -> None:
    text = json.dumps(said)
    assert '"maximum"' in text
    for number in ("minimum", "maximum"):
        assert not any(part.split(",")[0].split("}")[0].endswith(".0") for part in text.split(f'"{number}": ')[1:])


def test_who_may_is_written_down(house: House, said: dict[str, Any]) -> None:
    commands = house.parts.registry.services["ledger"].commands
    for name, command in commands.items():
        operation = said["paths"][PREFIX + name]["post"]
        assert ({} in operation["security"]) is (VISITOR in command.roles)
        assert {"token": []} in operation["security"]
        assert operation["summary"] == command.summary
        assert operation["x-effect"] == command.effect
        keys = [one["name"] for one in operation.get("parameters", ())]
        assert keys == ([] if command.effect is Effect.QUERY else ["Idempotency-Key"])
    roles = said["paths"][PREFIX + "deposit"]["post"]["description"]
    assert roles == "Roles: ledger.clerk, system.administrator."
    assert "security" not in said["paths"]["/v1/login"]["post"]


def test_refusals_have_one_shape(said: dict[str, Any]) -> None:
    for path in said["paths"].values():
        for operation in path.values():
            for status in REFUSED:
                content = operation["responses"][str(status)]["content"]
                assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Failure"}
    assert set(said["components"]["schemas"]["Failure"]["properties"]) == {"error"}
    assert "HTTPValidationError" not in said["components"]["schemas"]


def test_papers_and_work_answer_as_declared(said: dict[str, Any]) -> None:
    paper = said["paths"][PREFIX + "slip"]["post"]["responses"]["200"]["content"]
    assert set(paper) == {"application/json", "text/plain", "text/html", "application/pdf"}
    assert set(said["paths"][PREFIX + "count-up"]["post"]["responses"]) & {"200", "202"} == {"202"}
    nothing = said["paths"][PREFIX + "fail"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert nothing["type"] == "null"


def test_listings_tell_their_columns(said: dict[str, Any]) -> None:
    listing = said["paths"]["/v1/listings/ledger/accounts"]["post"]
    assert listing["x-listing"] == "accounts"
    assert listing["x-key"] == "code"
    assert [one["name"] for one in listing["x-columns"]] == ["code", "title", "balance", "note"]
    assert all(set(one) == {"name", "label", "kind", "unit"} for one in listing["x-columns"])
    assert listing["requestBody"]["required"] is False


def test_the_same_services_give_the_same_bytes(house: House, said: dict[str, Any]) -> None:
    again = document(build(house.parts), house.parts.registry)
    assert json.dumps(again) == json.dumps(said)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/v1/docs", "/docs/oauth2-redirect"])
def test_the_frameworks_own_pages_are_not_there(client: Client, path: str) -> None:
    answer = client.get(f"http://gerbang{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not-found"


def test_the_frameworks_own_checks_are_not_asked(house: House, client: Client) -> None:
    header = house.header("admin")
    wrong = client.post("/commands/ledger/deposit", json={"account": "A", "amount": "a-secret-word"}, headers=header)
    assert wrong.status_code == 422
    assert wrong.json()["error"]["code"] == "invalid-arguments"
    assert "a-secret-word" not in wrong.text
    assert "detail" not in wrong.json()
    # A body without a Content-Type is JSON; FastAPI's strict_content_type would refuse it.
    assert client.post("/commands/ledger/accounts.get", content=b'{"code":"A"}', headers=header).status_code == 404


def test_the_document_is_made_when_it_is_asked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: object, **_named: object) -> None:
        raise AssertionError("the start does not wait for the document")

    monkeypatch.setattr("appliance.daemon.openapi.get_openapi", never)
    app = build(house.parts)
    with pytest.raises(AssertionError):
        app.openapi()
