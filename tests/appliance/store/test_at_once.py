"""Tables that are made at once are as if every migration had gone through them."""

from __future__ import annotations

from pathlib import Path

from appliance.contract.service import all_services
from appliance.store.backup import backup, verify_backup
from appliance.store.engine import Store
from appliance.store.migrate import make_at_once, upgrade
from appliance.store.revisions import standing


def test_a_store_that_was_made_at_once_is_current_and_can_be_backed_up(tmp_path: Path) -> None:
    services = tuple(all_services())
    made, migrated = Store("sqlite://"), Store("sqlite://")
    try:
        make_at_once(made, services)
        upgrade(migrated, services, None)
        with made.reading() as one, migrated.reading() as other:
            assert standing(one) == standing(other) != {}
        assert upgrade(made, services, None) is None
        backup(made, tmp_path / "all.gerbang", services)
        assert set(verify_backup(tmp_path / "all.gerbang", services).services) == {one.name for one in services}
    finally:
        made.close()
        migrated.close()
