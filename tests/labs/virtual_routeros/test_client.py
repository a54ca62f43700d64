"""The library ``routeros-api`` at work, with all that is odd about it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import routeros_api
from routeros_api import exceptions, query

from labs.virtual_routeros.certificate import self_signed
from labs.virtual_routeros.faults import Cut, Moment
from labs.virtual_routeros.server import Server
from tests.labs.virtual_routeros.wire import served

Api = routeros_api.api.RouterOsApi


@contextmanager
def _pool(server: Server, **options: object) -> Iterator[routeros_api.RouterOsApiPool]:
    host, port = server.address
    settings: dict[str, object] = {"username": "admin", "password": "secret", "plaintext_login": True, **options}
    pool = routeros_api.RouterOsApiPool(host, port=port, **settings)
    pool.socket_timeout = 5.0
    try:
        yield pool
    finally:
        pool.disconnect()


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as one:
        yield one


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with _pool(server) as pool:
        yield pool.get_api()


def test_add_get_set_remove(api: Api) -> None:
    rules = api.get_resource("/ip/firewall/mangle")
    added = rules.add(chain="prerouting", action="mark-connection", new_connection_mark="isp1", passthrough="yes")
    id = added.done_message["ret"]
    (rule,) = rules.get()
    assert (rule["id"], rule["new-connection-mark"], rule["passthrough"]) == (id, "isp1", "true")
    rules.set(id=id, comment="gerbang: isp1")
    assert rules.get(comment="gerbang: isp1")[0]["id"] == id
    rules.remove(id=id)
    assert rules.get() == []


def test_an_empty_value_comes_without_its_second_equals_sign(server: Server, api: Api) -> None:
    addresses = api.get_resource("/ip/address")
    id = addresses.add(address="10.0.0.1/24", interface="ether1", comment="x").done_message["ret"]
    addresses.set(id=id, comment="")
    assert b"=comment" in server.received[-1]
    assert "comment" not in addresses.get()[0]


def test_values_must_be_texts(api: Api) -> None:
    with pytest.raises(AttributeError):
        api.get_resource("/ip/route").add(gateway="10.0.0.1", distance=2)


def test_a_trap_leaves_the_session_in_step(api: Api) -> None:
    addresses = api.get_resource("/ip/address")
    for _ in range(3):
        with pytest.raises(exceptions.RouterOsApiCommunicationError) as caught:
            addresses.add(address="10.0.0.1/24", interface="ether77")
        assert caught.value.original_message == b"input does not match any value of interface"
        assert addresses.get() == []


def test_a_wrong_path_is_two_traps_for_one_answer(api: Api) -> None:
    with pytest.raises(exceptions.RouterOsApiCommunicationError) as caught:
        api.get_resource("/ip/nothing").get()
    assert caught.value.original_message == b"no such command prefix"
    assert api.get_resource("/system/identity").get() == [{"name": "MikroTik"}]


def test_stacked_queries(api: Api) -> None:
    lists = api.get_resource("/interface/list")
    for name in ("LAN", "WAN", "GUEST"):
        lists.add(name=name)
    either = query.OrQuery(query.IsEqualQuery("name", "LAN"), query.IsEqualQuery("name", "WAN"))
    assert [row["name"] for row in lists.call("print", additional_queries=(either,))] == ["LAN", "WAN"]
    neither = query.NandQuery(query.IsEqualQuery("name", "LAN"), query.HasValueQuery("builtin"))
    assert "LAN" in [row["name"] for row in lists.call("print", additional_queries=(neither,))]
    rows = lists.call("print", {"proplist": "name"}, {"name": "WAN"})
    assert list(rows) == [{"name": "WAN"}]


def test_asynchronous_answers_are_told_apart_by_tags(api: Api) -> None:
    first = api.get_resource("/interface").get_async()
    second = api.get_resource("/system/identity").get_async()
    assert second.get()[0]["name"] == "MikroTik"
    assert len(first.get()) == 5


def test_place_before_and_move(api: Api) -> None:
    rules = api.get_resource("/ip/firewall/filter")
    last = rules.add(chain="forward", action="drop", comment="c").done_message["ret"]
    rules.add(chain="forward", comment="a", place_before=last)
    middle = rules.add(chain="forward", comment="b", **{"place-before": last}).done_message["ret"]
    assert [row["comment"] for row in rules.get()] == ["a", "b", "c"]
    rules.call("move", {"numbers": last, "destination": middle})
    assert [row["comment"] for row in rules.get()] == ["a", "c", "b"]


@pytest.mark.parametrize("version", ["6.42.9", "6.44", "6.49.17", "7.18.2"])
def test_both_ways_of_logging_in(version: str) -> None:
    with served(version) as server:
        for plain in (True, False):
            with _pool(server, plaintext_login=plain) as pool:
                if not plain and version not in ("6.42.9", "6.44"):
                    with pytest.raises(exceptions.RouterOsApiCommunicationError, match="invalid user name"):
                        pool.get_api()
                else:
                    assert pool.get_api().get_resource("/system/identity").get()


@pytest.mark.parametrize("version", ["6.42.9", "7.18.2"])
@pytest.mark.parametrize("wrong", [{"password": "x"}, {"username": "root"}, {"password": ""}])
def test_a_wrong_password_is_a_trap(version: str, wrong: dict[str, str]) -> None:
    said = "cannot log in" if version == "6.42.9" else r"invalid user name or password \(6\)"
    with (
        served(version) as server,
        _pool(server, **wrong) as pool,
        pytest.raises(exceptions.RouterOsApiCommunicationError, match=said),
    ):
        pool.get_api()


def test_a_bare_fatal_confuses_the_library(server: Server) -> None:
    with _pool(server) as pool:
        api = pool.get_api()
        with pytest.raises(exceptions.RouterOsApiParsingError):
            api.get_binary_resource("/").call("quit")
        assert pool.connected


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("resets", [False, True])
def test_a_lost_connection_is_an_error_of_the_library(server: Server, moment: Moment, resets: bool) -> None:
    with _pool(server) as pool:
        scripts = pool.get_api().get_resource("/system/script")
        server.faults.cut(Cut(2, moment, resets))
        scripts.add(name="first")
        with pytest.raises(exceptions.RouterOsApiConnectionError):
            scripts.add(name="second")
    names = [row["name"] for row in server.device.call(("system", "script"), "print").rows]
    assert names == (["first"] if moment is Moment.BEFORE else ["first", "second"])
    with _pool(server) as pool:
        assert len(pool.get_api().get_resource("/system/script").get()) == len(names)


def test_planned_traps(server: Server, api: Api) -> None:
    scripts = api.get_resource("/system/script")
    server.faults.trap("failure: no space left", lambda words: words[0].endswith(b"/add"), times=2)
    for _ in range(2):
        with pytest.raises(exceptions.RouterOsApiCommunicationError, match="no space left"):
            scripts.add(name="a")
    scripts.add(name="a")
    assert len(scripts.get()) == 1


@pytest.mark.parametrize("has_empty", [True, False])
def test_empty_is_understood(has_empty: bool) -> None:
    with served(has_empty=has_empty) as server, _pool(server) as pool:
        assert pool.get_api().get_resource("/ip/address").get() == []


def test_tls(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with served(tls=context) as server:
        with _pool(server, ssl_context=trusting) as pool:
            assert pool.get_api().get_resource("/system/identity").get() == [{"name": "MikroTik"}]
        with _pool(server, use_ssl=True, ssl_verify=False, ssl_verify_hostname=False) as pool:
            assert len(pool.get_api().get_resource("/interface").get()) == 5
        with _pool(server, use_ssl=True) as pool, pytest.raises(ssl.SSLCertVerificationError):
            pool.get_api()
        server.faults.cut(Cut(3, Moment.MIDWAY))
        with _pool(server, ssl_context=trusting) as pool:
            api = pool.get_api()
            api.get_resource("/interface").get()
            with pytest.raises((exceptions.RouterOsApiConnectionError, ssl.SSLError)):
                api.get_resource("/interface").get()
