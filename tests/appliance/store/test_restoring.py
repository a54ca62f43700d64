"""Who reads while a backup is restored is not held up by it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, insert, select, text

from appliance.store.backup import _empty
from appliance.store.engine import Store
from appliance.store.migrate import upgrade
from appliance.store.parts import Shape, shapes_of
from tests.appliance.store.shop import SHOP
from tests.appliance.store.shop.tables import GROUPS

WHO = {"version": 1, "changed_by": "x", "changed_at": datetime(2026, 1, 1, tzinfo=UTC)}


def filled(url: str) -> Store:
    store = Store(url)
    upgrade(store, [SHOP], None)
    with store.writing() as connection:
        connection.execute(insert(GROUPS), [{"code": "a", "inside": None, **WHO}, {"code": "b", "inside": "a", **WHO}])
    return store


def test_tables_that_are_emptied_are_read_meanwhile(postgresql: str) -> None:
    store = filled(postgresql)
    with store.migrating() as connection, store.reading() as reader:
        _empty(connection, shapes_of(connection, ["shop"])["shop"])
        assert connection.execute(select(func.count()).select_from(GROUPS)).scalar_one() == 0
        reader.execute(text("SET LOCAL lock_timeout = '300ms'"))
        assert reader.execute(select(func.count()).select_from(GROUPS)).scalar_one() == 2
    store.close()


def test_tables_that_refer_to_each_other_are_emptied(postgresql: str) -> None:
    store = Store(postgresql)
    with store.migrating() as connection:
        connection.exec_driver_sql("CREATE TABLE shop_a (id BIGINT PRIMARY KEY, other BIGINT)")
        connection.exec_driver_sql(
            "CREATE TABLE shop_b (id BIGINT PRIMARY KEY, other BIGINT REFERENCES shop_a ON DELETE RESTRICT)"
        )
        connection.exec_driver_sql("INSERT INTO shop_a VALUES (1, 1)")
        connection.exec_driver_sql("INSERT INTO shop_b VALUES (1, 1)")
        connection.exec_driver_sql("ALTER TABLE shop_a ADD FOREIGN KEY (other) REFERENCES shop_b ON DELETE RESTRICT")
        kinds = {"id": "whole", "other": "whole"}
        shapes = [Shape(name, kinds, ("id",), counted=False) for name in ("shop_a", "shop_b")]
        _empty(connection, shapes)
        for shape in shapes:
            assert connection.execute(select(func.count()).select_from(shape.clause)).scalar_one() == 0
    store.close()
