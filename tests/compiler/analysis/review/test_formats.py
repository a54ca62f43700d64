"""A review as Markdown, SARIF and text."""

from __future__ import annotations

import json
import re

import pytest

from compiler.analysis.review.files import ChangedFile, Version
from compiler.analysis.review.markdown import LONGEST, markdown
from compiler.analysis.review.reviewing import review
from compiler.analysis.review.sarif import CATALOGUE, review_sarif
from compiler.analysis.review.text import lines_of

OLD = "interface Gi0/1\n ip access-group A in\nip access-list extended A\n permit tcp any any eq 80\n"
WIDER = OLD + " permit udp any any\n"
NARROWER = OLD.replace("permit tcp any any eq 80", "permit tcp any host 10.0.0.1 eq 80")
BROKEN = OLD.replace("permit", "prmit")


def pair(path, old, new):
    return ChangedFile(
        path,
        Version(f"main:{path}", old.encode()) if old else None,
        Version(path, new.encode()) if new else None,
    )


@pytest.fixture(scope="module")
def several():
    """A review with a file of every kind."""
    files = [
        pair("a b/wider.cfg", OLD, WIDER),
        pair("narrower.cfg", OLD, NARROWER),
        pair("broken.cfg", OLD, BROKEN),
        pair("equal.cfg", OLD, OLD + "!\n"),
        pair("new.cfg", None, OLD),
        pair("old.cfg", OLD, None),
        pair("nat.cfg", OLD, "ip nat inside source static 10.0.0.2 192.0.2.2\n" + OLD),
        pair("lists.cfg", OLD, OLD + "access-list 7 permit any\n"),
    ]
    return review(files, "main", "HEAD", skipped=("README.md",))


def test_markdown_has_a_row_for_each_file_and_folds_the_details(several):
    text = markdown(several)
    rows = [line for line in text.splitlines() if re.match(r"\| [^| ]+ \| `", line)]
    assert [row.split("`")[1] for row in rows] == [one.path for one in several.files]
    assert all(row.count(" | ") == 4 for row in rows)
    assert "| `a b/wider.cfg` | wider | udp from any to any" in text
    assert text.count("<details>") == text.count("</details>") == 7  # equal.cfg has none
    assert text.startswith("### Policy review: `main` → `HEAD`\n")
    assert "1 other changed file is no configuration" in text
    assert len(text) < LONGEST


def test_markdown_of_a_great_change_fits_into_a_comment_and_says_what_it_leaves_out():
    long = "".join(f" permit tcp host 10.0.{number}.1 any eq {number + 1}\n" for number in range(12))
    files = [pair(f"site-{number:03}/edge.cfg", OLD, OLD + long) for number in range(20)]
    found = review(files, "main", "HEAD")
    text = markdown(found)
    assert len(text) <= LONGEST
    assert text.count("<details>") == text.count("</details>")
    left = re.search(r"_The details of (\d+) files do not fit into a comment._", text)
    shown = text.count("<details>")
    assert (int(left[1]) if left else 0) + shown == 20
    short = markdown(found, 2_000)
    assert len(short) <= 2_000
    more = re.search(r"… and (\d+) more files: this comment is full", short)
    assert more
    assert int(more[1]) + short.count("| `site-") == 20
    assert "details of 20 files" in short


def test_markdown_is_not_upset_by_what_files_are_called():
    found = review([pair("a|b`c<x>@me.cfg", OLD, WIDER)], "v|1", "HEAD")
    text = markdown(found)
    assert "``a\\|b`c<x>@me.cfg``" in text
    assert "<code>a|b`c&lt;x&gt;@me.cfg</code>" in text


def test_sarif_stands_at_the_lines_of_the_new_files(several):
    log = json.loads(json.dumps(review_sarif(several)))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    identifiers = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert identifiers == list(CATALOGUE)
    places = {}
    for result in run["results"]:
        assert identifiers[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region.get("endColumn", 2) > region["startColumn"] >= 1
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        places.setdefault((result["ruleId"], result["level"]), set()).add((uri, region["startLine"]))
    assert places == {
        ("newly-permitted", "warning"): {("a%20b/wider.cfg", 5)},
        ("newly-denied", "note"): {("narrower.cfg", 4)},
        ("unreadable-configuration", "error"): {("broken.cfg", 4)},
        ("outside-the-model", "warning"): {("nat.cfg", 1)},
        ("list-without-partner", "note"): {("lists.cfg", 1)},
        ("configuration-added", "note"): {("new.cfg", 1)},
        ("configuration-deleted", "note"): {("old.cfg", 1)},
    }
    assert {one["location"]["uri"] for one in run["artifacts"]} >= {"a%20b/wider.cfg", "old.cfg"}


def test_text_tells_every_file_and_ends_with_the_sum(several):
    lines = list(lines_of(several))
    assert "a b/wider.cfg: wider" in lines
    assert "    + udp from any to any" in lines
    assert any(line.startswith("  broken.cfg:4:") for line in lines)
    assert lines[-2].startswith("8 changed configurations: 1 unreadable, 1 wider, 1 narrower,")
    assert any(
        line.startswith("  narrower.cfg:4:2: permit tcp any host 10.0.0.1 eq 80 [denies after") for line in lines
    )


def test_json_is_plain_data(several):
    document = json.loads(json.dumps(several.as_json()))
    by_path = {one["path"]: one for one in document["files"]}
    assert by_path["broken.cfg"]["problems"][0]["line"] == 4
    assert [line["line"] for line in by_path["a b/wider.cfg"]["lines"]] == [5]
    assert by_path["equal.cfg"]["verdict"] == "equal"
