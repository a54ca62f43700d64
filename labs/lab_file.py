"""Reading ``lab.yaml``: closed-world, with all errors of a file at once, each with its place.

Top level: ``name``, ``description``, ``seed``, ``duration``, ``arp``,
``clock``, ``parameters``, ``variants``, ``nodes``, ``links``, ``traffic``,
``faults``, ``assert``. The parts are read by ``labs.reading``, a file each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from compiler.errors import InputError, UsageError
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields
from compiler.placed.places import PlacedMapping, PlacedValue, compose, kind_of
from labs.reading.asserting import read_assertions
from labs.reading.boards import check_boards
from labs.reading.checks import check
from labs.reading.expansion import substitute
from labs.reading.faults import read_faults
from labs.reading.links import read_links
from labs.reading.nodes import read_nodes
from labs.reading.traffic import read_traffic
from labs.reading.variants import apply_variant, read_parameters, read_variants
from labs.topology import Assertion, Fault, Lab, Traffic
from labs.words.word import ArgumentKind

__all__ = [
    "LAB_FILE",
    "Description",
    "LabFile",
    "describe",
    "find_further_labs",
    "find_labs",
    "read_lab",
    "read_lab_file",
]

LAB_FILE = "lab.yaml"

_TAIL = 1_000_000_000
"""A lab goes on for a second after its last activity or fault begins, and ten in all, unless it says otherwise."""


class LabFile(NamedTuple):
    """A lab with what is worth knowing about its file."""

    lab: Lab
    warnings: tuple[InputError, ...]
    parameters: Mapping[str, str]
    variants: tuple[str, ...]
    about: Mapping[str, str] = MappingProxyType({})
    """What each variant says of itself."""


def read_lab(path: str | Path, settings: Mapping[str, str] | None = None, variant: str = "") -> Lab:
    """The lab in a folder, or in a file. See :func:`read_lab_file` for its errors."""
    return read_lab_file(path, settings, variant).lab


def read_lab_file(path: str | Path, settings: Mapping[str, str] | None = None, variant: str = "") -> LabFile:
    """The lab in a folder or a file, with ``settings`` in place of its parameters' values.

    Raises UsageError for a file, variant or parameter that does not exist, and
    InputErrors with everything that is wrong with the lab file and its configurations.
    """
    file, text = _text(path)
    lines = tuple(text.split("\n"))
    complaints = Complaints(lines)
    root = compose(text, str(file))
    if not isinstance(root, PlacedMapping):
        complaints.error(f"expected a mapping (name, nodes, links …), not {kind_of(root)}", root.span)
        raise complaints.errors()
    entries = {key.text: entry for key, entry in root.entries}
    own = read_parameters(entries.get("parameters"), complaints)
    variants = read_variants(entries.get("variants"), own, complaints)
    root = apply_variant(root, variant, variants)
    if variant:
        own |= variants[variant].parameters
    parameters = _with_settings(own, settings or {})
    lab = _lab(substitute(root, parameters, complaints), file, lines, complaints)
    lab = replace(lab, variant=variant, settings=tuple((settings or {}).items()))
    if not complaints:
        check(lab, complaints)
        check_boards(lab.nodes, lab.links, complaints)
    complaints.raise_all()
    return LabFile(
        lab, complaints.warnings, parameters, tuple(variants), {one.name: one.about for one in variants.values()}
    )


class Description(NamedTuple):
    """What a lab file says of itself; of its variants the names, and what they say."""

    name: str
    description: str
    variants: Mapping[str, str]


def describe(path: Path) -> Description:
    """Name, description and variants of a lab file, without its configurations; the error when it cannot be read."""
    file, text = _text(path)
    complaints = Complaints(tuple(text.split("\n")))
    fields = Fields(compose(text, str(file)), "a lab", complaints)
    variants = read_variants(
        fields.take("variants"), read_parameters(fields.take("parameters"), complaints), complaints
    )
    about = {one.name: one.about for one in variants.values()}
    found = Description(fields.text("name", file.parent.name), fields.text("description"), about)
    complaints.raise_all()
    return found


def find_labs(folder: Path) -> tuple[Path, ...]:
    """The folders below this one (and itself) that hold a lab file, in the order of their names."""
    found = [file.parent for file in folder.rglob(LAB_FILE) if not any(part.startswith(".") for part in file.parts[1:])]
    return tuple(sorted(found))


def find_further_labs(folder: Path) -> tuple[Path, ...]:
    """The files of other names beside a lab file that hold labs too: they have nodes and links of their own."""
    beside = (file for place in find_labs(folder) for file in place.glob("*.yaml") if file.name != LAB_FILE)
    return tuple(sorted(file for file in beside if _holds_lab(file)))


def _holds_lab(file: Path) -> bool:
    try:
        begins = {line.partition(":")[0] for line in file.read_text(encoding="utf-8").split("\n") if ":" in line}
    except (OSError, UnicodeDecodeError):
        return False
    return {"nodes", "links"} <= begins


def _text(path: str | Path) -> tuple[Path, str]:
    from compiler.placed.source_text import read_source

    file = Path(path)
    if file.is_dir():
        if not (file / LAB_FILE).is_file():
            raise UsageError(f"there is no {LAB_FILE} in {str(path)!r}")
        file /= LAB_FILE
    source = read_source(str(file))
    return file, source.text


def _with_settings(parameters: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The parameters, with those of the command line over them."""
    found = dict(parameters)
    for name, value in settings.items():
        if name not in found:
            raise UsageError(f"the lab has no parameter {name!r}{near(name, found)}")
        found[name] = value
    return found


