"""A backup comes back as it was, from either database into either; and nothing else is taken for one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update

from appliance.store.archive import BadBackup, writing_to
from appliance.store.audit import AUDIT, Line, append
from appliance.store.backup import backup, restore, verify_backup
from appliance.store.engine import Store
from appliance.store.failures import StoreFault, StoreFull
from appliance.store.migrate import upgrade
from appliance.store.revisions import CORE
from appliance.store.settings import SETTINGS
from tests.appliance.store.shop import SHOP
from tests.appliance.store.shop.tables import GOODS, GROUPS, Size

NOW = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
WHO = {"version": 1, "changed_by": "ani", "changed_at": NOW}
ALL = (CORE, SHOP)


def good(code: str, **more: Any) -> dict[str, Any]:
    plain = {"name": f"Good {code}", "maker": code, "note": None, "group": None, "price": 10, "discount": 0}
    plain |= {"weight": None, "since": None, "seen": None, "fragile": False, "size": None, "state": "new", "tags": ()}
    return {**plain, "code": code, **more, **WHO}


def filled(url: str) -> Store:
    store = Store(url)
    upgrade(store, [SHOP], None)
    with store.writing() as connection:
        # The second stands inside the third, which comes after it.
        connection.execute(
            insert(GROUPS),
            [
                {"code": "a", "inside": None, **WHO},
                {"code": "b", "inside": None, **WHO},
                {"code": "c", "inside": "a", **WHO},
            ],
        )
        connection.execute(update(GROUPS).where(GROUPS.c.code == "b").values(inside="c"))
        full = good("1", note="Straße\n№ “x”", group="b", price=10**15, weight=0.1 + 0.2, since=date(2999, 12, 31))
        full |= {"seen": NOW, "fragile": True, "size": Size.LARGE, "state": "used", "tags": ("ä", 'q"')}
        connection.execute(insert(GOODS), [full, good("2", weight=-1e15), good("3")])
        connection.execute(delete(GOODS).where(GOODS.c.code == "3"))  # its number is not given again
        for name in ("shop", "mail"):
            row = {"service": name, "value": '{"a": 1}', "version": 3, "changed_by": "ani", "changed_at": NOW}
            connection.execute(insert(SETTINGS).values(row))
        append(connection, Line(at=NOW, person="ani", service="shop", command="x", arguments={}), b"k")
    return store


def content(store: Store) -> dict[str, list[Any]]:
    with store.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (GROUPS, GOODS, SETTINGS)
        }


def put_folder(state: Path, text: str) -> None:
    (state / "pictures" / "deep").mkdir(parents=True, exist_ok=True)
    (state / "pictures" / "deep" / "1.jpg").write_text(text)


@pytest.mark.parametrize(
    "direction", ["sqlite sqlite", "sqlite postgresql", "postgresql sqlite", "postgresql postgresql"]
)
def test_restores_across_databases(direction: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgresql_server") if "postgresql" in direction else None
    urls = [
        server.create() if one == "postgresql" else f"sqlite:///{tmp_path}/{n}.db"
        for n, one in enumerate(direction.split())
    ]
    first, second = filled(urls[0]), Store(urls[1])
    upgrade(second, [SHOP], None)
    with second.writing() as connection:
        connection.execute(insert(GROUPS).values(code="other", inside="other", **WHO))
        connection.execute(
            insert(SETTINGS).values(service="mail", value="{}", version=1, changed_by="x", changed_at=NOW)
        )
    state, other = tmp_path / "state", tmp_path / "other"
    put_folder(state, "one")
    put_folder(other, "two")
    file = tmp_path / "one.zip"
    made = backup(first, file, [SHOP], state=state, who="ani", all_of=ALL)
    assert file.stat().st_mode & 0o777 == 0o600
    assert verify_backup(file, ALL) == made
    restore(second, file, [SHOP], all_of=ALL, before=tmp_path / "before.zip", state=other)
    wanted, found = content(first), content(second)
    assert found["shop_goods"] == wanted["shop_goods"]
    assert found["shop_groups"] == wanted["shop_groups"]
    assert [row[:3] for row in found["core_settings"]] == [("mail", "{}", 1), ("shop", '{"a": 1}', 3)]
    assert (other / "pictures" / "deep" / "1.jpg").read_text() == "one"
    assert sorted(one.name for one in other.iterdir()) == ["pictures"]
    with second.writing() as connection:
        assert connection.execute(insert(GOODS).values(good("9")).returning(GOODS.c.id)).scalar_one() == 4
    # And what was there before comes back from the backup that the restore took.
    restore(second, tmp_path / "before.zip", [SHOP], all_of=ALL, before=tmp_path / "again.zip", state=other)
    assert [row[1] for row in content(second)["shop_groups"]] == ["other"]
    assert (other / "pictures" / "deep" / "1.jpg").read_text() == "two"
    for store, url in ((first, urls[0]), (second, urls[1])):
        store.close()
        if url.startswith("postgresql"):
            server.drop(url)


def test_log_comes_back_only_where_there_is_none(tmp_path: Path) -> None:
    store = filled("sqlite://")
    backup(store, tmp_path / "all.zip", ALL)
    with store.writing() as connection:
        append(connection, Line(at=NOW, person="ani", service="shop", command="y", arguments={}), b"k")
    restore(store, tmp_path / "all.zip", ALL, all_of=ALL, before=tmp_path / "b1.zip")
    count = select(text("count(*)")).select_from(AUDIT)
    with store.reading() as connection:
        assert connection.execute(count).scalar_one() == 2
    empty = Store("sqlite://")
    upgrade(empty, [SHOP], None)
    restore(empty, tmp_path / "all.zip", ALL, all_of=ALL, before=tmp_path / "b2.zip")
    with empty.reading() as connection:
        assert connection.execute(count).scalar_one() == 1
    assert content(empty) == content(store)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    put_folder(tmp_path / "state", "a picture")
    store = filled("sqlite://")
    backup(store, tmp_path / "x.zip", ALL, state=tmp_path / "state", who="ani")
    store.close()
    return tmp_path / "x.zip"


def rewritten(file: Path, edit: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    edit(parts)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def in_manifest(edit: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        said = json.loads(parts["manifest.json"])
        edit(said)
        parts["manifest.json"] = json.dumps(said).encode()

    return change


GOOD = "tables/shop/shop_goods.jsonl"


def part(said: dict[str, Any], path: str = GOOD) -> dict[str, Any]:
    return next(one for one in said["parts"] if one["path"] == path)


def outside(parts: dict[str, bytes]) -> None:
    name = "files/shop/pictures/../../../../etc/evil"
    parts[name] = parts.pop("files/shop/pictures/deep/1.jpg")
    in_manifest(lambda said: part(said, "files/shop/pictures/deep/1.jpg").update(path=name))(parts)


def beside(*names: str) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        parts.update(dict.fromkeys(names, b"x"))
        whole = {"service": "shop", "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
        in_manifest(lambda said: said["parts"].extend({"path": name, **whole} for name in names))(parts)

    return change


def bomb(parts: dict[str, bytes]) -> None:
    parts["files/shop/pictures/zeros"] = b"0" * 10


WRONG: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "no manifest": (lambda parts: parts.pop("manifest.json") and None, "no manifest"),
    "other format": (in_manifest(lambda said: said.update(format="gerbang-backup-9")), "gerbang-backup-9"),
    "no JSON": (lambda parts: parts.update({"manifest.json": b"{"}), "manifest is damaged"),
    "deep JSON": (lambda parts: parts.update({"manifest.json": b"[" * 100_000}), "manifest is damaged"),
    "odd manifest": (in_manifest(lambda said: said.update(services=7)), "manifest is damaged: services"),
    "missing part": (lambda parts: parts.pop(GOOD) and None, "is missing"),
    "extra part": (bomb, "not in its manifest"),
    "changed part": (
        lambda parts: parts.update({GOOD: parts[GOOD].replace(b"Good 1", b"Evil 1")}),
        "hash or its count",
    ),
    "shorter part": (lambda parts: parts.update({GOOD: parts[GOOD][:-9]}), "has not the size"),
    "below a file": (beside("files/shop/pictures/a", "files/shop/pictures/a/b"), "which is a file"),
    "two slashes": (beside("files/shop/pictures//a", "files/shop/pictures/a"), "not named plainly"),
    "a dot": (beside("files/shop/pictures/./a"), "not named plainly"),
    "outside": (outside, "would leave its folder"),
    "newer": (
        in_manifest(lambda said: said["services"]["shop"].update(revision="shop_0009")),
        "newer than this version",
    ),
    "unknown service": (
        in_manifest(lambda said: said["services"].update(bank={"revision": "", "folders": []})),
        "not installed",
    ),
    "unknown table": (in_manifest(lambda said: part(said).update(table="shop_x")), "no table of shop"),
    "table of another": (in_manifest(lambda said: part(said).update(table="core_audit")), "no table of shop"),
    "other columns": (
        in_manifest(lambda said: part(said).update(columns={"id": "whole"})),
        "not those of its revision",
    ),
    "odd revision": (in_manifest(lambda said: said["services"]["shop"].update(revision="")), "no table of shop"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_backup_is_refused_and_nothing_changes(kept: Path, case: str) -> None:
    edit, words = WRONG[case]
    rewritten(kept, edit)
    store = filled("sqlite://")
    before = content(store)
    with pytest.raises(BadBackup, match=words):
        verify_backup(kept, ALL)
    with pytest.raises(BadBackup, match=words):
        restore(store, kept, [SHOP], all_of=ALL, before=kept.with_name("before.zip"), state=kept.parent / "state")
    assert content(store) == before
    assert (kept.parent / "state" / "pictures" / "deep" / "1.jpg").read_text() == "a picture"


@pytest.mark.parametrize("keep", [0, 10, 200, -1, -30])
def test_cut_file_is_refused(kept: Path, keep: int) -> None:
    data = kept.read_bytes()
    kept.write_bytes(data[:keep])
    with pytest.raises(BadBackup):
        verify_backup(kept, ALL)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_are_found_or_harmless(kept: Path, data: st.DataObject) -> None:
    """A flipped bit is found; or it is in a part of the ZIP's own framing that nothing reads."""
    whole = kept.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    bent = kept.with_name("bent.zip")
    bent.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[at + 1 :])
    try:
        said = verify_backup(bent, ALL)
    except BadBackup:
        return
    assert said == verify_backup(kept, ALL)


