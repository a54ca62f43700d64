"""What one person may do, as the daemon said: only this decides which modes, screens and actions there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Access", "Allowed", "PersonSeen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSeen:
    """Who is logged in, as ``GET /me`` tells."""

    name: str
    full_name: str = ""
    language: str = "en"
    roles: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> PersonSeen:
        """From the daemon's answer; what it does not say is empty."""
        return cls(
            name=str(answer.get("name", "")),
            full_name=str(answer.get("full_name") or ""),
            language=str(answer.get("language") or "en"),
            roles=tuple(answer.get("roles") or ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One service, with what the person may use of it."""

    name: str
    title: str
    commands: Mapping[str, str]
    """Names and summaries."""
    effects: Mapping[str, str]
    listings: frozenset[str]
    settings: bool


@dataclass(frozen=True, slots=True)
class Access:
    """All services that the person may see, in the daemon's order."""

    services: tuple[Allowed, ...] = ()

    @classmethod
    def of(cls, answer: Iterable[Mapping[str, Any]]) -> Access:
        """From the answer of ``GET /services``; the appliance's own service comes last, as people seldom need it."""
        return cls(tuple(sorted(map(_allowed, answer), key=lambda one: one.name == "system")))

    def find(self, service: str) -> Allowed | None:
        """The service, if the person may see it."""
        return next((one for one in self.services if one.name == service), None)

    def may(self, service: str, command: str) -> bool:
        """Whether the person may use the command."""
        found = self.find(service)
        return found is not None and command in found.commands

    def effect_of(self, service: str, command: str) -> str:
        """``query``, ``change``, ``work``, or nothing for a command that the person may not use."""
        found = self.find(service)
        return found.effects.get(command, "") if found is not None else ""

    def may_see(self, service: str, listing: str) -> bool:
        """Whether the person may look at the listing."""
        found = self.find(service)
        return found is not None and listing in found.listings


def _allowed(answer: Mapping[str, Any]) -> Allowed:
    commands = [one for one in answer.get("commands", ()) if "name" in one]
    return Allowed(
        name=str(answer["name"]),
        title=str(answer.get("title") or answer["name"]),
        commands={one["name"]: str(one.get("summary") or "") for one in commands},
        effects={one["name"]: str(one.get("effect") or "") for one in commands},
        listings=frozenset(one["name"] for one in answer.get("listings", ()) if "name" in one),
        settings=bool(answer.get("settings")),
    )
