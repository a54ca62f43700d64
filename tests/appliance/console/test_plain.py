"""User text stays text: no markup, nothing unseen."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from appliance.console.plain import plain, plain_lines, plain_text

NASTY = st.sampled_from(
    [
        "[/x]",
        "[@click=app.quit]x[/]",
        "[red]",
        "\x1b[2J",
        "\n",
        "\r",
        "\t",
        "\x9b",
        "\u202e",
        "\ud800",
        "日本",
        "e\u0301",
        "\U000e0041",
        "\u200b",
        "[",
        "\\[",
    ]
)
texts = st.lists(NASTY | st.characters(exclude_categories=()) | st.text(max_size=3), max_size=12).map("".join)


@given(texts)
def test_nothing_unseen_stays(text: str) -> None:
    shown = plain_text(text)
    assert not any(unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
    shown.encode()
    assert plain_text(shown) == shown


@given(texts)
def test_content_has_no_markup(text: str) -> None:
    content = plain(text)
    assert isinstance(content, Content)
    assert content.plain == plain_text(text)
    assert not content.spans
    kept = "".join(line.plain for line in content.wrap(5))
    assert "".join(kept.split()) == "".join(plain_text(text).split())


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), max_size=30))
def test_text_that_can_be_seen_is_not_touched(text: str) -> None:
    assert plain_text(text) == text


@given(texts)
def test_lines_are_ends_of_lines(text: str) -> None:
    lines = plain_lines(text)
    assert len(lines) == 1 + text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert all(plain_text(line) == line for line in lines)


def test_what_was_unseen_has_a_name() -> None:
    assert plain_text("a\x1b[2Jb\x7f\u202e\ud800") == "a␛[2Jb␡‹202E›‹D800›"
