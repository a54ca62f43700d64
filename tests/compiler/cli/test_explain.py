"""``gerbang explain``: the table of addresses of a wildcard."""

import json

import pytest


def test_the_table(gerbang, router):
    code, out, _ = gerbang("explain", router, "--list", "101", "--within", "172.16.0.0/20")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "172.16.6.0 - 172.16.6.3 denied 4" in lines
    assert "172.16.14.0 - 172.16.14.3 denied 4" in lines
    assert "4,088 addresses permitted, 8 denied, in 5 ranges" in lines


def test_rows_are_cut_and_counted(gerbang, router):
    code, out, _ = gerbang("explain", router, "--within", "172.16.0.0/20", "--rows", "3")
    assert code == 0
    assert "… and 3 more rows" in out
    assert "4,088 addresses permitted, 8 denied, in 5 ranges" in out


def test_json(gerbang, router):
    code, out, _ = gerbang("explain", router, "--within", "172.16.0.0/16", "--format", "json")
    document = json.loads(out)
    tables = [entry["table"] for entry in document["lists"][0]["entries"] if entry["table"]]
    assert code == 0
    assert [(table["permitted"], table["denied"]) for table in tables] == [(65_408, 128)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--list", "102"], "no list '102'; there is 101"),
        (["--within", "172.16.0.1/16"], "bits beyond its length: 172.16.0.0/16"),
        (["--rows", "none"], "expected a whole number above zero"),
    ],
)
def test_wrong_use(gerbang, router, words, said):
    code, out, err = gerbang("explain", router, *words)
    assert (code, out) == (2, "")
    assert said in err
