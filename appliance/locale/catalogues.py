"""Catalogues: the template of all messages, each language's translations of them, and the compiled form.

A translator edits ``id/LC_MESSAGES/gerbang.po`` by hand or by any editor of
catalogues, and runs ``make translations``: new messages come in empty, those
that nobody uses go to the end as obsolete, and the ``.mo`` is made anew.
"""

from __future__ import annotations

import io
import string
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.language import DEFAULT, LANGUAGES
from appliance.locale.derived import derived, own_services
from appliance.locale.marked import Message, marked

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

__all__ = [
    "FOLDER",
    "all_messages",
    "compiled",
    "fault_of",
    "made",
    "names_of",
    "read",
    "template",
    "update",
    "wanting",
]

FOLDER = Path(__file__).parent
HEADER = "# Gerbang. The texts of the code stand under its licence.\n#"


def all_messages() -> list[Message]:
    """Marked and derived ones; a text once, with all its places."""
    places: dict[str, list[str]] = {}
    for message in (*marked(), *derived(own_services())):
        if not message.text:
            continue
        known = places.setdefault(message.text, [])
        if message.place not in known:
            known.append(message.place)
    return [Message(text, " ".join(sorted(where)[:6])) for text, where in sorted(places.items())]


def template(messages: Iterable[Message]) -> Catalog:
    """The ``.pot``: without dates, so that the same code gives the same file."""
    from babel.messages.catalog import Catalog

    catalogue = Catalog(project="gerbang", charset="utf-8", header_comment=HEADER, fuzzy=False)
    for message in messages:
        locations = [(place.replace(" ", "-"), None) for place in message.place.split(" ")]
        catalogue.add(message.text, locations=locations)  # type: ignore[arg-type]
    return catalogue


def read(file: Path) -> Catalog:
    """A catalogue of a file."""
    from babel.messages.pofile import read_po

    with file.open("rb") as source:
        catalogue = read_po(source)
    # Where the header has no dates, Babel takes the time of day; the same text is to give the same bytes.
    catalogue.creation_date = catalogue.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The text of a ``.po`` or ``.pot``, without the header's dates."""
    from babel.messages.pofile import write_po

    text = io.BytesIO()
    write_po(text, catalogue, width=100, sort_output=True, include_previous=False)
    kept = [line for line in text.getvalue().split(b"\n") if b"-Date: " not in line and b"Generated-By" not in line]
    return b"\n".join(kept)


def compiled(catalogue: Catalog) -> bytes:
    """The ``.mo`` that gettext reads."""
    from babel.messages.mofile import write_mo

    text = io.BytesIO()
    write_mo(text, catalogue)
    return text.getvalue()


def file_of(language: str) -> Path:
    """Where a language's translations are."""
    return FOLDER / language / "LC_MESSAGES" / "gerbang.po"


def made(language: str, base: Catalog) -> Catalog:
    """The language's translations brought up to the template: nothing is guessed from a similar text."""
    from babel.messages.catalog import Catalog

    file = file_of(language)
    if file.exists():
        catalogue = read(file)
    else:
        catalogue = Catalog(locale=language, project="gerbang", charset="utf-8", fuzzy=False)
    catalogue.update(base, no_fuzzy_matching=True)
    catalogue.fuzzy = False
    return catalogue


def update() -> dict[str, list[str]]:
    """Write all catalogues; the messages without a (good) translation, by language."""
    base = template(all_messages())
    (FOLDER / "gerbang.pot").write_bytes(written(base))
    missing = {}
    for language in LANGUAGES:
        if language == DEFAULT:
            continue
        catalogue = made(language, base)
        file = file_of(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(written(catalogue))
        file.with_suffix(".mo").write_bytes(compiled(read(file)))
        missing[language] = wanting(catalogue)
    return missing


def wanting(catalogue: Catalog) -> list[str]:
    """The messages without a (good) translation. A new one has None in its place, not an empty text."""
    return [str(one.id) for one in catalogue if one.id and fault_of(str(one.id), str(one.string or ""))]


def fault_of(text: str, translation: str) -> str:
    """What is wrong with a translation, or nothing: it is there, and has the same ``{names}``."""
    if not translation.strip():
        return "no translation"
    try:
        if names_of(text) != names_of(translation):
            return f"other names: {sorted(names_of(text) ^ names_of(translation))}"
    except ValueError as error:
        return f"not a template: {error}"
    return ""


def names_of(text: str) -> set[str]:
    """The ``{names}`` of a template. Raises ValueError for braces that are none."""
    return {name for _text, name, _format, _conversion in string.Formatter().parse(text) if name is not None}
