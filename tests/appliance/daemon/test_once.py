"""The same request twice: with an Idempotency-Key it is done once."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.appliance.daemon.house import Client, House

DEPOSIT = "/commands/ledger/deposit"


@pytest.fixture(autouse=True)
def account(house: House, client: Client) -> None:
    client.post("/commands/ledger/accounts.add", {"code": "A1", "title": "Kas"}, house.header("maya"))


def balance(house: House, client: Client) -> int:
    return int(
        client.post("/commands/ledger/accounts.get", {"code": "A1"}, house.header("ani")).json()["row"]["balance"]
    )


def test_a_repeat_gets_the_first_answer(house: House, client: Client) -> None:
    headers = {**house.header("ani"), "Idempotency-Key": str(uuid4())}
    first = client.post(DEPOSIT, {"account": "A1", "amount": 7}, headers)
    client.post(DEPOSIT, {"account": "A1", "amount": 1}, house.header("ani"))
    lines = len(house.audit())
    again = client.post(DEPOSIT, {"account": "A1", "amount": 7}, headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert balance(house, client) == 8
    assert len(house.audit()) == lines + 1, "a repeat is no change; the one line is the login of the look above"


def test_repeats_at_one_moment(house: House, client: Client) -> None:
    headers = {**house.header("ani"), "Idempotency-Key": str(uuid4())}
    answers = client.at_once(*[(DEPOSIT, {"account": "A1", "amount": 7}, headers)] * 20)
    assert {answer.text for answer in answers} == {'{"balance":7}'}
    assert balance(house, client) == 7


def test_a_key_is_of_one_request_and_one_person(house: House, client: Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    ani = {**house.header("ani"), **key}
    client.post(DEPOSIT, {"account": "A1", "amount": 7}, ani)
    other = client.post(DEPOSIT, {"account": "A1", "amount": 8}, ani)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key-reused")
    assert client.post(DEPOSIT, {"account": "A1", "amount": 7}, {**house.header("admin"), **key}).json() == {
        "balance": 14
    }


def test_a_refused_request_may_be_tried_again(house: House, client: Client) -> None:
    headers = {**house.header("ani"), "Idempotency-Key": str(uuid4())}
    assert client.post(DEPOSIT, {"account": "B1", "amount": 7}, headers).status_code == 404
    client.post("/commands/ledger/accounts.add", {"code": "B1", "title": "Bank"}, house.header("maya"))
    assert client.post(DEPOSIT, {"account": "B1", "amount": 7}, headers).json() == {"balance": 7}


def test_it_is_forgotten_after_a_day(house: House, client: Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    client.post(DEPOSIT, {"account": "A1", "amount": 7}, {**house.header("ani"), **key})
    house.clock.forward(hours=25)
    client.post(DEPOSIT, {"account": "A1", "amount": 7}, {**house.header("ani"), "Idempotency-Key": str(uuid4())})
    assert client.post(DEPOSIT, {"account": "A1", "amount": 7}, {**house.header("ani"), **key}).json() == {
        "balance": 21
    }


def test_a_one_time_password_is_told_once(house: House, client: Client) -> None:
    headers = {**house.header("admin"), "Idempotency-Key": str(uuid4())}
    first = client.post("/commands/system/people.add", {"name": "budi", "full_name": "Budi"}, headers).json()
    again = client.post("/commands/system/people.add", {"name": "budi", "full_name": "Budi"}, headers).json()
    assert len(first["password"]) == 19
    assert again == {**first, "password": "•••"}


def test_work_with_a_key_begins_once(house: House, client: Client) -> None:
    headers = {**house.header("maya"), "Idempotency-Key": str(uuid4())}
    begun = {client.post("/commands/ledger/count-up", {"steps": 1}, headers).json()["work"] for _ in range(3)}
    assert len(begun) == 1
