"""Reading ``published.yaml``: what a paper says, where, and how a lab measures the same.

::

    paper:   who published it
    rows:    [{what, place, published, lab, variant, settings, measure, traffic,
               shape, because, erratum, remark, kernel}]
    methods: {variants, targets, measures, failures: [{title, lab, variant, traffic, kernel}]}

``shape`` is what ours must be to be of the published shape: ``at_least``,
``at_most``, or ``is`` for a text. ``erratum`` says why the published figure is
wrong or does not mean what it seems to, ``remark`` what else is to be known;
``kernel`` why the kernel cannot run it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from compiler.errors import UsageError
from compiler.placed import quantities
from compiler.placed.complaints import Complaints, near
from compiler.placed.fields import Fields, as_items, parse
from compiler.placed.places import PlacedMapping, PlacedScalar, PlacedValue, compose
from compiler.placed.source_text import read_source
from compiler.source import Span
from labs.published.measures import MEASURES, Unit

__all__ = ["PUBLISHED_FILE", "FailureRun", "Methods", "Paper", "PaperRow", "Run", "Shape", "read_paper"]

PUBLISHED_FILE = "published.yaml"
NOTHING = "nothing"
"""The text of a measure that has nothing to measure."""


class Run(NamedTuple):
    """Which lab is run, and how; ``settings`` are its parameters, as pairs in the order of their names."""

    lab: Path
    variant: str = ""
    settings: tuple[tuple[str, str], ...] = ()


class Shape(NamedTuple):
    """What ours must be. Times are seconds; ``text`` is for measures that are texts."""

    at_least: float | None = None
    at_most: float | None = None
    text: str | None = None


class PaperRow(NamedTuple):
    """One published figure, and its measure. ``kernel`` is empty where the kernel can run it."""

    what: str
    place: str
    published: str
    run: Run
    measure: str
    traffic: str
    shape: Shape
    because: str
    erratum: str
    remark: str
    kernel: str
    span: Span


class FailureRun(NamedTuple):
    """How the methods take a failure: the recovery of that traffic."""

    title: str
    lab: Path
    variant: str
    traffic: str
    kernel: str = ""


class Methods(NamedTuple):
    """The comparison: variants of the lab, compiled for targets, measured."""

    variants: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("linux",)
    measures: tuple[str, ...] = ()
    failures: tuple[FailureRun, ...] = ()


class Paper(NamedTuple):
    """The whole file."""

    source: str
    about: str
    folder: Path
    rows: tuple[PaperRow, ...]
    methods: Methods


def read_paper(folder: str | Path) -> Paper:
    """The published values beside a lab. UsageError where there are none, InputErrors with all that is wrong."""
    place = Path(folder)
    file = place / PUBLISHED_FILE if place.is_dir() else place.parent / PUBLISHED_FILE
    if not file.is_file():
        raise UsageError(f"there is no {PUBLISHED_FILE} in {str(file.parent)!r}: nothing was published about this lab")
    text = read_source(str(file)).text
    complaints = Complaints(tuple(text.split("\n")))
    fields = Fields(compose(text, str(file)), "the file", complaints)
    about = fields.text("paper").strip()
    rows = tuple(_row(item, file.parent, complaints) for item in as_items(fields.take("rows")))
    methods = _methods(fields.take("methods"), file.parent, complaints)
    fields.done()
    complaints.raise_all()
    return Paper(str(file), about, file.parent, rows, methods)


def _row(value: PlacedValue, folder: Path, complaints: Complaints) -> PaperRow:
    fields = Fields(value, "a row", complaints)
    for key in ("what", "place", "published", "measure"):
        fields.required(key)
    measure = fields.get("measure", _measure, "rate")
    row = PaperRow(
        fields.text("what"),
        fields.text("place"),
        fields.text("published"),
        Run(folder / fields.text("lab", "."), fields.text("variant"), _settings(fields.take("settings"), complaints)),
        measure,
        fields.text("traffic", "*"),
        _shape(fields.take("shape"), MEASURES[measure].unit, fields),
        fields.text("because").strip(),
        _perhaps(fields, "erratum"),
        _perhaps(fields, "remark"),
        _perhaps(fields, "kernel"),
        value.span,
    )
    fields.done()
    return row


def _perhaps(fields: Fields, key: str) -> str:
    """A text that may be empty, so that a row which is merged over another takes its text away."""
    value = fields.take(key)
    if isinstance(value, PlacedScalar) and not value.text:
        return ""
    return fields.text(key).strip()


def _measure(text: str) -> str:
    if text not in MEASURES:
        raise ValueError(f"{text!r} is no measure{near(text, MEASURES)}")
    return text


def _settings(value: PlacedValue | None, complaints: Complaints) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    entries = Fields(value, "settings", complaints).take_any()
    return tuple(sorted((key.text, entry.text) for key, entry in entries if isinstance(entry, PlacedScalar)))


def _shape(value: PlacedValue | None, unit: Unit, row: Fields) -> Shape:
    """Bounds in the unit of the measure."""
    if not isinstance(value, PlacedMapping):
        row.complaints.error("a row says what 'shape' ours must have: at_least, at_most, or is", row.span)
        return Shape()
    fields = Fields(value, "shape", row.complaints)
    if unit is Unit.TEXT:
        found = Shape(text=fields.required("is"))
    else:
        low, high = (fields.optional(key, lambda text: _number(text, unit)) for key in ("at_least", "at_most"))
        found = Shape(low, high)
        if found == Shape():
            row.complaints.error("shape: expected 'at_least' or 'at_most'", value.span)
    fields.done()
    return found


def _number(text: str, unit: Unit) -> float:
    if unit is Unit.RATE:
        return quantities.rate(text)
    if unit is Unit.SECONDS:
        return math.inf if text == "never" else quantities.duration(text) / 10**9
    if unit is Unit.SHARE:
        return quantities.share(text)
    if unit is Unit.OCTETS:
        return quantities.octets(text)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r}: expected a number") from None


def _methods(value: PlacedValue | None, folder: Path, complaints: Complaints) -> Methods:
    if value is None:
        return Methods()
    fields = Fields(value, "methods", complaints)
    variants = _texts(fields, "variants")
    targets = _texts(fields, "targets") or ("linux",)
    measures = tuple(
        made for item in as_items(fields.take("measures")) if (made := parse(item, _measure, complaints)) is not None
    )
    failures = []
    for item in as_items(fields.take("failures")):
        inner = Fields(item, "a failure", complaints)
        title, variant = inner.required("title"), inner.required("variant")
        lab, traffic, kernel = inner.text("lab", "."), inner.text("traffic", "*"), inner.text("kernel")
        failures.append(FailureRun(title, folder / lab, variant, traffic, kernel))
        inner.done()
    fields.done()
    return Methods(variants, targets, measures, tuple(failures))


def _texts(fields: Fields, key: str) -> tuple[str, ...]:
    found = (parse(item, str, fields.complaints) for item in as_items(fields.take(key)))
    return tuple(text for text in found if text)


def settings_of(run: Run) -> Mapping[str, str]:
    """The parameters of a run."""
    return dict(run.settings)
