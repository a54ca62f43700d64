"""The user's interface names as the configurations spell them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from compiler.errors import UsageError
from compiler.policy.access_list import Device
from compiler.policy.ruleset import Ruleset

__all__ = ["check_known", "in_full", "spelled"]


def spelled(names: Mapping[str, str], left: Device | Ruleset, right_dialect: str) -> dict[str, str]:
    """The mapping with IOS names in full (``gi0/2`` is GigabitEthernet0/2) on the sides that are IOS.

    Raises UsageError for an interface that the left configuration does not have, and
    for two names of one interface.
    """
    found: dict[str, str] = {}
    for here, there in names.items():
        name = _full(here) if isinstance(left, Device) else here
        if isinstance(left, Device):
            check_known(name, left)
        other = _full(there) if right_dialect == "ios" else there
        if found.setdefault(name, other) != other:
            raise UsageError(f"interface {name} is given twice, as {found[name]!r} and as {other!r}")
    for there in found.values():
        if len([name for name, other in found.items() if other == there]) > 1:
            both = " and ".join(name for name, other in found.items() if other == there)
            raise UsageError(f"{both} cannot both be the interface {there}")
    return found


def in_full(name: str, tree: Device | Ruleset) -> str:
    """One name as the configuration spells it."""
    return _full(name) if name and isinstance(tree, Device) else name


def _full(name: str) -> str:
    from compiler.dialects.ios.interfaces import interface_name

    return interface_name(name)


def check_known(name: str, device: Device) -> None:
    """Raises UsageError for an interface that the configuration does not have."""
    known = {*device.interfaces, *(binding.interface for binding in device.bindings)}
    if name in known or not known:
        return
    near = get_close_matches(name, sorted(known), 1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known)[:8])}"
    raise UsageError(f"{device.source} has no interface {name}; {hint}")
