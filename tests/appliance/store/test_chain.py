"""Any edit of the audit log is found, and said at its line."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update

from appliance.store import chain as walking
from appliance.store.audit import AUDIT, METADATA, Head, Line, append
from appliance.store.chain import verify
from appliance.store.engine import Store
from appliance.store.failures import StoreFault
from appliance.store.seal import HeadFile, key_of
from compiler.errors import UsageError

KEY = b"k" * 32
START = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)


def written(store: Store, lines: int) -> Head:
    METADATA.create_all(store.engine)
    with store.writing() as connection:
        for number in range(lines):
            line = Line(
                at=START + timedelta(seconds=number),
                person="ani",
                service="hotel",
                command="rooms.add",
                arguments={"name": f"Kamar №{number}", "rate": 300_000},
            )
            head = append(connection, line, KEY)
    return head


def tampered(store: Store, head: Head | None, edit: Callable[[Connection], object]) -> list[str]:
    with store.writing() as connection:
        edit(connection)
    with store.reading() as connection:
        return [str(one) for one in verify(connection, KEY, head).tampered]


def at(number: int) -> object:
    return AUDIT.c.number == number


def test_whole_chain_is_intact(database: str) -> None:
    store = Store(database)
    head = written(store, 25)
    heard: list[tuple[int, int]] = []
    with store.reading() as connection:
        verdict = verify(connection, KEY, head, lambda done, total: heard.append((done, total)))
    assert verdict.intact
    assert (verdict.lines, verdict.head) == (25, head)
    assert heard[-1] == (25, 25)
    store.close()


CHANGES = {
    "person": "budi",
    "service": "mail",
    "command": "rooms.remove",
    "arguments": "{}",
    "outcome": "refused",
    "at": START + timedelta(days=1),
    "hash": "0" * 64,
    "previous": "f" * 64,
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_value(database: str, name: str) -> None:
    store = Store(database)
    head = written(store, 9)
    found = tampered(store, head, lambda c: c.execute(update(AUDIT).where(at(4)).values({name: CHANGES[name]})))
    assert any("line 4 was changed" in one for one in found)
    assert all("line 4 " in one or "line 5 " in one for one in found)
    store.close()


def test_removed_cut_inserted_and_reordered(database: str) -> None:
    store = Store(database)
    head = written(store, 9)
    assert tampered(store, head, lambda c: c.execute(delete(AUDIT).where(at(4)))) == ["line 4 is missing"]
    cut = tampered(store, head, lambda c: c.execute(delete(AUDIT).where(AUDIT.c.number >= 8)))
    assert cut[-1] == "lines 8 to 9 are missing at the end: the log was cut"
    store.close()


def test_cut_log_is_not_seen_without_the_note(tmp_path: Path) -> None:
    """Why there is a note outside the database."""
    store = Store("sqlite://")
    head = written(store, 9)
    assert tampered(store, None, lambda c: c.execute(delete(AUDIT).where(AUDIT.c.number >= 8))) == []
    with store.reading() as connection:
        assert not verify(connection, KEY, head).intact
    with store.writing() as connection:
        connection.execute(delete(AUDIT))
    with store.reading() as connection:
        assert [str(one) for one in verify(connection, KEY, head).tampered] == [
            "lines 1 to 9 are missing at the end: the log was cut"
        ]


def test_inserted_line() -> None:
    store = Store("sqlite://")
    head = written(store, 5)

    def insert_copy(connection: Connection) -> None:
        row = connection.execute(select(AUDIT).where(at(5))).mappings().one()
        connection.execute(insert(AUDIT).values({**row, "number": 6}))

    found = tampered(store, head, insert_copy)
    assert any("line 6 was changed, or was not written by this appliance" in one for one in found)
    with store.writing() as connection:
        connection.execute(update(AUDIT).where(at(6)).values(number=0))
    with store.reading() as connection:
        assert verify(connection, KEY, head).tampered[0].number == 0


def test_reordered_lines() -> None:
    store = Store("sqlite://")
    head = written(store, 6)

    def swap(connection: Connection) -> None:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(AUDIT).where(at(old)).values(number=new))

    assert {one.split(" was")[0] for one in tampered(store, head, swap) if "changed, or" in one} == {"line 2", "line 3"}


@pytest.mark.parametrize("value", ["NULL", "x'00ff'", "17", "'yesterday'"])
def test_values_of_another_type_are_found_not_raised(value: str) -> None:
    store = Store("sqlite://")
    head = written(store, 5)
    with store.writing() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        if value != "NULL":
            connection.execute(text(f"UPDATE core_audit SET at = {value} WHERE number = 2"))
            connection.execute(text(f"UPDATE core_audit SET arguments = {value} WHERE number = 3"))
        else:
            connection.execute(text("UPDATE core_audit SET number = 7 WHERE number = 3"))
    with store.reading() as connection:
        assert len(verify(connection, KEY, head).tampered) >= 2


UNREADABLE = [
    "UPDATE core_audit SET at = 'infinity' WHERE number = 4",
    "UPDATE core_audit SET at = '2026-01-02 03:04:08 BC' WHERE number = 4",
    "UPDATE core_audit SET at = '20000-01-01' WHERE number = 4",
    "ALTER TABLE core_audit ALTER at TYPE text; UPDATE core_audit SET at = 'yesterday' WHERE number = 4",
    "ALTER TABLE core_audit ALTER number TYPE text",
    "ALTER TABLE core_audit DROP CONSTRAINT pk_core_audit; ALTER TABLE core_audit ALTER number DROP NOT NULL;"
    " UPDATE core_audit SET number = NULL WHERE number = 4",
]


@pytest.mark.parametrize("statements", UNREADABLE)
def test_values_that_only_the_server_knows_are_found_not_raised(postgresql: str, statements: str) -> None:
    store = Store(postgresql)
    head = written(store, 9)
    assert tampered(store, head, lambda c: [c.execute(text(one)) for one in statements.split(";")])
    store.close()


UNTYPED = (
    "CREATE TABLE other AS SELECT * FROM core_audit; DROP TABLE core_audit; ALTER TABLE other RENAME TO core_audit;"
)


@pytest.mark.parametrize(
    "statements",
    [
        "UPDATE core_audit SET person = CAST(x'ff41' AS TEXT) WHERE number = 4",  # no UTF-8
        *(
            f"{UNTYPED} UPDATE core_audit SET number = {one} WHERE number = 4"
            for one in ("NULL", "'four'", "x'00'", "4.5")
        ),
        f"{UNTYPED} UPDATE core_audit SET at = x'ff', hash = NULL, previous = 7 WHERE number = 4",
    ],
)
def test_values_that_sqlite_takes_from_anybody_are_found_not_raised(statements: str) -> None:
    store = Store("sqlite://")
    head = written(store, 9)
    found = tampered(store, head, lambda c: [c.exec_driver_sql(one) for one in statements.split(";")])
    assert any("line 4 " in one for one in found)
    store.close()


@pytest.mark.parametrize("number", [1, 3, 4, 9])
def test_a_second_line_of_a_number_is_found_wherever_it_stands(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its key the table takes two; the walk goes on after the number at which a batch ends."""
    monkeypatch.setattr(walking, "_BATCH", 4)
    store = Store("sqlite://")
    head = written(store, 9)
    copy = f"INSERT INTO core_audit SELECT * FROM core_audit WHERE number = {number}"
    found = tampered(store, head, lambda c: [c.exec_driver_sql(one) for one in f"{UNTYPED}{copy}".split(";")])
    assert any("more than once" in one or "1 lines more stand there" in one for one in found)
    store.close()


