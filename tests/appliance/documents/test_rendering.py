"""Papers as they are printed: text, HTML, and a PDF that fetches nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from pypdf import PdfReader

from appliance.contract.documents import Document
from appliance.contract.refusals import NotFound, Refused
from appliance.documents.rendering import Letterhead, Paper, as_html, as_pdf, as_text, file_name
from appliance.documents.words import LARGEST, english_words, number_in_words, terbilang
from appliance.documents.written import written_day, written_moment, written_number, written_rupiah

ZONE = ZoneInfo("Asia/Jakarta")
HEAD = Letterhead(name="Hotel Lotus & Sons", address="Jl. Mawar 1\nMalang", phone="+62 341 1")
VALUES: dict[str, Any] = {
    "guest": "Budi <b>",
    "amount": 1_300_000,
    "day": date(2013, 2, 15),
    "at": datetime(2013, 2, 15, 20, 5, tzinfo=UTC),
}
HTML = """{% extends "base.html.j2" %}{% block content %}
<p>{{ it.guest }} {{ it.amount | rupiah }} {{ it.day | day }} {{ it.at | moment }}</p>
<p class="words">{{ it.amount | words }}</p>{% endblock %}"""
TEXT = """{% extends "base.txt.j2" %}{% block content %}
{{ it.guest }} {{ it.amount | rupiah }}
{% endblock %}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bill.html.j2").write_text(HTML)
    (tmp_path / "bill.txt.j2").write_text(TEXT)
    return tmp_path


def paper(folder: Path, **more: Any) -> Paper:
    return Paper(zone=ZONE, letterhead=HEAD, folders=(folder,), **more)


def bill(*copies: str, template: str = "bill") -> Document:
    return Document(template=template, title="Bill P201302002", values=VALUES, copies=copies)


def test_text_has_a_page_a_copy(folder: Path) -> None:
    pages = as_text(bill("Guest", "Cashier"), paper(folder)).split("\f")
    assert [re.findall(r"\[(.*)\]", page) for page in pages] == [["Guest"], ["Cashier"]]
    assert "Budi <b> Rp 1,300,000" in pages[0]
    assert pages[0].startswith("Hotel Lotus & Sons\nJl. Mawar 1\nMalang\n")
    assert "[" not in as_text(bill(), paper(folder))


def test_html_escapes_and_names_nothing_outside(folder: Path) -> None:
    page = as_html(bill("Guest", "Cashier", "Office"), paper(folder, language="id", size="A5"))
    assert "Budi &lt;b&gt; Rp1.300.000 15 Februari 2013 16 Februari 2013 03.05" in page
    assert "Hotel Lotus &amp; Sons" in page
    assert "satu juta tiga ratus ribu" in page
    assert "size: A5" in page
    assert re.findall(r'class="copy">(\w+)<', page) == ["Tamu", "Cashier", "Office"]
    assert not re.search(r"(?:src|href)=|url\(|https?://|@import", page)


def test_pdf_has_the_text_and_a_page_a_copy(folder: Path) -> None:
    read = PdfReader(BytesIO(as_pdf(bill("Guest", "Cashier", "Office"), paper(folder, language="id"))))
    texts = [page.extract_text() for page in read.pages]
    assert len(texts) == 3
    for text, copy in zip(texts, ("Tamu", "Cashier", "Office"), strict=True):
        assert copy in text
        assert "Rp1.300.000" in text
        assert "Budi <b>" in text
    assert read.metadata is not None
    assert read.metadata.title == "Bill P201302002"
    assert [round(float(size) / 72 * 25.4) for size in read.pages[0].mediabox[2:]] == [210, 297]


@pytest.mark.parametrize("what", ["file:///etc/passwd", "http://127.0.0.1:9/x.png", "x.png"])
@pytest.mark.parametrize("how", ['<img src="{}">', '<link rel="stylesheet" href="{}">', "<style>@import '{}';</style>"])
def test_pdf_fetches_nothing(folder: Path, what: str, how: str) -> None:
    (folder / "evil.html.j2").write_text(how.format(what))
    if "://" not in what:  # a relative name has no base to stand on: WeasyPrint only says so
        assert as_pdf(bill(template="evil"), paper(folder)).startswith(b"%PDF")
        return
    with pytest.raises(Refused, match="wants to fetch"):
        as_pdf(bill(template="evil"), paper(folder))


