"""Logging in and out: tokens, their ends, lockout, passwords, and what the audit log says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from appliance.contract.people import ADMINISTRATOR
from appliance.contract.refusals import RuleBroken
from appliance.daemon.errors import TooMany
from appliance.daemon.first_start import FIRST_PASSWORD, first_administrator
from appliance.daemon.sessions import digest_of
from appliance.daemon.throttle import Throttle
from appliance.services.system import service as system
from appliance.services.system.passwords import one_time, refuse_weak
from appliance.services.system.tables import PASSWORDS, SESSIONS
from appliance.store.authoring import assert_migrations_match
from appliance.store.failures import StoreAway
from tests.appliance.daemon.house import PASSWORD, Client, House


def login(client: Client, name: str, password: str = PASSWORD) -> tuple[int, dict[str, object]]:
    answer = client.post("/login", {"name": name, "password": password})
    return answer.status_code, answer.json()


def test_a_login_gives_a_token_that_is_kept_as_its_hash(house: House, client: Client) -> None:
    status, said = login(client, "ani")
    assert status == 200
    token = str(said["token"])
    assert len(token) == 43
    assert said["person"] == {"name": "ani", "full_name": "Ani", "language": "en", "roles": ["ledger.clerk"]}
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/me", headers).json() == {**said["person"], "must_change_password": False}  # type: ignore[dict-item]
    with house.store.reading() as connection:
        kept = connection.execute(select(SESSIONS.c.token)).scalars().all()
    assert token not in kept
    assert client.post("/logout", headers=headers).status_code == 204
    assert client.get("/me", headers).status_code == 401


@pytest.mark.parametrize("name", ["ani", "nobody", "ANI", "", "ani "])
def test_a_wrong_password_says_neither_name_nor_password(house: House, client: Client, name: str) -> None:
    status, said = login(client, name, "wrong")
    assert status == 401
    assert said["error"]["code"] == "login-refused"  # type: ignore[index]
    line = next(line for line in house.audit() if line.outcome == "refused")
    # What is no name may be a password in the wrong field.
    assert line.person == ("ani" if name.strip() == "ani" else "?")
    assert "wrong" not in line.arguments


@pytest.mark.parametrize("token", ["", "x", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer " + "a" * 5000])
def test_other_tokens_open_nothing(client: Client, token: str) -> None:
    for path in ("/me", "/services", "/events", "/openapi.json"):
        assert client.get(path, {"Authorization": token}).status_code == 401, path
    assert client.post("/commands/ledger/greet", headers={"Authorization": token}).status_code == 401


def test_a_session_ends_when_it_idles_and_at_the_latest(house: House, client: Client) -> None:
    headers = house.header("ani")
    for _ in range(23):
        house.clock.forward(minutes=29)
        assert client.get("/me", headers).status_code == 200
    house.clock.forward(minutes=31)
    assert client.get("/me", headers).status_code == 401
    headers = house.header("ani")
    for _ in range(24):
        house.clock.forward(minutes=29)
        assert client.get("/me", headers).status_code == 200
    house.clock.forward(minutes=29)  # twelve hours and five minutes
    assert client.get("/me", headers).status_code == 401


def test_listening_to_events_is_no_use(house: House, client: Client) -> None:
    token = house.token("ani")
    digest = digest_of(token)
    for _ in range(3):
        house.clock.forward(minutes=9)
        assert house.parts.sessions.current(digest) is not None
    house.parts.sessions.flush()
    house.clock.forward(minutes=9)
    assert house.parts.sessions.current(digest) is None
    assert client.get("/me", {"Authorization": f"Bearer {token}"}).status_code == 401


def test_use_is_kept_over_a_restart(house: House, client: Client) -> None:
    headers = house.header("ani")
    house.clock.forward(minutes=20)
    assert client.get("/me", headers).status_code == 200
    house.parts.sessions.flush()
    house.clock.forward(minutes=20)
    assert client.get("/me", headers).status_code == 200
    house.clock.forward(hours=1)
    house.parts.sessions.flush()
    with house.store.reading() as connection:
        assert connection.execute(select(SESSIONS)).first() is None


def test_a_change_of_the_person_acts_on_the_next_request(house: House, client: Client) -> None:
    ani, admin = house.header("ani"), house.header("admin")
    row = {"name": "ani", "full_name": "Ani", "language": "id", "roles": ["ledger.manager"]}
    assert client.post("/commands/ledger/echo", headers=ani).status_code == 422
    change = "/commands/system/people.change"
    assert client.post(change, {"name": "ani", "version": 1, "row": row}, admin).status_code == 200
    assert client.get("/me", ani).json()["roles"] == ["ledger.manager"]
    assert client.post("/commands/ledger/deposit", headers=ani).status_code == 403
    disabled = {**row, "active": False}
    assert client.post(change, {"name": "ani", "version": 2, "row": disabled}, admin).status_code == 200
    assert client.get("/me", ani).status_code == 401
    assert login(client, "ani")[0] == 401
    assert client.post(change, {"name": "ani", "version": 3, "row": row}, admin).status_code == 200
    assert client.get("/me", ani).status_code == 401, "the session ended, and stays ended"
    ani = house.header("ani")
    assert client.post("/commands/system/people.remove", {"name": "ani", "version": 4}, admin).status_code == 200
    assert client.get("/me", ani).status_code == 401


def test_the_last_administrator_stays(house: House, client: Client) -> None:
    admin = house.header("admin")
    row = {"name": "admin", "full_name": "Admin", "roles": [ADMINISTRATOR]}
    change, remove = "/commands/system/people.change", "/commands/system/people.remove"
    for other in ({**row, "active": False}, {**row, "roles": []}):
        refused = client.post(change, {"name": "admin", "version": 1, "row": other}, admin)
        assert refused.json()["error"]["template"] == "the last administrator stays"
    assert client.post(remove, {"name": "admin", "version": 1}, admin).status_code == 422
    assert client.get("/me", admin).status_code == 200
    house.add("second", ADMINISTRATOR)
    assert client.post(remove, {"name": "admin", "version": 1}, admin).status_code == 200


def test_people_are_added_with_known_roles_and_a_password_for_one_login(house: House, client: Client) -> None:
    admin = house.header("admin")
    wrong = client.post("/commands/system/people.add", {"name": "budi", "full_name": "B", "roles": ["ledger.x"]}, admin)
    assert wrong.json()["error"]["field"] == "roles"
    new = {"name": "budi", "full_name": "Budi", "roles": ["ledger.clerk"]}
    password = client.post("/commands/system/people.add", new, admin).json()["password"]
    status, said = login(client, "budi", password)
    assert (status, said["must_change_password"]) == (200, True)
    budi = {"Authorization": f"Bearer {said['token']}"}
    assert client.get("/me", budi).status_code == 200
    for path in ("/services", "/events"):
        assert client.get(path, budi).json()["error"]["code"] == "must-change-password"
    assert client.post("/commands/ledger/greet", headers=budi).status_code == 403
    other = house.header("budi")
    assert client.post("/password", {"old": "wrong", "new": PASSWORD}, budi).status_code == 403
    assert client.post("/password", {"old": password, "new": password}, budi).status_code == 422
    assert client.post("/password", {"old": password, "new": PASSWORD}, budi).status_code == 204
    assert client.post("/commands/ledger/greet", headers=budi).json() == "hello budi"
    assert client.get("/me", other).status_code == 401, "the other sessions end"
    assert login(client, "budi", password)[0] == 401
    reset = client.post("/commands/system/people.reset-password", {"name": "budi"}, admin).json()
    assert client.get("/me", budi).status_code == 401
    assert login(client, "budi", reset["password"])[1]["must_change_password"]
    told = "".join(str(line) for line in house.audit())
    assert password not in told
    assert reset["password"] not in told
    assert PASSWORD not in told


def test_sessions_are_listed_and_ended(house: House, client: Client) -> None:
    ani, admin = house.header("ani"), house.header("admin")
    rows = client.post("/listings/system/sessions", {}, admin).json()["rows"]
    theirs = {row["values"][0]: row["id"] for row in rows}
    end = "/commands/system/sessions.end"
    assert client.post(end, {"session": theirs["admin"]}, ani).status_code == 403
    assert client.post(end, {"session": 999}, admin).status_code == 404
    assert client.post(end, {"session": theirs["ani"]}, admin).status_code == 200
    assert client.get("/me", ani).status_code == 401


def test_one_person_has_twenty_sessions_at_most(house: House, client: Client) -> None:
    first = house.header("ani")
    house.clock.forward(minutes=1)
    later = [house.header("ani") for _ in range(20)]
    assert client.get("/me", first).status_code == 401
    assert all(client.get("/me", one).status_code == 200 for one in later)


def test_guessing_is_slowed_and_told(house: House, client: Client) -> None:
    answers = [login(client, "ani", f"wrong{place}")[0] for place in range(6)]
    assert answers == [401] * 5 + [429]
    assert login(client, "ani")[0] == 429, "the right one waits too"
    assert [line.command for line in house.audit() if line.outcome == "begun"] == ["lockout"]
    assert login(client, "maya")[0] == 200, "others are not concerned"


def test_many_guesses_at_once_are_not_one(client: Client) -> None:
    tries = [("/login", {"name": "ani", "password": f"wrong{place}"}, {}) for place in range(12)]
    assert sorted(answer.status_code for answer in client.at_once(*tries)) == [401] * 5 + [429] * 7


class Time:
    """Seconds that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def guess(throttle: Throttle, name: str, peer: str) -> bool:
    try:
        throttle.begin(name, peer, 5, 900)
    except TooMany:
        return False
    return True


