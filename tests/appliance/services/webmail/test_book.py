"""Our plugin's address book, asked as Roundcube's pages ask it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.services.webmail.installed import ROUNDCUBE, php_cli
from tests.appliance.services.webmail.people import ADDRESS_BOOK, DOMAIN

PLUGIN = Path(__file__).parents[4] / "templates" / "webmail" / "plugins" / "hospital"
pytestmark = pytest.mark.skipif(
    not (Path(ROUNDCUBE).is_dir() and Path(php_cli()).exists()), reason="Roundcube is not installed"
)

ASKING = r"""
define('RCUBE_INSTALL_PATH', $argv[1] . '/');
define('RCUBE_CONFIG_DIR', $argv[4] . '/');
require $argv[1] . '/program/lib/Roundcube/bootstrap.php';
require $argv[2] . '/hospital_book.php';
$answers = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as $steps) {
    $book = new hospital_book('Hospital', $argv[3]);
    $answer = null;
    foreach ($steps as $step) {
        $answer = $book->{array_shift($step)}(...$step);
    }
    if ($answer instanceof rcube_result_set) {
        $found = $answer->records;
        $answer = ['count' => $answer->count];
        $answer += ['names' => array_column($found, 'name'), 'ids' => array_column($found, 'ID')];
    }
    $answers[] = $answer;
}
echo json_encode($answers, JSON_THROW_ON_ERROR);
"""

DEFAULTS = """<?php
$config = ['log_dir' => '', 'temp_dir' => '', 'log_driver' => 'stdout'];
$config += array_fill_keys(['drafts_mbox', 'junk_mbox', 'sent_mbox', 'trash_mbox'], '');
"""


def _ask(tmp_path: Path, *questions: list[list[Any]], book: Any = ADDRESS_BOOK) -> list[Any]:
    """Each question is some calls on a new book; the answer is the last one's."""
    path = tmp_path / "addressbook.json"
    path.write_text(json.dumps(book))
    (tmp_path / "defaults.inc.php").write_text(DEFAULTS)
    (tmp_path / "config.inc.php").write_text("<?php $config = [];")
    command = [php_cli(), "-d", "error_reporting=22519", "-r", ASKING, ROUNDCUBE, str(PLUGIN), str(path), str(tmp_path)]
    done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def test_everybody_is_there_once_in_order(tmp_path: Path) -> None:
    (found,) = _ask(tmp_path, [["list_records"]])
    assert found["names"] == ["Ani Wulandari", "dr. Budi Santoso", "Kepala Pos", "Siti Aminah"]
    assert found["count"] == len(set(found["ids"])) == 4


def test_people_are_found_by_what_one_knows_of_them(tmp_path: Path) -> None:
    searched = {
        "wulan": ["Ani Wulandari"],
        "SANTO": ["dr. Budi Santoso"],
        "siti aminah": ["Siti Aminah"],
        "aminah siti": ["Siti Aminah"],
        f"kepala@{DOMAIN}": ["Kepala Pos"],
        "doctors": ["dr. Budi Santoso"],
        "nobody": [],
    }
    answers = _ask(tmp_path, *([["search", "*", one, 0, True, True]] for one in searched))
    assert [one["names"] for one in answers] == list(searched.values())
    # As the completion asks: by the beginning, and only who has an address.
    fields = ["name", "firstname", "surname", "email"]
    starts = {"bud": ["dr. Budi Santoso"], "santo": ["dr. Budi Santoso"], "ulandari": [], "w": ["Ani Wulandari"]}
    answers = _ask(tmp_path, *([["search", fields, one, 2, True, True, "email"]] for one in starts))
    assert [one["names"] for one in answers] == list(starts.values())
    # Exactly, in one field; several fields at once; and by its number.
    exact, two, neither = _ask(
        tmp_path,
        [["search", "email", f"siti@{DOMAIN}", 1]],
        [["search", ["department", "name"], ["nurses", "ani"], 0]],
        [["search", ["department", "name"], ["doctors", "ani"], 0]],
    )
    assert (exact["names"], two["names"], neither["names"]) == (["Siti Aminah"], ["Ani Wulandari"], [])
    (by_number,) = _ask(tmp_path, [["search", "ID", exact["ids"], 0]])
    assert by_number["names"] == ["Siti Aminah"]


def test_groups_are_departments_and_lists(tmp_path: Path) -> None:
    (groups,) = _ask(tmp_path, [["list_groups"]])
    assert [one["name"] for one in groups] == ["Doctors", "Jaga malam", "Nurses"]
    numbers = {one["name"]: one["ID"] for one in groups}
    assert all(one.isalnum() for one in numbers.values())
    nurses, night, prop, none, found = _ask(
        tmp_path,
        [["set_group", numbers["Nurses"]], ["list_records"]],
        [["set_group", numbers["Jaga malam"]], ["list_records"]],
        [["get_group", numbers["Jaga malam"]]],
        [["set_group", "unknown"], ["list_records"]],
        [["list_groups", "jaga", 2]],
    )
    assert nurses["names"] == ["Ani Wulandari", "Siti Aminah"]
    assert night["names"] == ["dr. Budi Santoso", "Siti Aminah"]
    assert prop["email"] == [f"jaga-malam@{DOMAIN}"]
    assert none["names"] == []
    assert [one["name"] for one in found] == ["Jaga malam"]
    (siti,) = _ask(tmp_path, [["search", "email", f"siti@{DOMAIN}", 1]])
    (of_siti,) = _ask(tmp_path, [["get_record_groups", siti["ids"][0]]])
    assert sorted(of_siti.values()) == ["Jaga malam", "Nurses"]


def test_nobody_adds_changes_or_removes(tmp_path: Path) -> None:
    (siti,) = _ask(tmp_path, [["search", "email", f"siti@{DOMAIN}", 1]])
    number = siti["ids"][0]
    answers = _ask(
        tmp_path,
        [["insert", {"name": "Eve", "email": "eve@example.org"}]],
        [["update", number, {"name": "Eve"}]],
        [["delete", [number]]],
        [["create_group", "Eve"]],
        [["delete_group", "x"]],
        [["add_to_group", "x", [number]]],
    )
    assert not any(answers)


@given(size=st.integers(1, 9), people=st.integers(0, 30))
@settings(max_examples=8, deadline=None)
def test_pages_are_the_whole_book_and_nobody_twice(
    tmp_path_factory: pytest.TempPathFactory, size: int, people: int
) -> None:
    book = {
        "people": [
            {"name": f"p{one}", "address": f"p{one}@{DOMAIN}", "full_name": f"Person {one:02}", "department": ""}
            for one in range(people)
        ],
        "lists": [],
    }
    pages = range(1, people // size + 2)
    asked = [[["set_pagesize", size], ["set_page", page], ["list_records"]] for page in pages]
    answers = _ask(tmp_path_factory.mktemp("book"), *asked, book=book)
    assert all(one["count"] == people and len(one["names"]) <= size for one in answers)
    assert [name for one in answers for name in one["names"]] == [f"Person {one:02}" for one in range(people)]


def test_a_book_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    (found,) = _ask(tmp_path, [["list_records"]], book="no book")
    assert found["names"] == []
