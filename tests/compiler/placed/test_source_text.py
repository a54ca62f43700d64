"""Files and standard input, in the encodings that configurations come in."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import UsageError
from compiler.placed.source_text import decode, read_source


def test_a_file(tmp_path):
    path = tmp_path / "router.cfg"
    path.write_bytes("! Bürö\r\nend\r\n".encode())
    assert read_source(str(path)) == (str(path), "! Bürö\nend\n", "")


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"end\n")))
    assert read_source("-") == ("<stdin>", "end\n", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(encoding):
    assert decode("! Bürö\n".encode(encoding), "x") == ("x", "! Bürö\n", "")


def test_latin_1_is_noted_with_its_line():
    assert decode("!\n! Bürö\n".encode("latin-1"), "x") == ("x", "!\n! Bürö\n", "x:2: not UTF-8, read as Latin-1")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r\r\n", "\r"])
def test_line_ends(ending):
    assert decode(f"a{ending}b{ending}".encode(), "x").text == "a\nb\n"


@pytest.mark.parametrize("content", [b"\x7fELF\0\0", b"\xff\xfe\x00"])
def test_binary_files_are_refused(content):
    with pytest.raises(UsageError, match="x is a binary file"):
        decode(content, "x")


@pytest.mark.parametrize("name", ["/does/not/exist", "/", "a\0b"])
def test_what_cannot_be_opened_is_said(name):
    with pytest.raises(UsageError, match="cannot read"):
        read_source(name)


@given(st.binary())
def test_any_bytes_are_text_or_a_usage_error(content):
    try:
        source = decode(content, "x")
    except UsageError:
        return
    assert "\r" not in source.text