# -- the whole ----------------------------------------------------------------------


def _lab(root: PlacedValue, file: Path, lines: tuple[str, ...], complaints: Complaints) -> Lab:
    fields = Fields(root, "a lab", complaints)
    folder = file.parent
    fields.take("parameters")
    fields.take("variants")
    for key in ("nodes", "links"):
        if key not in fields:
            complaints.error(f"a lab needs {key!r}", fields.span)
    nodes = read_nodes(fields.take("nodes"), folder, complaints)
    links, nodes = read_links(fields.take("links"), nodes, complaints)
    traffic = read_traffic(fields.take("traffic"), nodes, folder, complaints)
    by_name = {link.name: link for link in links}
    faults = read_faults(fields.take("faults"), nodes, by_name, complaints)
    names = {
        ArgumentKind.TRAFFIC: frozenset(one.name for one in traffic),
        ArgumentKind.LINK: frozenset(by_name),
        ArgumentKind.NODE: frozenset(nodes),
    }
    assertions: tuple[Assertion, ...] = read_assertions(fields.take("assert"), names, complaints)
    name = fields.text("name", folder.resolve().name)
    if "/" in name:
        complaints.error(f"{name!r}: captures are files of that name, so it has no '/'", fields.place("name"))
    lab = Lab(
        name=name,
        folder=folder,
        description=fields.text("description").strip(),
        seed=fields.integer("seed", 1, 0, 2**63 - 1),
        duration=fields.duration("duration", _default_duration(traffic, faults)),
        arp=fields.truth("arp", True),
        clock=fields.get("clock", _clock, 0),
        nodes=tuple(nodes.values()),
        links=links,
        traffic=traffic,
        faults=faults,
        assertions=assertions,
        source=str(file),
        lines=lines,
    )
    fields.done()
    return lab


def _default_duration(traffic: tuple[Traffic, ...], faults: tuple[Fault, ...]) -> int:
    ends = [one.start + (one.duration or 0) + one.interval * one.connections + _patience(one) for one in traffic]
    return max([Lab("", Path()).duration, *(end + _TAIL for end in ends), *(one.at + _TAIL for one in faults)])


def _patience(traffic: Traffic) -> int:
    """What a command may take, as nothing else says how long it will."""
    return traffic.timeout if traffic.command is not None else 0


def _clock(text: str) -> int:
    """Minutes since 1970 of ``2026-01-31T08:00``."""
    try:
        moment = datetime.strptime(text.replace("T", " "), "%Y-%m-%d %H:%M")
    except ValueError:
        raise ValueError(f"{text!r}: expected a moment such as 2026-01-31T08:00") from None
    return int((moment - datetime(1970, 1, 1)).total_seconds()) // 60
