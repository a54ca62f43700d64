"""Who sends his body late is asked for his rights again: they may be gone since his head was read."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from appliance.client.addresses import Address
from appliance.client.blocking import Client
from appliance.daemon import peers
from appliance.services.system.tables import FILES
from tests.appliance.daemon.house import House

STEPS = json.dumps({"steps": 1}).encode()
BALANCE = {"day": "2026-01-01", "moment": "2026-01-01T00:00:00Z", "decimals": 1.5, "note": ""}
LATE = {
    "a query": ("/v1/commands/ledger/echo", json.dumps(BALANCE).encode()),
    "a change": ("/v1/commands/ledger/accounts.add", b'{"code": "A9", "title": "Kas"}'),
    "work": ("/v1/commands/ledger/count-up", STEPS),
    "a listing": ("/v1/listings/ledger/accounts", b"{}      "),
    "a file": ("/v1/files", b"some bytes"),
}


def ends_the_session(path: Path, token: str, _admin: str) -> None:
    with Client(Address(path), token) as client:
        client.logout()


def is_removed(path: Path, _token: str, admin: str) -> None:
    with Client(Address(path), admin) as client:
        client.call("system", "people.remove", {"name": "maya", "version": 1})


def loses_the_role(path: Path, _token: str, admin: str) -> None:
    with Client(Address(path), admin) as client:
        row = {"name": "maya", "full_name": "Maya", "roles": []}
        client.call("system", "people.change", {"name": "maya", "version": 1, "row": row})


def answered(one: socket.socket) -> int:
    said = b""
    while b"\r\n" not in said:
        said += one.recv(4096)
    return int(said.split()[1])


@pytest.mark.parametrize("what", LATE)
@pytest.mark.parametrize(("meanwhile", "status"), [(ends_the_session, 401), (is_removed, 401), (loses_the_role, 403)])
def test_rights_that_went_while_the_body_came(
    house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    meanwhile: Callable[[Path, str, str], None],
    status: int,
) -> None:
    monkeypatch.setattr(peers, "BODY_SECONDS", 600)  # who is too late is another test's
    target, body = LATE[what]
    token, admin = house.token("maya"), house.token("admin")
    with house.live(tmp_path) as path, socket.socket(socket.AF_UNIX) as late:
        late.settimeout(60)
        late.connect(str(path))
        head = (
            f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        late.sendall(head.encode() + body[:1])
        with Client(Address(path), token) as client:  # behind the head in the loop
            client.me()
        meanwhile(path, token, admin)
        lines = len(house.audit())
        late.sendall(body[1:])
        # Anybody who is logged in may send a file.
        assert answered(late) == (201 if (what, status) == ("a file", 403) else status)
    if status == 401:
        assert len(house.audit()) == lines
        with house.store.reading() as connection:
            assert connection.execute(select(func.count()).select_from(FILES)).scalar_one() == 0
