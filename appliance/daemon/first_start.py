"""The first administrator of an empty store, and people for a demonstration."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from appliance.contract.people import ADMINISTRATOR, Person
from appliance.contract.service import Service
from appliance.services.system.commands import make
from appliance.services.system.model import PersonRecord
from appliance.services.system.passwords import hashed, one_time
from appliance.services.system.tables import PEOPLE

if TYPE_CHECKING:
    from appliance.daemon.running import Runner

__all__ = [
    "ADMINISTRATOR_NAME",
    "FIRST_PASSWORD",
    "Account",
    "demonstration_password",
    "first_administrator",
    "load_examples",
]

ADMINISTRATOR_NAME = "admin"
FIRST_PASSWORD = "first-password"
"""The file in the state folder; gone after the first login."""
DEMO_PASSWORD = "gerbang-demo"
"""No secret: the socket of a demonstration is in a folder of the user's own."""
SYSTEM = Person("", frozenset({ADMINISTRATOR}))


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can log in to a demonstration."""

    name: str
    password: str
    roles: tuple[str, ...]


def first_administrator(runner: Runner, state_folder: Path) -> str:
    """Make ``admin`` with a one-time password in a store without people; answers the password, or an empty text."""
    with runner.store.reading() as connection:
        if connection.execute(select(PEOPLE.c.id).limit(1)).first() is not None:
            return ""
    password = one_time()
    # The file is there before the person is: a crash between the two leaves a word that opens nothing,
    # and the next start writes another.
    path = state_folder / FIRST_PASSWORD
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{password}\n")
        file.flush()
        os.fsync(file.fileno())
    person = PersonRecord(name=ADMINISTRATOR_NAME, full_name="Administrator", roles=(ADMINISTRATOR,))
    with runner.changing(SYSTEM, "system", "people.add", {"name": ADMINISTRATOR_NAME}) as context:
        make(context, person, hashed(password), must_change=True)
    return password


def demonstration_password() -> Callable[[], str]:
    """Begin to hash the one password of a demonstration, a tenth of a second beside everything else; the function
    waits for it."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(hashed(DEMO_PASSWORD)))
    thread.start()

    def kept() -> str:
        thread.join()
        return found[0]

    return kept


def load_examples(runner: Runner, services: Sequence[Service], kept: str) -> tuple[Account, ...]:
    """Sample data of each service, and an account for each role; all have the password that is kept so."""
    people = [PersonRecord(name=ADMINISTRATOR_NAME, full_name="Demo Administrator", roles=(ADMINISTRATOR,))]
    for service in services:
        for role in service.roles:
            full = f"{service.name}.{role.name}"
            if full != ADMINISTRATOR:
                name = f"demo-{service.name}-{role.name}"[:32].rstrip("-.")
                people.append(PersonRecord(name=name, full_name=f"{service.title}: {role.title}"[:100], roles=(full,)))
    with runner.changing(SYSTEM, "system", "examples", {}) as context:
        for person in people:
            make(context, person, kept, must_change=False)
    for service in services:
        examples = service.module("examples")
        if examples is not None:
            with runner.changing(SYSTEM, service.name, "examples", {}) as context:
                examples.load(context)
    return tuple(Account(one.name, DEMO_PASSWORD, one.roles) for one in people)
