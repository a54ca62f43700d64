"""Passwords: which are taken, how they are kept, and one-time passwords.

Kept by Argon2id with 46 MiB, one pass, one lane, the first of OWASP's equal
choices (Password Storage Cheat Sheet); about 0.1 s of one core.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.contract.refusals import RuleBroken
from appliance.language import _

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["SHORTEST", "hashed", "one_time", "refuse_weak", "verified"]

SHORTEST = 10
MEMORY = 46 * 1024
"""KiB that a hash takes; tests take less. A hash says itself what it was made with."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""What is read aloud and typed without doubt: no l and 1, no o and 0, no i."""


def one_time() -> str:
    """Sixteen letters in four groups: 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _place in range(4)) for _group in range(4))


def refuse_weak(password: str, name: str) -> None:
    """Raise RuleBroken, naming the field ``new``, for a password that is guessed first."""
    if len(password) < SHORTEST:
        raise RuleBroken(_("a password has at least {shortest} characters"), field="new", shortest=SHORTEST)
    folded = password.casefold()
    if folded.strip("0123456789!.-_ ") in {name.casefold(), name.casefold()[::-1]}:
        raise RuleBroken(_("the password is the name"), field="new")
    if len(set(folded)) < 4:
        raise RuleBroken(_("the password has only a few different characters"), field="new")
    if folded in _common() or folded.rstrip("0123456789!.") in _common():
        raise RuleBroken(_("the password is one that everybody tries first"), field="new")


def hashed(password: str) -> str:
    """The password as it is kept. Takes 0.1 s and 46 MiB: called beside the event loop, a few at a time."""
    return _hasher().hash(_bytes(password))


def verified(kept: str | None, password: str) -> bool:
    """Whether it is the password; for a person who is not there it takes as long, and says no."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        matches = _hasher().verify(kept or _nobody(), _bytes(password))
    except (Argon2Error, InvalidHashError):
        return False
    return matches and kept is not None


def _bytes(password: str) -> bytes:
    # Half a surrogate pair is no UTF-8, and still must not be a crash.
    return password.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=MEMORY, parallelism=1)


@cache
def _nobody() -> str:
    return hashed(secrets.token_hex())


@cache
def _common() -> frozenset[str]:
    text = Path(__file__).with_name("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.split() if not line.startswith("#"))