def test_delays_grow_to_the_longest_and_are_forgotten() -> None:
    clock = Time()
    throttle = Throttle(clock)
    done = 0
    for _ in range(3600):
        done += guess(throttle, "ani", "192.0.2.1")
        clock.now += 1
    assert 12 <= done <= 20
    clock.now += 4 * 900
    assert guess(throttle, "ani", "192.0.2.1")


def test_a_stranger_does_not_lock_out_the_administrator() -> None:
    clock = Time()
    throttle = Throttle(clock)
    throttle.begin("admin", "198.51.100.7", 5, 900)
    throttle.succeeded("admin", "198.51.100.7")
    for attacker in range(500):
        guess(throttle, "admin", f"203.0.113.{attacker % 250}")
    assert not guess(throttle, "admin", "192.0.2.200"), "a stranger waits"
    assert guess(throttle, "admin", "198.51.100.7"), "who was here before does not"
    assert guess(throttle, "admin", "uid:0"), "nor who sits at the machine"
    clock.now += 31
    assert guess(throttle, "admin", "192.0.2.201"), "and nobody waits longer than half a minute for others' guesses"


def test_others_behind_the_same_address_do_not_lock_out_who_is_at_home_there() -> None:
    clock = Time()
    throttle = Throttle(clock)
    throttle.begin("admin", "198.51.100.7", 5, 900)
    throttle.succeeded("admin", "198.51.100.7")
    guessed = sum(guess(throttle, f"name{place}", "198.51.100.7") for place in range(500))
    assert guessed == 20
    assert not guess(throttle, "ani", "198.51.100.7"), "who was never here waits with the place"
    assert guess(throttle, "admin", "198.51.100.7")
    throttle.succeeded("admin", "198.51.100.7")
    assert not guess(throttle, "ani", "198.51.100.7"), "one right password makes no room for others' guesses"
    tries = sum(guess(throttle, "admin", "198.51.100.7") for _ in range(50))
    assert tries == 5, "his own name is guessed no faster than before"


