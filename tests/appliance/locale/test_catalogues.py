"""The catalogues hold what the code says, are compiled, and every message has a translation with the same names."""

import ast
import gettext
import io
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

import appliance
from appliance.language import DEFAULT, LANGUAGES, translator
from appliance.locale.catalogues import FOLDER, all_messages, compiled, fault_of, file_of, made, read, template, wanting
from appliance.locale.marked import KEYWORDS, Message

messages = cache(all_messages)
"""Read from the code once: that takes seconds."""
LANGUAGES_OF_FILES = [language for language in LANGUAGES if language != DEFAULT]


def test_the_template_holds_exactly_the_messages_of_the_code() -> None:
    kept = {str(one.id) for one in read(FOLDER / "gerbang.pot") if one.id}
    assert kept == {one.text for one in messages()}, "run make translations"


def test_marked_texts_are_found() -> None:
    texts = {one.text for one in messages() if one.place.startswith("appliance/")}
    assert {"Log in", "Home", "the name or the password is wrong"} <= texts
    # The workbench translates by a function that it is given; rows of listings and of answers have their columns.
    assert {"Not traced", "{number} of {count}", "Opened by", "Receiving"} <= {one.text for one in messages()}


def test_no_text_is_marked_inside_a_formatted_one() -> None:
    """Before Python 3.12 the reader of marked texts sees no further than the quotes, and it is never translated."""
    found = []
    for path in (Path(appliance.__file__).parent).rglob("*.py"):
        for formatted in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(formatted, ast.JoinedStr):
                found += [f"{path}:{one.lineno}" for one in ast.walk(formatted) if _is_marked(one)]
    assert found == []


def _is_marked(node: ast.AST) -> TypeGuard[ast.Call]:
    name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
    return name in KEYWORDS and isinstance(node.args[0], ast.Constant)


def test_a_new_message_wants_a_translation() -> None:
    """Also one without places for values: it has no text yet, and not the text None."""
    new = Message("nobody has translated this yet", "somewhere")
    assert new.text in wanting(made(LANGUAGES_OF_FILES[0], template([*messages(), new])))


@pytest.mark.parametrize("language", LANGUAGES_OF_FILES)
def test_every_message_has_a_translation_with_the_same_names(language: str) -> None:
    catalogue = {str(one.id): str(one.string) for one in read(file_of(language)) if one.id}
    faults = {one.text: fault_of(one.text, catalogue.get(one.text, "")) for one in messages()}
    assert not {text: fault for text, fault in faults.items() if fault}, "translate, and run make translations"


@pytest.mark.parametrize("language", LANGUAGES_OF_FILES)
def test_the_compiled_catalogue_agrees_with_the_text(language: str) -> None:
    file = file_of(language)
    binary = file.with_suffix(".mo").read_bytes()
    assert binary == compiled(read(file)), "run make translations"
    assert gettext.GNUTranslations(io.BytesIO(binary)).gettext("Log in") == "Masuk"
    assert translator(language)("Log in") == "Masuk"


@pytest.mark.parametrize(
    ("text", "translation", "fault"),
    [("{a} b", "b {a}", ""), ("{a}", "{b}", "other names"), ("x", " ", "no translation"), ("x", "{", "not a template")],
)
def test_faults_of_translations_are_found(text: str, translation: str, fault: str) -> None:
    assert fault_of(text, translation).startswith(fault)
    assert bool(fault_of(text, translation)) == bool(fault)
