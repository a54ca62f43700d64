"""What stands in a text is seen by who reads it, in every script."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from appliance.contract.kinds import Line, Name, Note

SEEN = [
    "Ani",
    "Zażółć gęślą jaźń",
    "e\N{COMBINING ACUTE ACCENT}",
    "می\u200cخواهم",  # Persian: "I want", ZWNJ between its two parts
    "السلام عليكم",
    "\u0627\u0644\u0644\u0651\u0647",
    "\u0600123",  # the sign of an Arabic number
    "क्\u200dष",  # Devanagari with ZWJ
    "ශ්\u200dරී ලංකා",  # Sinhala: the country's own name
    "👩\u200d👩\u200d👧\u200d👦",
    "🏳️\u200d🌈",
    "👍🏽",
    "❤️",
    "#️⃣",
    "葛\U000e0100城",  # a form of the character that a name is written with
    "한국",
    "日本語",
]


@pytest.mark.parametrize("text", SEEN)
def test_scripts_and_emoji_are_kept_as_they_are(text: str) -> None:
    assert TypeAdapter(Name).validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\u200b",
        "a\u200bb",
        "\u200d",
        "\u200c\u200c",
        "a\u200d",
        " \u200da",
        "a\u200d\u200db",
        "a\u200db",
        "\ufeffa",
        "a\uffff",
        "a\ue000",
        "a\u00ad",
        "a\U000e0041",
        "\u2060",
        "\u3164",
        "\u115f\u1160",
        "\ufe0f",
        "a\u202eb",
        "a\u2066b",
        "\u200e",
        "a\x07",
        "a\u0378",
    ],
)
def test_what_nobody_sees_is_refused(text: str) -> None:
    for kind in (Name, Line, Note):
        with pytest.raises(ValidationError, match=r"U\+[0-9A-F]{4,6} cannot stand in a text"):
            TypeAdapter(kind).validate_python(text)
