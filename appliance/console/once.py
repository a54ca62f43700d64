"""A form that is saved again since nobody answered: the daemon is to take both for one request, and do it once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from appliance.console.door import Unreachable, key_given

__all__ = ["Once"]


class Once:
    """The key of one form's request, kept while it is not known whether the daemon has it.

    Within ``of(entered)`` the first command has the same Idempotency-Key as when
    the same was entered before and the answer was lost. What was changed since,
    or refused, is another request.
    """

    def __init__(self) -> None:
        self._lost: tuple[Any, str] | None = None

    @contextmanager
    def of(self, entered: Any) -> Iterator[None]:
        """For one attempt to save what was entered."""
        key = self._lost[1] if self._lost is not None and self._lost[0] == entered else str(uuid4())
        self._lost = None
        token = key_given.set([key])
        try:
            yield
        except Unreachable:
            self._lost = entered, key
            raise
        finally:
            key_given.reset(token)
