"""Variants: one lab in several forms. Each is merged over the file, as RFC 7396 merges JSON.

Mappings are merged key by key, deeply; anything else (a list, a text) is
replaced; an empty value takes a key away. What comes from a variant keeps its
own place, so that errors point to where it stands. A variant may name
parameters beside the parts of a lab, for their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue, kind_of

__all__ = ["PARTS", "Variant", "apply_variant", "merged", "read_parameters", "read_variants"]

PARTS = (
    *("description", "seed", "duration", "arp", "clock"),
    *("nodes", "links", "traffic", "faults", "assert"),
)
"""What of a lab a variant may change, beside its parameters."""


class Variant(NamedTuple):
    """``about`` is a sentence for lists; ``changes`` are merged over the lab, ``parameters`` over its parameters."""

    name: str
    about: str
    parameters: Mapping[str, str]
    changes: PlacedMapping


def read_parameters(value: PlacedValue | None, complaints: Complaints) -> dict[str, str]:
    """``parameters: {base: 10.0.0.0}``."""
    return {} if value is None else _pairs(Fields(value, "parameters", complaints).take_any(), complaints)


def read_variants(
    value: PlacedValue | None, parameters: Mapping[str, str], complaints: Complaints
) -> dict[str, Variant]:
    """All variants by name, in the order of the file."""
    if value is None:
        return {}
    if not isinstance(value, PlacedMapping):
        complaints.error(f"variants: expected names with their changes, not {kind_of(value)}", value.span)
        return {}
    return {key.text: _variant(key, entry, parameters, complaints) for key, entry in value.entries}


def apply_variant(root: PlacedMapping, name: str, variants: Mapping[str, Variant]) -> PlacedMapping:
    """The file with a variant merged over it. UsageError where there is none of that name."""
    if not name:
        return root
    if name not in variants:
        raise UsageError(f"there is no variant {name!r}{near(name, variants)}")
    made = merged(root, variants[name].changes)
    assert isinstance(made, PlacedMapping)
    return made


def merged(below: PlacedValue, above: PlacedValue) -> PlacedValue:
    """``above`` over ``below``."""
    if not (isinstance(below, PlacedMapping) and isinstance(above, PlacedMapping)):
        return above
    entries = {key.text: (key, entry) for key, entry in below.entries}
    for key, entry in above.entries:
        old = entries.get(key.text)
        if _is_nothing(entry):
            entries.pop(key.text, None)
        elif old is None:
            entries[key.text] = key, entry
        else:
            entries[key.text] = (old[0] if isinstance(entry, PlacedMapping) else key), merged(old[1], entry)
    return PlacedMapping(tuple(entries.values()), below.span)


def _is_nothing(value: PlacedValue) -> bool:
    return isinstance(value, PlacedScalar) and value.plain and value.text in ("", "~", "null")


def _variant(name: PlacedScalar, value: PlacedValue, parameters: Mapping[str, str], complaints: Complaints) -> Variant:
    fields = Fields(value, f"variant {name.text}", complaints)
    about = fields.text("about").strip()
    settings, changes = [], []
    for key, entry in fields.take_any():
        if key.text in parameters:
            settings.append((key, entry))
        elif key.text in PARTS:
            changes.append((key, entry))
        elif key.text == "parameters":
            settings += Fields(entry, f"{fields.what}, parameters", complaints).take_any()
        elif key.text != "about":
            known = (*parameters, *PARTS, "about")
            complaints.error(f"{fields.what}: unknown parameter or part {key.text!r}{near(key.text, known)}", key.span)
    for key, _ in settings:
        if key.text not in parameters:
            complaints.error(f"{fields.what}: unknown parameter {key.text!r}{near(key.text, parameters)}", key.span)
    return Variant(name.text, about, _pairs(settings, complaints), PlacedMapping(tuple(changes), value.span))


def _pairs(entries: list[tuple[PlacedScalar, PlacedValue]], complaints: Complaints) -> dict[str, str]:
    texts = ((key.text, parse(entry, str, complaints)) for key, entry in entries)
    return {name: text for name, text in texts if text is not None}