def test_strangers_who_guess_from_many_places_leave_a_way_in(house: House, client: Client) -> None:
    """Hashes are made two at a time, and only so many wait for it: who was here before has a lane of his own."""
    assert login(client, "ani")[0] == 200
    house.parts.threads.passwords.longest = 0  # as full as it can be
    assert login(client, "maya")[0] == 429
    assert login(client, "ani")[0] == 200
    ani = house.header("ani")
    assert client.post("/password", {"old": PASSWORD, "new": "gunung tinggi hijau"}, ani).status_code == 204


def test_the_addresses_of_one_ipv6_network_are_one_peer() -> None:
    throttle = Throttle(Time())
    assert sum(guess(throttle, f"name{place}", f"2001:db8::{place:x}") for place in range(1, 100)) < 30


def test_ipv4_peers_of_a_socket_of_both_families_are_not_one() -> None:
    throttle = Throttle(Time())
    for place in range(200):
        guess(throttle, f"name{place}", "::ffff:203.0.113.9")
    assert not guess(throttle, "ani", "::ffff:203.0.113.9")
    assert not guess(throttle, "ani", "203.0.113.9"), "the same peer by the other family"
    assert guess(throttle, "ani", "::ffff:192.0.2.1"), "who has not guessed does not wait for who has"


