"""Who asks: a person with roles, or a visitor without a login."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ADMINISTRATOR", "ANYONE", "VISITOR", "Person"]

ADMINISTRATOR = "system.administrator"
"""The role that may do what any role may."""
VISITOR = "visitor"
"""What a command says when nobody needs to log in for it."""
ANYONE = "anyone"
"""What a command says when every person who has logged in may use it."""


@dataclass(frozen=True, slots=True)
class Person:
    """One who is logged in. ``roles`` are full names: ``hotel.receptionist``. The visitor has an empty name."""

    name: str
    roles: frozenset[str] = frozenset()
    language: str = "en"

    def reaches(self, service: str, allowed: frozenset[str]) -> bool:
        """Whether one of these roles of the service (``receptionist``), or ANYONE or VISITOR, lets this person in."""
        if VISITOR in allowed:
            return True
        if not self.name:
            return False
        return (
            ANYONE in allowed
            or ADMINISTRATOR in self.roles
            or any(f"{service}.{role}" in self.roles for role in allowed)
        )
