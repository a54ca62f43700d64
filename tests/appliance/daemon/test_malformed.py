"""What no client should send: refused by name, never an error of the daemon, and it goes on answering."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.appliance.daemon.house import Client, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all: nothing here changes anything."""
    made = House(tmp_path_factory.mktemp("house"))
    made.add("maya", "ledger.manager")
    made.add("ani", "ledger.clerk")
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    with house.client() as made:
        yield made


GOOD = {"day": "2026-01-02", "moment": "2026-01-02T03:04:05+07:00", "decimals": 1.5, "note": "a\nb"}
ECHO = "/commands/ledger/echo"


def with_(**other: object) -> bytes:
    return json.dumps({**GOOD, **other}).encode()


def test_the_good_one_is_taken(house: House, client: Client) -> None:
    answer = client.post(ECHO, GOOD, house.header("ani"))
    assert answer.status_code == 200
    assert answer.json()["note"] == "a\nb"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "day"),
        (b"null", ""),
        (b"[]", ""),
        (b'"x"', ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"[" * 100_000, ""),
        (b'{"within":' * 50_000, ""),
        (with_(note="x" * 5000), "note"),
        (with_(note="a\x00b"), "note"),
        (b'{"note":"\\ud800"}', ""),
        (with_(note="\u202e"), "note"),
        (with_(unknown=1), "unknown"),
        (with_(decimals="1.5"), "decimals"),
        (with_(decimals=True), "decimals"),
        (with_(decimals=float("nan")), "decimals"),
        (with_(decimals=float("inf")), "decimals"),
        (with_(decimals=10**400), "decimals"),
        (with_(day="2026-02-30"), "day"),
        (with_(day=20260102), "day"),
        (with_(day="0001-01-01"), "day"),
        (with_(moment="2026-01-02T03:04:05"), "moment"),
        (with_(moment="9999-12-31T23:59:59-12:00"), "moment"),
        (with_(moment="0001-01-01T00:00:00+14:00"), "moment"),
        (with_(within={"balance": 10**400}), "within.balance"),
        (with_(within={"balance": 1.0}), "within.balance"),
        (with_(within={"balance": "1"}), "within.balance"),
        (with_(within={"balance": 10**16}), "within.balance"),
        (with_(names=["a", ""]), "names.1"),
        (with_(names="ab"), "names"),
        (with_(secret="x" * 257), "secret"),
    ],
)
def test_ill_typed_arguments_are_refused_by_name(house: House, client: Client, body: bytes, field: str) -> None:
    answer = client.post(ECHO, headers=house.header("ani"), content=body)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "invalid-arguments"
    if field:
        assert field in [one["field"] for one in error["problems"]]
    assert len(answer.content) < 2000, "what was sent is not said back"


def test_five_megabytes_are_refused(house: House, client: Client) -> None:
    headers = house.header("ani")
    answer = client.post(ECHO, headers=headers, content=with_(note="x" * 5_000_000))
    assert answer.status_code == 413
    assert client.post("/login", headers={}, content=b'{"name":"' + b"x" * 5_000_000).status_code == 413

    async def parts():  # type: ignore[no-untyped-def]  # an async generator: without a length in the head
        for _ in range(500):
            yield b"x" * 10_000

    assert client.post(ECHO, headers=headers, content=parts()).status_code == 413
    assert client.post(ECHO, headers={**headers, "Content-Length": "9" * 30}, content=b"{}").status_code == 413


def test_what_is_wrong_in_very_many_places_is_said_in_short(house: House, client: Client) -> None:
    """Each place that is wrong costs more to say than to send."""
    ani = house.header("ani")
    unknown = b"{%s}" % b",".join(b'"k%d":1' % place for place in range(5000))
    listed = with_(names=["\t"] * 5000)
    long = b'{"%s":1}' % (b"k" * 50_000)
    tries = [(ECHO, unknown), (ECHO, listed), (ECHO, long), ("/login", unknown), ("/login", long)]
    tries += [("/listings/ledger/accounts", unknown), ("/listings/ledger/accounts", long)]
    for path, body in tries:
        answer = client.post(path, headers=ani, content=body)
        assert answer.status_code == 422, path
        assert len(answer.content) < 2000, path
        assert answer.json()["error"]["problems"]
    (said,) = client.post(ECHO, headers=ani, content=unknown).json()["error"]["problems"]
    assert said["kind"] == "too_many_problems"
    assert said["bounds"]["values"]["count"] >= 5000


