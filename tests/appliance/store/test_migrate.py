"""Tables come from migrations and nothing else; a failed one leaves everything as it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, inspect, select, update

from appliance.contract.service import Service, all_services
from appliance.store.authoring import NothingChanged, assert_migrations_match, differences, new_revision
from appliance.store.backup import verify_backup
from appliance.store.engine import Store
from appliance.store.filling import fill_empty_tables
from appliance.store.migrate import MigrationFailed, NewerStore, downgrade, upgrade
from appliance.store.revisions import (
    CORE,
    REVISIONS,
    BrokenBranch,
    branch_of,
    in_order,
    standing,
    step,
    with_core,
)
from compiler.errors import UsageError
from tests.appliance.store.shop import SHOP
from tests.appliance.store.test_backup import WHO, content, filled

TABLES = """
from typing import Annotated
from appliance.contract.kinds import *
from appliance.contract.records import record
from appliance.store.tables import metadata, record_table
@record
class Room:
    code: Code
    name: Name{more}
METADATA = metadata()
ROOMS = record_table("inn_rooms", Room, METADATA, key="code")
BEDS = record_table("inn_beds", Bed := record(type("Bed", (), {{"__annotations__":
    {{"code": Code, "room": Annotated[Code, Refers("rooms")]}}}})), METADATA, key="code",
    refers={{"rooms": "inn_rooms.code"}})
"""


@pytest.fixture
def inn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that is being written."""
    package = tmp_path / "inn_service"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tables.py").write_text(TABLES.format(more=""))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    forget()
    return Service(name="inn", title="Inn", package="inn_service", roles=())


def forget() -> None:
    for name in [one for one in sys.modules if one.startswith(("inn_service", "bar_service"))]:
        del sys.modules[name]


def changed(inn: Service, tmp_path: Path, more: str) -> None:
    (tmp_path / "inn_service" / "tables.py").write_text(TABLES.format(more=more))
    forget()


@pytest.mark.parametrize("service", [CORE, SHOP], ids=lambda one: one.name)
def test_migrations_give_the_tables(service: Service, database: str) -> None:
    assert_migrations_match(service, database)


def test_difference_is_seen(database: str) -> None:
    """The assertion above can fail."""
    store = Store(database)
    upgrade(store, [SHOP], None)
    with store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE shop_goods ADD COLUMN more INTEGER")
    assert "remove_column" in str(differences(store, SHOP))
    store.close()


def test_author_changes_a_table_that_others_refer_to(inn: Service, tmp_path: Path, database: str) -> None:
    """The rooms are made anew on SQLite, and neither their beds nor their numbers are lost."""
    first = new_revision(inn, "Rooms and beds")
    assert first.name == "0001_rooms_and_beds.py"
    with pytest.raises(NothingChanged):
        new_revision(inn, "Again")
    store = Store(database)
    upgrade(store, [inn], tmp_path / "backups")
    from inn_service.tables import BEDS, ROOMS

    with store.writing() as connection:
        connection.execute(insert(ROOMS), [{"code": str(n), "name": "x", **WHO} for n in range(3)])
        connection.execute(insert(BEDS).values(code="1", room="1", **WHO))
        connection.exec_driver_sql("DELETE FROM inn_rooms WHERE code = '2'")
    changed(inn, tmp_path, "\n    rate: Rupiah | None = None\n    since: Moment | None = None")
    second = new_revision(inn, "Rates")
    assert 'down_revision = "inn_0001"' in second.read_text()
    assert_migrations_match(inn)
    backup = upgrade(store, [inn], tmp_path / "backups")
    assert backup is not None
    assert backup.stat().st_mode & 0o777 == 0o600
    with store.reading() as connection:
        assert standing(connection)["inn"] == "inn_0002"
        assert connection.exec_driver_sql("SELECT count(*) FROM inn_beds").scalar_one() == 1
    assert differences(store, inn) == []
    if backup.suffix == ".db":
        with closing(sqlite3.connect(backup)) as kept:
            assert kept.execute("SELECT revision FROM core_revisions").fetchall()[-1] == ("inn_0001",)
    else:
        assert verify_backup(backup, [inn]).services["inn"].revision == "inn_0001"
    changed(inn, tmp_path, "\n    rate: Rupiah = 0")
    third = new_revision(inn, "Rates are there")
    assert "sqlite_autoincrement" in third.read_text()
    before, after = third.read_text().split("def upgrade() -> None:\n")
    text = f'{before}def upgrade() -> None:\n    op.execute("UPDATE inn_rooms SET rate = 0")\n{after}'
    third.write_text(text)
    upgrade(store, [inn], None)
    with store.writing() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM inn_beds").scalar_one() == 1
        forget()
        from inn_service.tables import ROOMS as NOW

        added = insert(NOW).values(code="9", name="x", rate=1, **WHO).returning(NOW.c.id)
        assert connection.execute(added).scalar_one() == 4
    assert differences(store, inn) == []
    downgrade(store, inn, "inn_0001")
    with store.reading() as connection:
        assert standing(connection)["inn"] == "inn_0001"
    store.close()


