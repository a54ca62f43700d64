"""``gerbang lab compare``: all variants in one table."""

from __future__ import annotations

import json

import pytest

from compiler.cli.main import main
from labs.comparison.figures import lines_of
from labs.kernel import why_not
from labs.lab_file import read_lab
from tests.labs.balanced.small import write_lab


def test_the_table_has_every_variant_and_the_figures_that_they_share(tmp_path, capsys):
    folder = write_lab(tmp_path / "lab")
    report = tmp_path / "comparison.html"
    words = ["lab", "compare", str(folder), "--variant", "pcc", "--variant", "version-7", "--report", str(report)]
    assert main(words) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[1].split() == ["pcc", "version-7"]
    rows = {line[:26].strip(): line[26:].split() for line in lines[2:]}
    assert rows["connections"] == ["16", "16"]
    assert rows["share of wan1"][1] == "50.0%"
    page = report.read_text()
    assert "<td>share of wan1</td>" in page
    assert "PCC by source address" in page
    assert "--variant pcc --variant version-7" in page


def test_json_has_the_numbers_and_the_plain_lab(tmp_path, capsys):
    folder = write_lab(tmp_path / "lab", more="assert: [sticky: web-*]\n")
    assert main(["lab", "compare", str(folder), "--plain", "--variant", "pcc", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    plain, pcc = document["runs"]
    assert (plain["variant"], pcc["variant"]) == (None, "pcc")
    assert plain["figures"]["connections lost"] == 0
    assert 0.99 < plain["figures"]["Jain's index of the lines"] <= 1
    assert pcc["figures"]["Jain's index of the lines"] < 0.7
    # Under Nth no client keeps its line; under PCC by source each does.
    assert len(plain["failed"]) == plain["figures"]["assertions failed"] == 1
    assert pcc["failed"] == []


def test_the_lines_are_those_of_the_intent_with_its_weights(tmp_path):
    folder = write_lab(tmp_path / "lab")
    intent = folder / "intents/nth.yaml"
    intent.write_text(intent.read_text().replace("gateway: 192.168.2.1", "gateway: 192.168.2.1, weight: 3"))
    assert lines_of(read_lab(folder)) == {"wan1": 1, "wan2": 3}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--variant", "pc"], "no variant 'pc'; did you mean 'pcc'"),
        (["--report", "/nowhere/x.html"], "no folder '/nowhere'"),
        (["--set", "a=b"], "no parameter 'a'"),
    ],
)
def test_wrong_use_is_2(tmp_path, capsys, words, said):
    assert main(["lab", "compare", str(write_lab(tmp_path / "lab")), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_lab_without_variants_has_nothing_to_compare(lab_folder, small, capsys):
    assert main(["lab", "compare", str(lab_folder(small))]) == 2
    assert "the lab has no variants" in capsys.readouterr().err


@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
def test_both_worlds_side_by_side(tmp_path, capsys):
    folder = write_lab(tmp_path / "lab")
    assert main(["lab", "compare", str(folder), "--world", "both", "--variant", "pcc", "--variant", "version-6"]) == 0
    printed = capsys.readouterr().out
    assert "small in the simulator" in printed
    assert "small in the kernel" in printed
    assert "pcc: the worlds agree" in printed
    assert "version-6: nothing was compared: no activity ran in both worlds" in printed
    assert "no node router of version-6 in the kernel: its balance is compiled for routeros6" in printed
