"""The normal form of subjects, and its hash by the filter's Lua."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.components.config_files import ConfigFile, render_files
from appliance.services.mail.subjects import lower_letters, normalised, subject_hash
from tests.appliance.services.mail.filtering.hospital import SUBJECT_KEY

_SUBJECTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@given(_SUBJECTS)
def test_the_normal_form_is_its_own_and_has_no_capitals(subject: str) -> None:
    once = normalised(subject)
    assert normalised(once) == once
    assert normalised(f" \t{subject}\r\n ") == once
    assert "  " not in once
    assert not any(letter in lower_letters() for letter in once)


def test_the_hash_is_keyed_blake2b() -> None:
    expected = hashlib.blake2b(b"kamar kosong", key=bytes.fromhex(SUBJECT_KEY)).hexdigest()
    assert subject_hash(SUBJECT_KEY, " Kamar\n  KOSONG") == expected
    assert subject_hash("00" * 32, "Kamar kosong") != expected


@pytest.mark.skipif(shutil.which("rspamadm") is None, reason="needs rspamadm")
def test_the_filter_makes_the_same_hashes(tmp_path: Path) -> None:
    values = {"subject_key": SUBJECT_KEY, "lower_letters": tuple(lower_letters().items())}
    (file,) = render_files((ConfigFile(template="mail/rspamd/subjects.lua.j2", path="subjects.lua"),), values)
    (tmp_path / "subjects.lua").write_bytes(file.content)
    collected: list[str] = ["".join(lower_letters()), "ΣΊΣΥΦΟΣ İ ß", "", " ", "a\u00a0\u00a0b"]

    @settings(max_examples=60, deadline=None, database=None)
    @given(_SUBJECTS)
    def collect(subject: str) -> None:
        collected.append(subject)

    collect()
    (tmp_path / "given.json").write_text(json.dumps([one.encode().hex() for one in collected]), encoding="ascii")
    (tmp_path / "try.lua").write_text(
        f"""
local hashed = dofile('{tmp_path}/subjects.lua')
for hex in io.open('{tmp_path}/given.json'):read('*a'):gmatch('"(%x*)"') do
  print('hash ' .. hashed((hex:gsub('%x%x', function(pair) return string.char(tonumber(pair, 16)) end))))
end
""",
        encoding="utf-8",
    )
    said = subprocess.run(
        ["rspamadm", "lua", str(tmp_path / "try.lua")],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    made = [line.removeprefix("hash ") for line in said.stdout.splitlines() if line.startswith("hash ")]
    assert made == [subject_hash(SUBJECT_KEY, one) for one in collected]