BROKEN = """
revision = "inn_0002"
down_revision = "inn_0001"
from alembic import op
def upgrade():
    op.execute("UPDATE inn_rooms SET name = 'half'")
    op.execute("UPDATE nothing SET name = 'half'")
"""


def test_failed_revision_is_undone_and_named(inn: Service, tmp_path: Path, database: str) -> None:
    new_revision(inn, "Rooms")
    store = Store(database)
    upgrade(store, [inn], tmp_path / "backups")
    from inn_service.tables import ROOMS

    with store.writing() as connection:
        connection.execute(insert(ROOMS).values(code="1", name="whole", **WHO))
    (tmp_path / "inn_service" / "migrations" / "0002_broken.py").write_text(BROKEN)
    with pytest.raises(MigrationFailed, match=r"inn_0002 of inn .*failed .* a backup is in .*/before-migration-"):
        upgrade(store, [inn], tmp_path / "backups")
    with store.reading() as connection:
        assert connection.execute(select(ROOMS.c.name)).scalar_one() == "whole"
        assert standing(connection)["inn"] == "inn_0001"
    assert len(list((tmp_path / "backups").iterdir())) == 1
    store.close()


def test_a_service_that_fails_leaves_those_before_it_as_they_were(inn: Service, tmp_path: Path, database: str) -> None:
    """Otherwise the version before would not start on the store any more."""
    (tmp_path / "bar_service").mkdir()
    (tmp_path / "bar_service" / "__init__.py").touch()
    (tmp_path / "bar_service" / "tables.py").write_text(TABLES.format(more="").replace("inn_", "bar_"))
    bar = Service(name="bar", title="Bar", package="bar_service", roles=(), requires=("inn",))
    for service in (inn, bar):
        new_revision(service, "Rooms")
    store = Store(database)
    upgrade(store, [inn, bar], tmp_path / "backups")
    from inn_service.tables import ROOMS

    with store.writing() as connection:
        connection.execute(insert(ROOMS).values(code="1", name="whole", **WHO))
    changed(inn, tmp_path, "\n    rate: Rupiah = 0")
    new_revision(inn, "Rates")
    broken = BROKEN.replace("inn_", "bar_")
    (tmp_path / "bar_service" / "migrations" / "0002_broken.py").write_text(broken)
    with pytest.raises(MigrationFailed, match=r"bar_0002 of bar .*failed and .* a backup is in"):
        upgrade(store, [inn, bar], tmp_path / "backups")
    with store.reading() as connection:
        assert (standing(connection)["inn"], standing(connection)["bar"]) == ("inn_0001", "bar_0001")
        assert "rate" not in [one["name"] for one in inspect(connection).get_columns("inn_rooms")]
        assert connection.exec_driver_sql("SELECT name FROM inn_rooms").scalar_one() == "whole"
    (tmp_path / "bar_service" / "migrations" / "0002_broken.py").unlink()
    upgrade(store, [inn, bar], tmp_path / "backups")
    with store.reading() as connection:
        assert standing(connection)["inn"] == "inn_0002"
    store.close()


