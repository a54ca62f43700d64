"""Changing some fields of a record: those that are not given keep their present values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appliance.cli.options import Option

if TYPE_CHECKING:
    from appliance.client.blocking import Client

__all__ = ["completed"]


def completed(
    client: Client, service: str, name: str, options: tuple[Option, ...], values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The arguments of a ``….change``, completed by what ``….get`` answers; its version too, when none is given.

    Somebody who changes the record between the two is noticed by the version.
    """
    # The row's number, where it need not be said, is no part of the key by which it is looked at.
    beside = {"row", "version"} | {one.place[0] for one in options if one.place == ("id",) and not one.required}
    key = {name: value for name, value in values.items() if name not in beside}
    if "version" in values and all(_given(values, one.place) for one in options):
        return values
    if any(one.required and not _given(values, one.place) for one in options if one.place[0] not in {"row", "version"}):
        return values  # without a key there is nothing to look at: the daemon says what is missing
    present = client.call(service, f"{name.removesuffix('.change')}.get", key or None)
    seen = {name: present[name] for name in ("id", "version") if name == "version" or "id" in beside}
    return {**seen, **values, "row": _over(present["row"], values.get("row", {}))}


def _given(values: Any, place: tuple[str, ...]) -> bool:
    for name in place:
        if not isinstance(values, Mapping) or name not in values:
            return False
        values = values[name]
    return True


def _over(present: Any, given: Any) -> Any:
    if not isinstance(present, Mapping) or not isinstance(given, Mapping):
        return given
    return {**present, **{name: _over(present.get(name), one) for name, one in given.items()}}
