"""``gerbang diff`` in its three formats."""

import json


def test_no_difference(gerbang, router):
    code, out, _ = gerbang("diff", router, router)
    assert code == 0
    assert out.startswith("No packet changes its verdict")


def test_the_traffic_that_changes(gerbang, router, changed):
    code, out, _ = gerbang("diff", router, changed)
    assert code == 1
    assert "newly permitted" in out
    assert "  + tcp from 172.16.6.2 wildcard 0.0.248.1 to 10.0.0.2 port 21" in out.splitlines()


def test_json(gerbang, router, changed):
    code, out, _ = gerbang("diff", router, changed, "--format", "json")
    document = json.loads(out)
    assert code == 1
    assert {change["newly"] for change in document["changes"]} == {"permitted"}


def test_an_option_may_stand_between_the_files(gerbang, router, changed):
    usual = gerbang("diff", router, changed, "--format", "json")
    assert gerbang("diff", router, "--format", "json", changed) == usual
    assert gerbang("diff", "--format", "json", router, changed) == usual
    assert gerbang("diff", "--format", "json", "--", router, changed) == usual


def test_one_file_alone_is_wrong_use(gerbang, router):
    code, _, err = gerbang("diff", "--format", "json", router)
    assert code == 2
    assert "expected two files" in err


def test_markdown(gerbang, router, changed):
    code, out, _ = gerbang("diff", router, changed, "--format", "markdown")
    assert code == 1
    assert "| **permitted** |" in out


def test_renamed_lists_are_paired_by_hand(gerbang, router, tmp_path):
    renamed = tmp_path / "renamed.cfg"
    renamed.write_text(router.read_text().replace("101", "102"))
    assert gerbang("diff", router, renamed, "--list", "101=102")[0] == 0
    code, _, err = gerbang("diff", router, renamed, "--list", "101")
    assert code == 2
    assert "has no list 101; it has 102" in err
