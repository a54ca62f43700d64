"""``gerbang check`` in its three formats."""

import json

import pytest

DOUBLE = """\
interface GigabitEthernet0/2
 ip access-group 101 in
access-list 101 permit tcp any any
access-list 101 permit tcp any any eq 80
"""


@pytest.fixture
def double(tmp_path):
    """A list whose second entry never decides."""
    path = tmp_path / "double.cfg"
    path.write_text(DOUBLE)
    return path


def test_text_points_at_the_place(gerbang, double):
    code, out, _ = gerbang("check", double)
    assert code == 1
    lines = out.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith(f"{double}:4:1: warning: ")]
    assert found
    assert lines[found[0] + 1].strip() == "access-list 101 permit tcp any any eq 80"
    assert lines[-1].startswith("0 errors, ")


def test_json(gerbang, double):
    code, out, _ = gerbang("check", double, "--format", "json")
    document = json.loads(out)
    assert (code, document["source"]) == (1, str(double))
    assert {finding["line"] for finding in document["findings"] if finding["severity"] == "warning"} == {4}


def test_sarif(gerbang, double):
    code, out, _ = gerbang("check", double, "--format", "sarif")
    document = json.loads(out)
    assert (code, document["version"]) == (1, "2.1.0")
    (run,) = document["runs"]
    regions = [
        result["locations"][0]["physicalLocation"]["region"]
        for result in run["results"]
        if result["level"] == "warning"
    ]
    assert {region["startLine"] for region in regions} == {4}


def test_nothing_to_complain_about(gerbang, tmp_path):
    path = tmp_path / "good.cfg"
    path.write_text(DOUBLE.replace("access-list 101 permit tcp any any eq 80\n", ""))
    code, out, _ = gerbang("check", path)
    assert (code, out.splitlines()[-1][:22]) == (0, "0 errors, 0 warnings, ")


ADVICE = "--unmodelled=bound"


def test_a_bound_is_advised_where_it_would_do(gerbang, tmp_path):
    path = tmp_path / "reflexive.cfg"
    path.write_text("ip access-list extended A\n permit tcp any any reflect B\n")
    code, _, err = gerbang("check", path)
    assert code == 2
    assert ADVICE in err.splitlines()[-1]
    assert gerbang("check", path, ADVICE)[0] == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.cfg", "ip access-list extended A\n permit tcp any any reflect B\n permit tpc any any\n"),
        ("a.rsc", "/ip firewall filter\nadd chain=x connection-state=new\n:global x 1\n"),
    ],
)
def test_no_bound_is_advised_where_it_would_not_do(gerbang, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    code, _, err = gerbang("check", path)
    assert code == 2
    assert ADVICE not in err
    assert gerbang("check", path, ADVICE)[0] == 2