@pytest.mark.parametrize("path", ["/login", "/password", "/language", "/listings/ledger/accounts"])
def test_what_anybody_may_send_is_small(house: House, client: Client, path: str) -> None:
    """It is read in the thread that serves everybody."""
    answer = client.post(path, headers=house.header("ani"), content=b" " * 100_000 + b"{}")
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("name", "value"), [("order", {"column": "code"}), ("conditions", {"column": "code", "operator": "filled"})]
)
def test_a_question_of_very_many_terms(house: House, client: Client, name: str, value: object) -> None:
    """More than a database takes: SQLite 2,000 columns and expressions 1,000 deep."""
    ani = house.header("ani")
    for times, status in ((20, 200), (1500, 422)):
        answer = client.post("/listings/ledger/accounts", {name: [value] * times}, ani)
        assert answer.status_code == status, answer.text[:500]
    assert [one["field"] for one in answer.json()["error"]["problems"]] == [name]


@pytest.mark.parametrize(
    "path",
    [
        "/commands/ledger/none",
        "/commands/none/none",
        "/commands/ledger/%00",
        "/commands/ledger/%ff%fe",
        "/commands/ledger/accounts.add%2f..",
        "/commands/__class__/__init__",
        "/listings/ledger/none",
        "/listings/%F0%9F%92%A9/x",
        "/nothing",
        "/commands/ledger",
    ],
)
def test_what_is_not_there(house: House, client: Client, path: str) -> None:
    answer = client.post(path, {}, house.header("admin"))
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not-found"


@pytest.mark.parametrize("method", ["/commands/ledger/greet", "/login", "/listings/ledger/accounts"])
def test_wrong_methods(client: Client, method: str) -> None:
    assert client.get(method).json()["error"]["code"] == "wrong-method"


@pytest.mark.parametrize(
    "path",
    ["?offset=-1", "?offset=x", "?limit=0", "?limit=1001", "?offset=" + "9" * 40, "/position", "/position?row=1e3"],
)
def test_numbers_of_the_query_string(house: House, client: Client, path: str) -> None:
    headers = house.header("ani")
    query = client.post("/listings/ledger/accounts", {}, headers).json()["query"]
    assert client.get(f"/queries/{query}{path}", headers).json()["error"]["code"] == "invalid-arguments"


@pytest.mark.parametrize(
    "question",
    [
        {"order": [{"column": "nothing"}]},
        {"conditions": [{"column": "balance", "operator": "=", "value": "x"}]},
        {"conditions": [{"column": "balance", "operator": "like", "value": "1"}]},
        {"search": "\x00"},
        {"search": 5},
        {"order": "balance"},
    ],
)
def test_questions_that_make_no_sense(house: House, client: Client, question: object) -> None:
    assert client.post("/listings/ledger/accounts", question, house.header("ani")).status_code == 422


def test_an_error_of_a_command_says_nothing_of_itself(house: House, client: Client) -> None:
    answer = client.post("/commands/ledger/fail", headers=house.header("maya"))
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["error"]["code"] == "failed"
    assert client.get("/health").json()["status"] == "ok"


def test_a_key_that_is_no_uuid(house: House, client: Client) -> None:
    headers = {**house.header("ani"), "Idempotency-Key": "once"}
    answer = client.post("/commands/ledger/deposit", {"account": "A1", "amount": 1}, headers)
    assert answer.json()["error"]["problems"][0]["field"] == "Idempotency-Key"


def test_secrets_do_not_reach_the_audit_log_nor_names_with_surrogates(house: House, client: Client) -> None:
    assert client.post("/login", headers={}, content=b'{"name":"a","password":"\\ud800"}').status_code in {401, 422}
    sent = client.post("/files", headers={**house.header("ani"), "X-Name": "a\x7fb"}, content=b"x")
    assert sent.status_code == 422
