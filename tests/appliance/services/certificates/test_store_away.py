"""The store goes away while renewed certificates are committed: the audit log has its line when it is there again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.people import ADMINISTRATOR, Person
from appliance.services.certificates import service as certificates
from appliance.services.machine import service as machine
from appliance.services.system import service as system
from tests.appliance.daemon.away import store_away, wait_until_told
from tests.appliance.daemon.house import ZONE, House

ADMIN = Person("admin", frozenset({ADMINISTRATOR}))


def test_a_renewal_that_is_committed_has_its_line_though_the_store_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.commit.telling.AGAIN", 0.05)
    house = House(tmp_path, f"sqlite:///{tmp_path / 'house.sqlite'}", services=(system, machine, certificates))
    runner = house.parts.runner

    def work(service: str, command: str, **arguments: Any) -> Any:
        body = json.dumps(arguments).encode()
        return json.loads(runner.work(ADMIN, service, command, body, lambda progress: None).json())

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
        with store_away(house):
            done = work("certificates", "renew-due", commit=True)
            assert (done["committed"], done["remark"]) == (True, "")
            assert served.read_bytes() != before
            assert lines() == []
        wait_until_told(tmp_path, lines)
        assert lines() == [("admin", "certificates", "confirmed")]
    finally:
        house.parts.ports.close()
        house.store.close()
