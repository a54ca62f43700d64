"""``gerbang compile`` from file to file."""

import io
import json
import sys

import pytest

from compiler.analysis import compilation
from compiler.analysis.equivalence import proof
from compiler.analysis.equivalence.report import Claim, Report

NAMES = {"ios": "GigabitEthernet0/2", "nftables": "eth1", "routeros": "ether2"}


def mapped(target):
    return f"--interface=GigabitEthernet0/2={NAMES[target]}"


@pytest.mark.parametrize("target", NAMES)
def test_text_to_standard_output_and_the_proof_to_standard_error(gerbang, router, target):
    code, out, err = gerbang("compile", router, "--to", target, mapped(target))
    assert code == 0
    assert NAMES[target] in out
    assert "PROVED" not in out
    assert "PROVED: for every well-formed packet" in err
    assert "\x1b" not in out + err


@pytest.mark.parametrize("target", NAMES)
def test_what_was_written_reads_back_equal(gerbang, router, tmp_path, target):
    written = tmp_path / "written"
    assert gerbang("compile", router, "--to", target, mapped(target), "-o", written)[:2] == (0, "")
    code, out, _ = gerbang("prove", router, written, mapped(target))
    assert (code, out.startswith("PROVED")) == (0, True)


def test_standard_input(gerbang, router, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(router.read_bytes())))
    code, out, _ = gerbang("compile", "-", "--to", "ios")
    assert code == 0
    assert "<stdin>" in out


def test_json(gerbang, router, tmp_path):
    code, out, _ = gerbang("compile", router, "--to", "nftables", mapped("nftables"), "--format", "json")
    document = json.loads(out)
    assert (code, document["target"], document["output"]) == (0, "nftables", None)
    assert "eth1" in document["text"]
    assert document["proof"]["holds"] is True
    written = tmp_path / "written"
    code, out, _ = gerbang("compile", router, "--to", "nftables", mapped("nftables"), "--format", "json", "-o", written)
    assert json.loads(out) == {**document, "output": str(written), "text": None}
    assert written.read_text() == document["text"]


def test_no_proof_says_so_in_the_output(gerbang, router):
    code, out, err = gerbang("compile", router, "--to", "nftables", mapped("nftables"), "--no-proof")
    assert code == 0
    assert "NOT PROVED" in out
    assert "NOT PROVED" in err


def test_an_unmapped_interface_is_asked_for(gerbang, router):
    code, out, err = gerbang("compile", router, "--to", "nftables")
    assert (code, out) == (2, "")
    assert "--interface GigabitEthernet0/2=NAME" in err


def test_one_interface_has_one_partner(gerbang, router):
    code, _, err = gerbang("compile", router, "--to", "nftables", mapped("nftables"), mapped("routeros"))
    assert code == 2
    assert "given twice, as 'eth1' and as 'ether2'" in err


def test_what_the_target_cannot_say_is_refused_and_nothing_is_written(gerbang, router, tmp_path):
    written = tmp_path / "written"
    code, out, err = gerbang(
        "compile", router, "--to", "routeros", mapped("routeros"), "--address-limit", 31, "-o", written
    )
    assert (code, out) == (1, "")
    assert "32" in err
    assert not written.exists()


def test_the_source_is_not_overwritten(gerbang, router):
    before = router.read_bytes()
    code, _, err = gerbang("compile", router, "--to", "ios", "-o", router)
    assert code == 2
    assert "is the source itself" in err
    assert router.read_bytes() == before


def test_a_failed_proof_writes_nothing(gerbang, router, tmp_path, monkeypatch):
    def failing(left, right, **_):
        class Different(Claim):
            holds = False

        return Report(left.source, right.source, "they are equal", (), (Different("the devices", "equal", 1, 1),))

    monkeypatch.setattr(proof, "prove", failing)
    assert compilation.proof.prove is failing
    written = tmp_path / "written"
    code, out, err = gerbang("compile", router, "--to", "ios", "-o", written)
    assert (code, out) == (1, "")
    assert "DISPROVED: they are equal" in err
    assert not written.exists()
    code, out, _ = gerbang("compile", router, "--to", "ios", "-o", written, "--format", "json")
    assert (code, json.loads(out)["proof"]["holds"]) == (1, False)
    assert not written.exists()


def test_verbose_counts_the_skipped_lines(gerbang, router):
    _, _, err = gerbang("compile", router, "--to", "ios", "--verbose")
    assert "read as ios (seen from the text); " in err
    assert " lines have nothing to do with packets" in err