def test_installed_services_come_from_their_first_revisions_with_all_their_rows(database: str, tmp_path: Path) -> None:
    services = tuple(all_services())
    store = Store(database)
    for service in with_core(services):
        if branch := branch_of(service):
            with store.migrating() as connection:
                step(connection, branch[0])
            with store.writing() as connection:
                fill_empty_tables(connection, f"{service.name}_")
    before = counted(store)
    for service in services:
        assert any(rows for name, rows in before.items() if name.startswith(f"{service.name}_")), service.name
    backup = upgrade(store, services, tmp_path / "backups")
    assert (backup is None) == all(len(branch_of(one)) < 2 for one in services)
    after = counted(store)
    assert {name: after[name] for name in before if name in after} == {n: k for n, k in before.items() if n in after}
    for service in services:
        assert differences(store, service) == [], service.name
    store.close()


def counted(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        names = set(inspect(connection).get_table_names()) - {REVISIONS.name, "sqlite_sequence"}
        return {one: connection.exec_driver_sql(f"SELECT count(*) FROM {one}").scalar_one() for one in names}


def test_newer_store_is_refused_before_anything_changes(database: str) -> None:
    store = filled(database)
    before = content(store)
    with store.writing() as connection:
        connection.execute(update(REVISIONS).where(REVISIONS.c.service == "shop").values(revision="shop_0007"))
    with pytest.raises(NewerStore, match="shop_0007, which this version does not know"):
        upgrade(store, [SHOP], None)
    assert content(store) == before
    store.close()


def test_service_that_is_no_longer_installed_keeps_its_tables(database: str, tmp_path: Path) -> None:
    store = filled(database)
    upgrade(store, [], tmp_path)
    assert list(tmp_path.glob("before*")) == []
    with store.reading() as connection:
        assert inspect(connection).has_table("shop_goods")
    store.close()


def test_service_without_migrations(inn: Service, database: str) -> None:
    store = Store(database)
    with pytest.raises(MigrationFailed, match="gerbang appliance migration inn"):
        upgrade(store, [inn], None)
    store.close()
    memory = Store("sqlite://")
    upgrade(memory, [inn], None)  # nothing is ever migrated there
    with memory.reading() as connection:
        assert inspect(connection).has_table("inn_rooms")


def test_branches_are_one_line(inn: Service, tmp_path: Path) -> None:
    new_revision(inn, "Rooms")
    folder = tmp_path / "inn_service" / "migrations"
    shutil.copy(folder / "0001_rooms.py", folder / "0001_again.py")
    with pytest.raises(BrokenBranch, match="follows the same revision"):
        branch_of(inn)
    (folder / "0001_again.py").write_text(BROKEN.replace('"inn_0001"', '"inn_0005"'))
    with pytest.raises(BrokenBranch, match="the revision before it is not there"):
        branch_of(inn)
    (folder / "0001_again.py").write_text("x = 1")
    with pytest.raises(BrokenBranch, match="a migration says"):
        branch_of(inn)


@pytest.mark.parametrize("message", ["", "!!", "№"])
def test_migration_needs_a_name(inn: Service, message: str) -> None:
    with pytest.raises(UsageError, match="some letters"):
        new_revision(inn, message)


def test_requirements_come_first() -> None:
    a = Service(name="a", title="", package="", roles=(), requires=("c",))
    b = Service(name="b", title="", package="", roles=(), requires=("a", "nothing"))
    c = Service(name="c", title="", package="", roles=(), requires=("b",))  # a circle ends
    assert [one.name for one in in_order([b, a])] == ["a", "b"]
    assert {one.name for one in in_order([a, b, c])} == {"a", "b", "c"}


def test_start_of_a_store_that_is_current_needs_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    filled(url).close()
    program = f"""
import sys
from appliance.store.engine import Store
from appliance.store.migrate import upgrade
from tests.appliance.store.shop import SHOP
assert upgrade(Store({url!r}), [SHOP], None) is None
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


def test_foreign_tables_are_left_alone() -> None:
    store = filled("sqlite://")
    Table("x_other", MetaData(), Column("id", Integer, primary_key=True)).create(store.engine)
    upgrade(store, [SHOP], None)
    with store.reading() as connection:
        assert inspect(connection).has_table("x_other")
