"""Strings: what is written is what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.dialects.routeros.quoting import BadEscape, quote, unquote
from compiler.dialects.routeros.script import parse


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_quoted_text_is_read_back(text):
    script = parse(f"/ip firewall filter add comment={quote(text)} chain=x\n", "t")
    assert not script.faults
    assert script.statements[-1].arguments == (("comment", text), ("chain", "x"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("LAN", "LAN"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("", '""'),
        ("two words", '"two words"'),
        ('say "x"', '"say \\"x\\""'),
        ("cost $5", '"cost \\$5"'),
        ("who?", '"who\\3F"'),
        ("a\\b", '"a\\\\b"'),
        ("tab\there", '"tab\\there"'),
        ("é", '"\\C3\\A9"'),
        ("!not", '"!not"'),
    ],
)
def test_forms(text, written):
    assert quote(text) == written


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("CAPsMA\\\n    N)", "CAPsMAN)"),
        ("the\\\r\n    \\_router", "the router"),
        ("\\D0\\9F", "П"),
        ("\\CF", "\u00cf"),  # no UTF-8: a byte of another encoding
        ("\\a\\AB", "\a\u00ab"),
        ("\\?\\$\\_", "?$ "),
    ],
)
def test_escapes_of_exports(body, text):
    assert unquote(body) == text


@pytest.mark.parametrize("body", ["\\q", "x\\", "\\4g"])
def test_unknown_escapes_are_faults(body):
    with pytest.raises(BadEscape):
        unquote(body)
