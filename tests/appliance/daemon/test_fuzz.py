"""schemathesis reads the OpenAPI document and asks everything in it, with what fits and what does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.appliance.daemon.house import Client, House

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LEFT_OUT = {"logout", "events", "ledger.fail", "login", "password"}
"""What would end the session of the test, never end, fails on purpose, or costs a tenth of a second each."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that is asked everything by its administrator."""
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    with house.client() as made:
        yield made


@pytest.fixture
def _lifespan_ends() -> Iterator[None]:
    """Before that of the client, as schemathesis' own plugin does, which is not loaded (tests/conftest.py)."""
    yield
    shutdown_lifespans()


@pytest.mark.usefixtures("_lifespan_ends")
def test_everything_in_the_document_answers_as_it_says(house: House, client: Client) -> None:
    headers = house.header("admin")
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", house.app, headers=headers)
    asked: dict[str, int] = {}
    for found in schema.get_all_operations():
        operation: Any = found.ok()
        name = operation.definition.raw["operationId"]
        if name in LEFT_OUT:
            continue
        asked[name] = 0
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _ask(headers, operation, mode, asked, name)
    assert len(asked) > 25
    assert sum(asked.values()) > 40
    assert client.get("/health").json()["status"] == "ok"
    assert client.post("/commands/ledger/greet", headers=headers).status_code == 200


def _ask(headers: dict[str, str], operation: Any, mode: Any, asked: dict[str, int], name: str) -> None:
    try:
        strategy = operation.as_strategy(generation_mode=mode)
    except Exception:  # nothing to be wrong about
        return

    @settings(
        max_examples=80 if os.environ.get("GERBANG_LONG") else 1,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @_given(strategy)
    def check(case: Any) -> None:
        asked[name] += 1
        case.validate_response(case.call(headers=headers), checks=CHECKS)

    # An operation that takes nothing cannot be given anything wrong.
    with suppress(Unsatisfiable):
        check()


def _given(strategy: Any) -> Any:
    from hypothesis import given

    return given(case=strategy)
