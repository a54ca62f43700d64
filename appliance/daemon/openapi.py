"""The OpenAPI 3.1 document, made from the services' records: a path for each command and each listing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from appliance.contract.commands import Command, Effect
from appliance.contract.documents import Document
from appliance.contract.listings import Listing, Question, columns_of
from appliance.contract.people import ANYONE, VISITOR
from appliance.daemon import bodies
from appliance.daemon.openapi_own import own_paths
from appliance.daemon.registry import Registry
from appliance.daemon.running import adapter
from appliance.daemon.versions import version
from appliance.services.system.model import NewPassword

__all__ = ["document"]

JSON = "application/json"
OWN = (
    *(bodies.Credentials, bodies.LanguageChosen, NewPassword, Question),
    *(bodies.LoggedInAs, bodies.Me, bodies.Health, bodies.ServiceSeen, bodies.WorkBegun, bodies.WorkSeen),
    *(bodies.QueryMade, bodies.RowsFound, bodies.RowFound, bodies.Sent, bodies.Failure),
)
REFUSED: Mapping[str, str] = {
    "401": "Log in first, or again.",
    "403": "None of your roles reaches this, or the password must be changed first.",
    "404": "It is not there.",
    "409": "Somebody was first, it is there already, or it is in use.",
    "413": "The body is too large.",
    "422": "Arguments that are not as their types say, or a rule of the service.",
    "429": "Too much at once.",
}


def document(registry: Registry) -> dict[str, Any]:
    """The whole document. The same services give the same bytes."""
    commands = [(name, one) for name, offered in sorted(registry.services.items()) for one in _sorted(offered.commands)]
    listings = [(name, one) for name, offered in sorted(registry.services.items()) for one in _sorted(offered.listings)]
    wanted: dict[tuple[str, JsonSchemaMode], TypeAdapter[Any]] = {}
    for service, command in commands:
        if command.arguments is not None:
            wanted[f"{service}.{command.name}", "validation"] = adapter(command.arguments)
        wanted[f"{service}.{command.name}", "serialization"] = adapter(command.returns)
    for own in OWN:
        mode: JsonSchemaMode = "validation" if hasattr(own, "__pydantic_config__") else "serialization"
        wanted[own.__name__, mode] = adapter(own)
    schemas, definitions = TypeAdapter.json_schemas(
        [(key, mode, one) for (key, mode), one in wanted.items()], ref_template="#/components/schemas/{model}"
    )
    by_key = {(str(key), mode): schema for (key, mode), schema in schemas.items()}
    own_schemas = {key: schema for (key, _mode), schema in by_key.items() if "." not in key}
    paths: dict[str, Any] = own_paths(own_schemas, REFUSED)
    for service, command in commands:
        paths[f"/v1/commands/{service}/{command.name}"] = {"post": _command(service, command, by_key)}
    for service, listing in listings:
        paths[f"/v1/listings/{service}/{listing.name}"] = {"post": _listing(service, listing, own_schemas)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gerbang", "version": version(), "description": "The commands of the appliance's services."},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "tags": [{"name": name, "description": one.service.title} for name, one in sorted(registry.services.items())],
    }


def _sorted(by_name: Mapping[str, Any]) -> list[Any]:
    return [by_name[name] for name in sorted(by_name)]


def _command(service: str, command: Command, schemas: Mapping[tuple[str, Any], Any]) -> dict[str, Any]:
    key = f"{service}.{command.name}"
    said: dict[str, Any] = {
        "operationId": key,
        "tags": [service],
        "summary": command.summary,
        "description": _roles(service, command.roles),
        "security": _security(command.roles),
        "x-effect": str(command.effect),
        "responses": {**_success(command, schemas[key, "serialization"], schemas), **_refused(schemas)},
    }
    if command.effect is not Effect.QUERY:
        uuid = {"type": "string", "format": "uuid"}
        text = "A repeat within a day gets the first answer, and nothing is done twice."
        said["parameters"] = [{"name": "Idempotency-Key", "in": "header", "description": text, "schema": uuid}]
    if command.arguments is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[key, "validation"]}}}
    return said


def _success(command: Command, schema: Any, schemas: Mapping[tuple[str, Any], Any]) -> dict[str, Any]:
    if command.effect is Effect.WORK:
        begun = {JSON: {"schema": schemas["WorkBegun", "serialization"]}}
        return {"202": {"description": "It has begun; see /v1/work/{id}.", "content": begun}}
    content: dict[str, Any] = {JSON: {"schema": schema}}
    if command.returns is Document:
        content |= {name: {"schema": {"type": "string"}} for name in ("text/plain", "text/html", "application/pdf")}
    return {"200": {"description": "Done.", "content": content}}


def _listing(service: str, listing: Listing, own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"{service}.{listing.name}",
        "tags": [service],
        "summary": f"Look at {listing.name.replace('-', ' ')}.",
        "description": _roles(service, listing.see),
        "security": _security(listing.see),
        "x-listing": listing.name,
        "x-key": listing.key,
        "x-columns": [_column(one) for one in columns_of(listing.row)],
        "requestBody": {"required": False, "content": {JSON: {"schema": own["Question"]}}},
        "responses": {
            "200": {"description": "The rows.", "content": {JSON: {"schema": own["QueryMade"]}}},
            **_refused({("Failure", "serialization"): own["Failure"]}),
        },
    }


def _refused(schemas: Mapping[tuple[str, Any], Any]) -> dict[str, Any]:
    content = {JSON: {"schema": schemas["Failure", "serialization"]}}
    return {status: {"description": words, "content": content} for status, words in REFUSED.items()}


def _roles(service: str, roles: frozenset[str]) -> str:
    if VISITOR in roles:
        return "Roles: everybody, without a login."
    if ANYONE in roles:
        return "Roles: everybody who has logged in."
    named = [f"{service}.{role}" for role in sorted(roles)]
    return f"Roles: {', '.join([*named, 'system.administrator'] if 'system.administrator' not in named else named)}."


def _security(roles: frozenset[str]) -> list[dict[str, list[str]]]:
    return [{}, {"token": []}] if VISITOR in roles else [{"token": []}]


def _column(column: Any) -> dict[str, Any]:
    field = column.field
    return {"name": field.name, "label": field.label, "kind": str(field.kind), "unit": field.unit}
