"""What the daemon's own paths take and answer, as records: the OpenAPI document is made from them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Le

from appliance.contract.kinds import Line, Moment, Secret
from appliance.contract.records import record
from appliance.services.system.model import Language

__all__ = [
    "Credentials",
    "Failure",
    "Health",
    "LanguageChosen",
    "LoggedInAs",
    "Me",
    "Offset",
    "QueryMade",
    "RowFound",
    "RowsFound",
    "Sent",
    "ServiceSeen",
    "WorkBegun",
    "WorkSeen",
    "Wrong",
]

Offset = Annotated[int, Ge(0), Le(2**53 - 1)]


@record
class Credentials:
    """A name and its password."""

    name: Line
    password: Secret


@record
class LanguageChosen:
    """The language in which a person reads."""

    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSeen:
    """Who is logged in."""

    name: str
    full_name: str
    language: str
    roles: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Me(PersonSeen):
    """Who is logged in, and whether the password must be changed first."""

    must_change_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedInAs:
    """A token for the Authorization header."""

    token: str
    expires_at: Moment
    must_change_password: bool
    person: PersonSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """One service and whether it serves."""

    name: str
    state: str
    """``ready``, ``degraded``: a program of it fails, ``down``: the store does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """That the daemon answers, and what else does, at most some seconds ago."""

    status: str
    """``ok``, ``degraded`` or ``store-failed``."""
    version: str
    services: list[ServiceState]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSeen:
    """A command that one may use."""

    name: str
    effect: str
    summary: str
    arguments: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingSeen:
    """A listing that one may look at."""

    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSeen:
    """A service, with what one may do there."""

    name: str
    title: str
    requires: list[str]
    public: bool
    commands: list[CommandSeen]
    listings: list[ListingSeen]
    settings: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkBegun:
    """The number of a piece of work."""

    work: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSeen:
    """How far a piece of work is; ``result`` when it is done."""

    state: str
    done: int
    total: int
    doing: str
    result: Any = None
    error: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSeen:
    """A row: its number, its version, and its values in the order of the columns."""

    id: int
    version: int
    values: list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsFound:
    """A page of rows."""

    rows: list[RowSeen]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMade:
    """A question's number, how many rows it has, and the first hundred."""

    query: str
    count: int
    rows: list[RowSeen]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFound:
    """Where a row stands, or null."""

    offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The number of a file that was sent."""

    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemSeen:
    """One argument that is wrong."""

    field: str
    kind: str
    bounds: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Why something was not done: a template in English with its values, and the whole sentence."""

    code: str
    template: str
    values: dict[str, Any]
    field: str
    message: str
    problems: list[ProblemSeen] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Every answer that is not a success."""

    error: Wrong
