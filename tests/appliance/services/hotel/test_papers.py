"""The papers as they are printed: each as text, HTML and PDF, in each language."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from appliance.contract.documents import Document
from appliance.contract.people import Person
from appliance.documents.rendering import Letterhead, Paper, as_html, as_pdf, as_text, file_name
from appliance.language import LANGUAGES, translator
from appliance.services.hotel import service
from appliance.testing import Trial

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
PAPERS: tuple[tuple[str, dict[str, Any], tuple[str, ...], int], ...] = (
    ("bill", {"number": "P201302002"}, ("P201302002", "1.200.000", "900.000"), 3),
    ("settlement-slip", {"number": "T201302001"}, ("T201302001", "300.000"), 1),
    ("cancellation-slip", {"number": "P202601003"}, ("P202601003", "<b>ill</b>"), 1),
    ("print-period-report", {"first": "2026-01-01", "last": "2026-01-31"}, ("2.325.000",), 1),
)


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    trial = Trial(service, now=NOW)
    trial.load_examples()
    trial.person("ani", "receptionist")("cancel", number="P202601003", version=1, reason="<b>ill</b>")
    yield trial
    trial.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("command", "arguments", "texts", "pages"), PAPERS)
def test_each_paper_says_what_it_must(
    trial: Trial, command: str, arguments: dict[str, Any], texts: tuple[str, ...], pages: int, language: str
) -> None:
    person = Person("ani", frozenset({"hotel.receptionist"}), language)
    document = trial.runner.call(person, "hotel", command, json.dumps(arguments).encode()).value
    assert isinstance(document, Document)
    paper = Paper(
        language=language, zone=NOW.tzinfo, letterhead=Letterhead(name="Hotel [Gunung]", address="Jl. 1", phone="")
    )
    text, html = as_text(document, paper), as_html(document, paper)
    for expected in texts:
        shown = expected.replace(".", ",") if language == "en" and expected[0].isdigit() else expected
        assert shown in text
        assert shown.replace("<", "&lt;").replace(">", "&gt;") in html
    assert "<b>ill" not in html
    assert max(len(line) for line in text.splitlines() if "The source" not in line and "Sumber" not in line) <= 120
    printed = PdfReader(io.BytesIO(as_pdf(document, paper)))
    assert len(printed.pages) == pages
    assert "Hotel [Gunung]" in printed.pages[0].extract_text()
    assert file_name(document, ".pdf", language).endswith(".pdf")


def test_each_copy_bears_its_owner(trial: Trial) -> None:
    person = Person("ani", frozenset({"hotel.receptionist"}))
    document = trial.runner.call(person, "hotel", "bill", b'{"number": "P201302002"}').value
    paper = Paper(language="en", zone=NOW.tzinfo, letterhead=Letterhead(name="Hotel", address="", phone=""))
    pages = PdfReader(io.BytesIO(as_pdf(document, paper))).pages
    owners = ("Guest", "Front office", "Accounting")
    assert [owner in page.extract_text() for owner, page in zip(owners, pages, strict=True)] == [True] * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bill_says_whole_what_was_sold_however_long_its_words_are(trial: Trial, language: str) -> None:
    person = Person("ani", frozenset({"hotel.receptionist"}), language)
    document = trial.runner.call(person, "hotel", "bill", b'{"number": "P201302002"}').value
    paper = Paper(language=language, zone=NOW.tzinfo, letterhead=Letterhead(name="Hotel", address="", phone=""))
    words = " ".join(as_text(document, paper).split())
    translate = translator(language)
    for line in document.values.lines:
        # What does not fit stands on a line of its own, and the numbers behind its end.
        sold = f"{translate(line.text)} · {line.room}"
        assert f"{sold} {line.count} x" in words