def test_zip_bomb_is_refused_before_it_is_unpacked(kept: Path) -> None:
    with (
        zipfile.ZipFile(kept, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("files/shop/pictures/0", "w") as entry,
    ):
        for _ in range(280):
            entry.write(bytes(1 << 20))
    with pytest.raises(BadBackup, match="would unpack to 280 MiB"):
        verify_backup(kept, ALL)


def test_rows_that_refer_to_nothing_are_refused(tmp_path: Path) -> None:
    store = filled("sqlite://")
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("UPDATE shop_goods SET \"group\" = 'gone' WHERE code = '2'")
    backup(store, tmp_path / "x.zip", ALL)
    with pytest.raises(BadBackup, match="refers to nothing in shop_groups"):
        verify_backup(tmp_path / "x.zip", ALL)


def test_full_disk_leaves_no_backup(tmp_path: Path) -> None:
    store = filled("sqlite://")
    with pytest.raises(StoreFault):
        backup(store, Path("/proc/none/x.zip"), ALL)
    with pytest.raises(StoreFull, match="No space left"), writing_to(tmp_path / "x.zip"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("links", [True, False])
def test_no_backup_takes_the_place_of_another(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that write to one name: the first has it, the second fails, neither harms the other."""
    if not links:  # a memory stick

        def refuse(_source: Path, _target: Path) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", refuse)
    file = tmp_path / "x.zip"

    def one_in_another() -> None:
        with writing_to(file) as second:
            second.add("a", "shop", [b"second"])
            with writing_to(file) as first:
                first.add("a", "shop", [b"first"])

    with pytest.raises(StoreFault, match="File exists"):
        one_in_another()
    with zipfile.ZipFile(file) as archive:
        assert archive.read("a") == b"first"
    assert list(tmp_path.iterdir()) == [file]


def test_service_that_is_not_in_the_backup(tmp_path: Path) -> None:
    store = filled("sqlite://")
    backup(store, tmp_path / "x.zip", [SHOP], all_of=ALL)
    with pytest.raises(BadBackup, match="core is not in this backup"):
        restore(store, tmp_path / "x.zip", [CORE], all_of=ALL, before=tmp_path / "before.zip")
    assert not (tmp_path / "before.zip").exists()


def test_failed_restore_puts_tables_and_folders_back(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_folder(tmp_path / "state", "new")
    store = filled(database)
    backup(store, tmp_path / "x.zip", ALL, state=tmp_path / "state")
    put_folder(tmp_path / "state", "newer")
    with store.writing() as connection:
        connection.execute(delete(GOODS))
    before = content(store)
    import appliance.store.folders as folders

    def fails(_folder: Path) -> None:
        raise OSError(5, "the disk is gone")

    monkeypatch.setattr(folders, "sync_folder", fails)
    with pytest.raises(OSError, match="the disk is gone"):
        restore(store, tmp_path / "x.zip", ALL, all_of=ALL, before=tmp_path / "b.zip", state=tmp_path / "state")
    assert content(store) == before
    assert (tmp_path / "state" / "pictures" / "deep" / "1.jpg").read_text() == "newer"
    store.close()
