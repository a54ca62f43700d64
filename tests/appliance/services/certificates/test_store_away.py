"""The store goes away while renewed certificates are committed: the audit log has its line when it is there again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.commit.journal import read_journal
from appliance.contract.people import ADMINISTRATOR, Person
from appliance.services.certificates import service as certificates
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from appliance.store.failures import StoreAway
from tests.appliance.daemon.house import ZONE, House

ADMIN = Person("admin", frozenset({ADMINISTRATOR}))


def wait_for(met: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not met():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_renewal_that_is_committed_has_its_line_though_the_store_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.commit.telling.AGAIN", 0.05)
    house = House(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}", services=(system, machine, certificates))
    runner, writing = house.parts.runner, house.store.writing

    def work(service: str, command: str, **arguments: Any) -> Any:
        body = json.dumps(arguments).encode()
        return json.loads(runner.work(ADMIN, service, command, body, lambda progress: None).json())

    def away() -> Any:
        raise StoreAway("the server does not answer")

    def lines() -> list[tuple[str, str, Any]]:
        told = [(one, json.loads(one.arguments)) for one in house.audit() if one.command == "renew-due"]
        return [(one.person, one.service, said.get("ending")) for one, said in told if "ending" in said]

    try:
        # The component goes by the machine's own clock.
        house.clock.now = datetime.now(ZONE) - timedelta(days=380)
        wish = {"name": "web", "names": ["www.rssulsel.example"], "purpose": "web"}
        runner.call(ADMIN, "certificates", "issue", json.dumps(wish).encode())
        assert work("machine", "commit", confirm_within=0)["ending"] == "confirmed"
        house.clock.forward(days=380)
        assert work("certificates", "renew-due", commit=False)["names"] == ["web"]
        served = tmp_path / "current/certificates.web/certificate.pem"
        before = served.read_bytes()
        monkeypatch.setattr(house.store, "writing", away)
        done = work("certificates", "renew-due", commit=True)
        assert (done["committed"], done["remark"]) == (True, "")
        assert served.read_bytes() != before
        assert lines() == []
        monkeypatch.setattr(house.store, "writing", writing)
        wait_for(lambda: bool(lines()))
        wait_for(lambda: not read_journal(tmp_path / "journal.json").owed)
        assert lines() == [("admin", "certificates", "confirmed")]
    finally:
        house.parts.ports.close()
        house.store.close()
