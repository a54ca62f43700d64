"""Components as JSON and back: a generation keeps what it was made of, so that it can be undone years later.

Of code, only names are kept, and only what is loaded already is found by them:
no file decides what is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from appliance.contract.components import Component
from appliance.contract.refusals import Refused
from appliance.language import _

__all__ = ["Kept", "KindUnknown", "Kinds", "function_named", "name_of_function"]


class KindUnknown(Refused):
    """A generation holds a component that this version of the appliance cannot make."""

    code = "kind-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One component in a generation's ``components.json``."""

    name: str
    kind: str
    """``appliance.components.daemon:Daemon``."""
    requires: tuple[str, ...] = ()
    value: Any = None
    edition: str = ""
    """Of the code that makes the machine run it: after an upgrade it may have to act though nobody has changed it."""

    @property
    def digest(self) -> str:
        """SHA-256 of kind and value: what says whether it changed."""
        return sha256(to_json([self.kind, self.requires, self.value])).hexdigest()


class Kinds:
    """The classes that components may be of, by their names."""

    def __init__(self, kinds: Iterable[type]) -> None:
        self._kinds: Mapping[str, type] = {name_of_kind(kind): kind for kind in kinds}

    def keep(self, component: Component) -> Kept:
        """The component as plain values. Raises KindUnknown for a class that was not announced, or one that holds
        what JSON cannot."""
        kind = name_of_kind(type(component))
        if kind not in self._kinds:
            raise KindUnknown(_("{kind} is no kind of component that was announced"), kind=kind)
        try:
            value = _adapter(type(component)).dump_python(component, mode="json")
        except (ValueError, TypeError) as error:  # PydanticSerializationError is a ValueError
            raise KindUnknown(_("{kind} cannot be kept: {why}"), kind=kind, why=str(error)) from error
        edition = str(getattr(component, "edition", ""))
        return Kept(name=component.name, kind=kind, requires=tuple(component.requires), value=value, edition=edition)

    def restore(self, kept: Kept) -> Component:
        """The component again. Raises KindUnknown."""
        found = self._kinds.get(kept.kind)
        if found is None:
            raise KindUnknown(_("{name} is a {kind}, which is not installed"), name=kept.name, kind=kept.kind)
        try:
            # As JSON: records are strict, and a list is a tuple, a text a date, there only.
            component: Component = _adapter(found).validate_json(to_json(kept.value))
        except ValidationError as error:
            raise KindUnknown(
                _("{name} cannot be read as {kind}: {why}"),
                name=kept.name,
                kind=kept.kind,
                why=str(error.errors()[0]["msg"]),
            ) from error
        return component


def name_of_kind(kind: type) -> str:
    """``module:Class``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def name_of_function(function: Callable[..., Any]) -> str:
    """``module:function``. Raises ValueError for one that cannot be found again by its name, such as a lambda."""
    name = f"{function.__module__}:{getattr(function, '__qualname__', '')}"
    if function_named(name) is not function:
        raise ValueError(f"{name} is not at the level of its module")
    return name


def function_named(name: str) -> Callable[..., Any] | None:
    """The function, if its module is loaded and has it."""
    module, _, function = name.partition(":")
    found = getattr(sys.modules.get(module), function, None)
    return found if callable(found) else None


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