@pytest.mark.parametrize("left", [0, 1, 6])
def test_a_log_that_was_cut_does_not_close_again(database: str, left: int) -> None:
    """What is written later goes on after the line that was known, or it would take the numbers of those that went."""
    store = Store(database)
    known = written(store, 9)
    assert tampered(store, known, lambda c: c.execute(delete(AUDIT).where(AUDIT.c.number > left)))
    head = known
    for _ in range(20):
        with store.writing() as connection:
            line = Line(at=START, person="ani", service="hotel", command="rooms.add", arguments={})
            head = append(connection, line, KEY, known=head)
    assert head.number == 29
    assert tampered(store, head, lambda _c: None) == [f"lines {left + 1} to 9 are missing"]
    store.close()


def test_chain_of_another_key_is_no_chain() -> None:
    store = Store("sqlite://")
    head = written(store, 300)
    with store.reading() as connection:
        assert len(verify(connection, b"x" * 32, head).tampered) == 100


@settings(max_examples=40)
@given(
    st.integers(1, 12),
    st.sampled_from([column.name for column in AUDIT.columns if column.name not in {"at", "number"}]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
def test_no_edit_goes_unseen(number: int, name: str, value: str) -> None:
    store = Store("sqlite://")
    head = written(store, 12)
    with store.writing() as connection:
        before = connection.execute(select(AUDIT.c[name]).where(at(number))).scalar_one()
        connection.execute(update(AUDIT).where(at(number)).values({name: value}))
    with store.reading() as connection:
        assert verify(connection, KEY, head).intact == (before == value)
    store.close()


def test_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    assert len(key) == 32
    assert key_of(tmp_path) == key
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "audit.key").chmod(0o640)
    with pytest.raises(UsageError, match="others may read"):
        key_of(tmp_path)
    (tmp_path / "audit.key").write_bytes(b"short")
    (tmp_path / "audit.key").chmod(0o600)
    with pytest.raises(UsageError, match="32 bytes"):
        key_of(tmp_path)


def test_note_keeps_the_newest_and_notices_edits(tmp_path: Path) -> None:
    notes = HeadFile(tmp_path, KEY)
    assert notes.read() is None
    for number in (1, 3, 2):
        notes.note(Head(number, str(number) * 64))
    assert notes.read() == Head(3, "3" * 64)
    assert HeadFile(tmp_path, KEY).read() == Head(3, "3" * 64)
    notes.close()
    with pytest.raises(StoreFault, match="not ours, or was edited"):
        HeadFile(tmp_path, b"x" * 32)
    content = notes.path.read_bytes()
    os.truncate(notes.path, 40)
    with pytest.raises(StoreFault):
        HeadFile(tmp_path, KEY)
    notes.path.write_bytes(content.replace(b'"number": 3', b'"number": 2'))
    with pytest.raises(StoreFault):
        HeadFile(tmp_path, KEY)


def test_note_can_begin_anew(tmp_path: Path) -> None:
    notes = HeadFile(tmp_path, KEY)
    notes.note(Head(7, "7" * 64))
    notes.reset(Head(2, "2" * 64))
    assert notes.read() == Head(2, "2" * 64)
    notes.close()
    notes.close()
    notes.note(Head(9, "9" * 64))