def test_what_is_not_there_is_an_error(folder: Path) -> None:
    (folder / "wrong.txt.j2").write_text("{{ it.nothing }}")
    with pytest.raises(UndefinedError):
        as_text(bill(template="wrong"), paper(folder))
    with pytest.raises(NotFound, match="there is no template"):
        as_text(bill(template="none"), paper(folder))
    for name in ("../../etc/passwd", "/etc/passwd"):
        with pytest.raises(NotFound):
            as_text(bill(template=name), paper(folder))


def test_template_cannot_reach_the_appliance(folder: Path) -> None:
    from jinja2.exceptions import SecurityError

    (folder / "evil.txt.j2").write_text("{{ it.guest.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(SecurityError):
        as_text(bill(template="evil"), paper(folder))


def test_two_readers_have_their_own_language(folder: Path) -> None:
    one, other = paper(folder, language="en"), paper(folder, language="id")
    assert "Rp 1,300,000" in as_text(bill(), one)
    assert "Rp1.300.000" in as_text(bill(), other)
    assert "Rp 1,300,000" in as_text(bill(), one)


def test_name_of_the_file() -> None:
    named = Document(template="x", title="../Bill: №1/2.", values=None)
    assert file_name(named, ".pdf") == "-Bill- -1-2.pdf"
    assert file_name(Document(template="x", title="...", values=None), ".pdf") == "document.pdf"


TERBILANG = {
    0: "nol",
    10: "sepuluh",
    11: "sebelas",
    12: "dua belas",
    20: "dua puluh",
    100: "seratus",
    111: "seratus sebelas",
    1_000: "seribu",
    1_100: "seribu seratus",
    2_001: "dua ribu satu",
    11_000: "sebelas ribu",
    100_000: "seratus ribu",
    1_000_000: "satu juta",
    1_001_000: "satu juta seribu",
    2_750_500: "dua juta tujuh ratus lima puluh ribu lima ratus",
    -5: "minus lima",
}


def test_terbilang_as_on_receipts() -> None:
    assert {number: terbilang(number) for number in TERBILANG} == TERBILANG
    assert english_words(1_234_521) == "one million two hundred thirty-four thousand five hundred twenty-one"
    assert english_words(0) == "zero"
    assert english_words(-1_000_013) == "minus one million thirteen"
    with pytest.raises(ValueError, match="larger"):
        number_in_words(LARGEST + 1, "id")


_WORDS = "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas"
ID = {word: number for number, word in enumerate(_WORDS.split(" "))}
SCALES = {"ribu": 10**3, "juta": 10**6, "miliar": 10**9, "triliun": 10**12, "kuadriliun": 10**15}


def heard(words: str) -> int:
    """An Indonesian number read back, word by word."""
    total = group = digit = 0
    for word in words.replace("seratus", "satu ratus").replace("seribu", "satu ribu").split():
        if word in SCALES:
            total, group, digit = total + (group + digit) * SCALES[word], 0, 0
        elif word == "belas":
            digit += 10
        elif word in {"puluh", "ratus"}:
            group, digit = group + digit * (10 if word == "puluh" else 100), 0
        else:
            digit = ID[word]
    return total + group + digit


@given(st.integers(0, LARGEST) | st.integers(0, 3_000_000))
def test_terbilang_is_read_back(number: int) -> None:
    assert heard(terbilang(number)) == number


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_english_words_tell_numbers_apart(one: int, other: int) -> None:
    assert (english_words(one) == english_words(other)) == (one == other)
    assert (english_words(one % 1000) == english_words(other % 1000)) == (one % 1000 == other % 1000)


def test_money_and_days_by_language() -> None:
    assert [written_rupiah(-300_000, one) for one in ("id", "en", "xx")] == ["-Rp300.000", "-Rp 300,000", "-Rp 300,000"]
    assert [written_number(1234.5, one) for one in ("id", "en")] == ["1.234,5", "1,234.5"]
    assert written_day(date(2013, 8, 1), "id") == "1 Agustus 2013"
    assert written_moment(datetime(2013, 2, 28, 17, 0, tzinfo=UTC), "en", ZONE) == "1 March 2013 00:00"
