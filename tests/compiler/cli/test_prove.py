"""``gerbang prove``: equal, different, and nothing to compare."""

import json

import pytest


def test_equal(gerbang, router):
    code, out, _ = gerbang("prove", router, router)
    assert code == 0
    assert out.startswith("PROVED: ")


def test_different_shows_a_packet_and_who_decided_it(gerbang, router, changed):
    code, out, _ = gerbang("prove", router, changed)
    assert code == 1
    assert out.startswith("DISPROVED: ")
    assert "packet  tcp 172.16." in out
    assert "> 10.0.0.2:21" in out
    assert f"{router}:8:" in out
    assert f"{changed}:9:" in out


def test_json(gerbang, router, changed):
    code, out, _ = gerbang("prove", router, changed, "--format", "json")
    document = json.loads(out)
    assert (code, document["holds"]) == (1, False)
    assert document["claims"][0]["witnesses"][0]["left"]["passes"] is False


@pytest.mark.parametrize("pair", ["101=102", "102"])
def test_a_list_without_a_partner_is_wrong_use(gerbang, router, pair):
    code, out, err = gerbang("prove", router, router, "--list", pair)
    assert (code, out) == (2, "")
    assert "has no list 102; it has 101" in err


def test_nothing_to_compare_is_wrong_use(gerbang, tmp_path):
    path = tmp_path / "empty.cfg"
    path.write_text("hostname edge\n")
    code, out, err = gerbang("prove", path, path, "--from", "ios", "--to", "ios")
    assert (code, out) == (2, "")
    assert "nothing to compare" in err
