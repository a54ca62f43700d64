"""Passwords of mailboxes, as Dovecot checks them.

Argon2id with 19 MiB, two passes, one lane: one of OWASP's equal choices
(Password Storage Cheat Sheet). A mail client logs in for each look, and many do
so at once; the 46 MiB of the console's logins would be felt.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from appliance.contract.refusals import RuleBroken
from appliance.language import _
from appliance.services.system.passwords import one_time
from appliance.services.system.passwords import refuse_weak as refuse_guessed

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["SCHEME", "SHORTEST", "hashed", "new_password", "refuse_weak"]

SCHEME = "{ARGON2ID}"
SHORTEST = 12
"""Characters. It is asked over the network, and by every client that keeps it."""
MEMORY = 19 * 1024
"""KiB that a hash takes; tests take less. A hash says itself what it was made with."""


def refuse_weak(password: str, name: str) -> None:
    """Raise RuleBroken, naming the field ``password``, for one that is short or guessed first, or that no client can
    send (RFC 4616 sends no NUL, and a login in clear no line end)."""
    if len(password) < SHORTEST:
        raise RuleBroken(_("a password has at least {shortest} characters"), field="password", shortest=SHORTEST)
    if any(not letter.isprintable() for letter in password):
        raise RuleBroken(_("a password has printable characters only"), field="password")
    try:
        refuse_guessed(password, name)
    except RuleBroken as error:
        raise RuleBroken(error.template, field="password", **error.values) from None


def hashed(password: str) -> str:
    """As Dovecot's passwd-file has it. Takes some 30 ms."""
    return SCHEME + _hasher().hash(password)


def new_password(arguments: Any) -> tuple[str, str]:
    """The ``before`` of commands whose arguments have a ``name`` and a ``password``: what was made up, or nothing when
    one was given, and the hash. Raises RuleBroken for a weak one."""
    given: str = arguments.password
    if given:
        refuse_weak(given, arguments.name)
    made = "" if given else one_time()
    return made, hashed(given or made)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=MEMORY, parallelism=1)