@pytest.mark.parametrize(
    "password",
    ["short", "aaaaaaaaaaaa", "password123", "1234567890", "Rahasia1234", "annabella", "annabella123", "Qwertyuiop"],
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        refuse_weak(password, "annabella")
    assert refused.value.field == "new"


def test_good_passwords_are_taken() -> None:
    for password in (PASSWORD, one_time(), "Ḱata śandi 7", "x9-Lm2.kP0"):
        refuse_weak(password, "annabella")


def test_the_first_administrator_has_a_password_in_a_file_until_it_was_used(house: House, tmp_path: Path) -> None:
    assert first_administrator(house.parts.runner, tmp_path) == "", "there are people"
    with house.store.writing() as connection:
        for table in (SESSIONS, PASSWORDS):
            connection.execute(table.delete())
        connection.exec_driver_sql("DELETE FROM system_people")
    password = first_administrator(house.parts.runner, tmp_path)
    file = tmp_path / FIRST_PASSWORD
    assert file.read_text() == f"{password}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    with house.client() as client:
        assert login(client, "admin", "wrong")[0] == 401
        assert file.exists()
        assert login(client, "admin", password)[1]["must_change_password"]
    assert not file.exists()


def test_a_password_that_changes_during_the_login_does_not_open(house: House, client: Client) -> None:
    kept = house.parts.logins._kept("ani")
    with house.store.writing() as connection:
        connection.execute(update(PASSWORDS).values(hash="$argon2id$other"))
    with pytest.raises(Exception, match="wrong"):
        house.parts.logins._open("ani", kept.hash, "test")


def test_the_migrations_give_the_tables() -> None:
    assert_migrations_match(system)


def test_when_sessions_were_used_survives_a_store_that_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a session that is in use would end as idle, once the store is back."""
    digest = digest_of(house.token("ani"))

    def away() -> None:
        raise StoreAway("the server does not answer")

    house.clock.forward(minutes=1)
    assert house.parts.sessions.find(digest) is not None
    used = house.clock.now
    with monkeypatch.context() as patched:
        patched.setattr(house.store, "writing", away)
        with pytest.raises(StoreAway):
            house.parts.sessions.flush()
    assert house.parts.sessions._seen == {digest: used}
    house.parts.sessions.flush()
    with house.store.reading() as connection:
        kept = connection.execute(select(SESSIONS.c.last_seen).where(SESSIONS.c.token == digest)).scalar_one()
    assert kept == used


def test_the_last_flush_that_fails_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise StoreAway("the server does not answer")

    with house.client():
        monkeypatch.setattr(house.parts.sessions, "flush", away)
    assert "sessions were last used could not be kept" in caplog.text
