"""What a stranger who writes a service meets: the pattern's own checks, said by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest

from appliance.contract.commands import query
from appliance.contract.documents import Document
from appliance.contract.kinds import Code, Name, Refers
from appliance.contract.listings import Listing
from appliance.contract.master_data import MasterData
from appliance.contract.records import record
from appliance.contract.refusals import AlreadyThere, Conflict, NotFound, RuleBroken
from appliance.contract.service import Role, Service
from appliance.daemon.documents import template_folders
from appliance.daemon.registry import Registry
from appliance.store.tables import metadata, record_table
from appliance.testing import Trial
from tests.appliance.lending import service
from tests.appliance.lending.model import STAFF

NOW = datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("Asia/Jakarta"))


@pytest.fixture
def trial() -> Iterator[Trial]:
    made = Trial(service, now=NOW)
    yield made
    made.close()


def test_who_has_a_row_is_told_of_its_new_key(trial: Trial) -> None:
    ani, budi = trial.person("ani", "librarian"), trial.person("budi", "librarian")
    seen = ani("books.add", code="B1", title="Moby")
    budi("books.change", code="B1", version=1, row={"code": "B2", "title": "Moby"})
    mine = {"code": "B1", "id": seen["id"], "version": 1}
    with pytest.raises(Conflict, match=r"book B1 was changed by budi at 2026-01-05T09:00:00.* and is now B2") as told:
        ani("books.change", **mine, row={"code": "B1", "title": "Mine"})
    assert told.value.values["renamed"] == "B2"
    with pytest.raises(Conflict, match="is now B2"):
        ani("books.remove", **mine)
    with pytest.raises(NotFound):  # by its key alone nobody knows which it was
        ani("books.change", code="B1", version=1, row={"code": "B1", "title": "Mine"})
    budi("books.add", code="B1", title="Another")
    with pytest.raises(Conflict, match="is now B2"):  # not the other book that has its key now
        ani("books.remove", **mine)
    assert ani("books.change", **{**mine, "code": "B2", "version": 2}, row={"code": "B1a", "title": "Mine"})
    ani("books.remove", code="B1a", id=seen["id"], version=3)
    with pytest.raises(Conflict, match="book B1 was changed by budi"):
        ani("books.remove", **mine)


def test_a_record_that_is_made_in_python_is_looked_at(trial: Trial) -> None:
    desk = trial.person("ani", "librarian")
    with pytest.raises(RuleBroken) as told:
        desk("take-in", code="has blank", title="x")
    assert told.value.field == "code"
    with pytest.raises(RuleBroken, match="title: "):
        desk("take-in", code="B1", title="")
    desk("take-in", code="B1", title="Moby")
    with pytest.raises(AssertionError, match=r"(?s)wrong answers what its type does not allow.*code"):
        desk("wrong")


def test_what_only_the_database_sees_is_a_refusal(trial: Trial) -> None:
    desk = trial.person("ani", "librarian")
    desk("raw", code="B1", title="Moby")
    with pytest.raises(AlreadyThere, match="there is one with the same code among books already"):
        desk("raw", code="B1", title="Dick")
    assert [one["title"] for one in desk.listing("books")] == ["Moby"]


def test_a_derived_command_asks_what_stands_before_it(trial: Trial) -> None:
    desk = trial.person("ani", "librarian")
    desk("books.add", code="B1", title="Moby", lent_until="2026-01-04")
    with pytest.raises(RuleBroken, match="somebody has B1"):
        desk("books.remove", code="B1", version=1)
    desk("books.change", code="B1", version=1, row={"code": "B1", "title": "Moby"})
    desk("books.remove", code="B1", version=2)


def test_a_listing_goes_by_day_and_settings(trial: Trial) -> None:
    desk = trial.person("ani", "librarian")
    desk("books.add", code="B1", title="Moby", lent_until="2026-01-05")
    assert desk.listing("late") == []
    trial.later(days=1)
    assert [(one["code"], one["fine"], one["asker"]) for one in desk.listing("late")] == [("B1", 500, "ani")]


def test_a_service_brings_its_templates_and_an_administrator_replaces_them(trial: Trial, tmp_path: Path) -> None:
    assert trial.person("ani", "librarian").paper("slip").strip() == "OURS Moby"
    document = Document(template="lending/slip", title="", values=None)
    (tmp_path / "templates" / "documents").mkdir(parents=True)
    own, packaged = template_folders(document, [service], tmp_path)
    assert own == tmp_path / "templates" / "documents"
    assert (packaged / "lending" / "slip.txt.j2").is_file()
    assert template_folders(replace(document, template="hotel/bill"), [service], None) == ()


@record
class Typo:
    """Refers to nothing."""

    code: Code
    book: Annotated[Code, Refers("boks")]


@record
class Versioned:
    """Has a name of the tables' own."""

    code: Code
    version: Name


@record
class Plain:
    """As it should be."""

    code: Code


@query("libraryan")
def nobodys(context: Any) -> None:
    """Nobody can use it."""


def faulty(monkeypatch: pytest.MonkeyPatch, commands: Any = None, **master: Any) -> Service:
    made = MasterData(**{"name": "books", "record": Plain, "key": "code", "see": STAFF, "change": STAFF, **master})
    modules = {"model": SimpleNamespace(MASTER_DATA=(made,)), "commands": commands}
    monkeypatch.setattr(Service, "module", lambda _self, name: modules.get(name))
    return Service(name="inn", title="Inn", package="tests", roles=(Role("librarian", "Librarian"),))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"record": Typo}, r"service inn: books \(Typo\): the field book refers to 'boks'.*did you mean 'books'"),
        ({"key": "kode"}, r"the key 'kode' is no field; did you mean 'code'"),
        ({"record": Versioned}, r"\(Versioned\): the field version has the name of a column"),
        ({"record": Versioned, "key": "version"}, "the field version cannot be the key"),
        ({"unique": (("titel",),)}, "unique says 'titel', which is no field"),
        ({"see": frozenset({"libraryan"})}, "see: there is no role 'libraryan'; did you mean 'librarian'"),
        ({"change": "librarian"}, "the roles are a frozenset of names"),
    ],
)
def test_mistakes_in_master_data_are_named(monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Registry([faulty(monkeypatch, **fault)])


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ({"nobodys": nobodys}, "service inn: the command nobodys: there is no role 'libraryan'; did you mean"),
        ({"BEFORE": {"books.remov": print}}, "BEFORE says 'books.remov', no derived command; did you mean"),
        ({"LISTINGS": (Listing(name="x", row=Plain, see=STAFF, key="id", select=print),)}, "'id' is no field"),
        ({"LISTINGS": (Listing(name="x", row=Plain, see=STAFF),)}, r"the listing x \(Plain\) has no select"),
    ],
)
def test_mistakes_in_commands_are_named(monkeypatch: pytest.MonkeyPatch, commands: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Registry([faulty(monkeypatch, SimpleNamespace(**commands))])


def test_mistakes_in_tables_are_named() -> None:
    with pytest.raises(TypeError, match=r"inn_x: Typo.book refers to 'boks': there are books"):
        record_table("inn_x", Typo, metadata(), refers={"books": "inn_books.code"})
    with pytest.raises(TypeError, match="inn_x: the key 'kode' is no field of Plain"):
        record_table("inn_x", Plain, metadata(), key="kode")
    with pytest.raises(TypeError, match=r"inn_x: Versioned.version has the name"):
        record_table("inn_x", Versioned, metadata())
