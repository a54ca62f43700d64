"""Sessions word by word: tags, listen, cancel, quit, broken pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from labs.virtual_routeros.device import Description, Device
from labs.virtual_routeros.faults import Cut, Moment
from labs.virtual_routeros.sentences import encode_sentence
from labs.virtual_routeros.server import Server
from tests.labs.virtual_routeros.wire import connected, served


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as one:
        yield one


def test_tags_are_echoed_on_every_sentence(server: Server) -> None:
    with connected(server) as wire:
        answer = wire.ask("/interface/print", "=.proplist=name", "?name=ether2", ".tag=a b")
        assert answer == [["!re", "=name=ether2", ".tag=a b"], ["!done", ".tag=a b"]]
        answer = wire.ask("/nothing/here", ".tag=7")
        assert answer == [
            ["!trap", "=category=0", "=message=no such command or directory (nothing)", ".tag=7"],
            ["!trap", "=message=no such command prefix", ".tag=7"],
            ["!done", ".tag=7"],
        ]


def test_empty_answers(server: Server) -> None:
    with connected(server) as wire:
        assert wire.ask("/ip/address/print", ".tag=1") == [["!empty", ".tag=1"], ["!done", ".tag=1"]]
        assert wire.ask("/system/script/add", "=name=x") == [["!done", "=ret=*1"]]
    with served("7.17") as older, connected(older) as wire:
        assert wire.ask("/ip/address/print") == [["!done"]]


def test_nothing_is_done_before_login(server: Server) -> None:
    with connected(server, login=False) as wire:
        assert wire.ask("/system/script/add", "=name=x") == [["!fatal", "not logged in"]]
        assert wire.hear() == []
    assert server.device.call(("system", "script"), "print").rows == ()


def test_a_wrong_password_may_be_followed_by_the_right_one(server: Server) -> None:
    with connected(server, login=False) as wire:
        answer = wire.ask("/login", "=name=admin", "=password=Secret")
        assert answer == [["!trap", "=message=invalid user name or password (6)"], ["!done"]]
        wire.login()
        assert wire.ask("/quit") == [["!fatal", "session terminated on request"]]
        assert wire.hear() == []


def test_a_challenge_is_good_for_one_answer() -> None:
    with served("6.42.9") as server, connected(server, login=False) as wire:
        (done,) = wire.ask("/login")
        token = bytes.fromhex(done[1].removeprefix("=ret="))
        assert len(token) == 16
        response = "00" + hashlib.md5(b"\x00secret" + token).hexdigest()
        assert wire.ask("/login", "=name=admin", "=response=00" + "0" * 32)[0] == ["!trap", "=message=cannot log in"]
        assert wire.ask("/login", "=name=admin", f"=response={response}")[0] == ["!trap", "=message=cannot log in"]
        (done,) = wire.ask("/login", "=name=admin", "=password=secret")
        assert done[1].startswith("=ret="), "before 6.43 a password is not looked at"


def test_listening_hears_other_sessions(server: Server) -> None:
    with connected(server) as listener, connected(server) as other:
        listener.send("/ip/address/listen", ".tag=l")
        assert listener.ask("/system/identity/print")[-1] == ["!done"]
        other.ask("/ip/address/add", "=address=10.0.0.1/24", "=interface=ether1")
        heard = listener.hear()
        assert heard[0] == "!re"
        assert {"=.id=*1", "=address=10.0.0.1/24", ".tag=l"} <= set(heard)
        other.ask("/ip/address/disable", "=.id=*1")
        assert "=disabled=true" in listener.hear()
        other.ask("/ip/address/remove", "=.id=*1")
        assert listener.hear() == ["!re", "=.id=*1", "=.dead=true", ".tag=l"]
        server.device.call(("ip", "address"), "add", {"address": "10.0.0.2/24", "interface": "ether1"})
        assert "=address=10.0.0.2/24" in listener.hear(), "a change from elsewhere is heard too"
        listener.send("/cancel", "=tag=l", ".tag=c")
        assert [listener.hear() for _ in range(3)] == [
            ["!trap", "=category=2", "=message=interrupted", ".tag=l"],
            ["!done", ".tag=l"],
            ["!done", ".tag=c"],
        ]
        other.ask("/ip/address/remove", "=.id=*2")
        assert listener.ask("/system/identity/print") == [["!re", "=name=MikroTik"], ["!done"]]
    assert listener.socket.fileno() == -1


def test_listening_by_query() -> None:
    with served("6.49") as server, connected(server) as wire:
        wire.send("/system/script/listen", "?name=b", "=.proplist=name", ".tag=1")
        for name in "ab":
            wire.ask("/system/script/add", f"=name={name}") if name == "a" else wire.send(
                "/system/script/add", "=name=b"
            )
        assert wire.hear() == ["!re", "=.id=*2", "=name=b", ".tag=1"]
        assert wire.hear() == ["!done", "=ret=*2"]
        wire.send("/system/script/remove", "=.id=*2")
        assert wire.hear() == ["!re", "=.id=*2", "=.dead=yes", ".tag=1"]


def test_sentences_in_single_octets_and_several_in_one_piece(server: Server) -> None:
    with connected(server) as wire:
        sentence = encode_sentence([b"/system/identity/set", b"=name=" + b"n" * 200])
        for octet in sentence:
            wire.socket.sendall(bytes([octet]))
        assert wire.hear() == ["!done"]
        wire.socket.sendall(sentence * 3)
        assert [wire.hear() for _ in range(3)] == [["!done"]] * 3
        assert wire.ask("/system/identity/print")[0] == ["!re", "=name=" + "n" * 200]


def test_octets_that_are_no_text_come_back_as_they_are(server: Server) -> None:
    with connected(server) as wire:
        wire.socket.sendall(encode_sentence([b"/system/identity/set", b"=name=\xff\xfe caf\xe9"]))
        assert wire.hear() == ["!done"]
    assert server.device.call(("system", "identity"), "print").rows[0]["name"].encode("utf-8", "surrogateescape") == (
        b"\xff\xfe caf\xe9"
    )


@pytest.mark.parametrize("octets", [b"\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\xf0\xff\xff\xff\xff"])
def test_who_speaks_otherwise_is_not_served(server: Server, octets: bytes) -> None:
    with connected(server, login=False) as wire:
        wire.socket.sendall(octets)
        wire.socket.shutdown(1)
        assert wire.hear() == []
    with connected(server) as wire:
        assert wire.ask("/system/identity/print")[-1] == ["!done"]


def test_words_that_are_none_are_refused(server: Server) -> None:
    with connected(server) as wire:
        assert wire.ask("/interface/print", "ether1")[0] == ["!trap", "=message=unknown parameter ether1"]
        assert wire.ask("interface/print")[0] == ["!trap", "=category=0", "=message=no such command"]
        assert "invalid query word" in wire.ask("/interface/print", "?#&")[0][2]


def test_half_an_answer(server: Server) -> None:
    with connected(server) as wire:
        whole = b"".join(
            encode_sentence([word.encode() for word in sentence]) for sentence in wire.ask("/interface/print")
        )
        server.faults.cut(Cut(1, Moment.MIDWAY))
        wire.send("/interface/print")
        found = b""
        while octets := wire.socket.recv(4096):
            found += octets
        assert found == whole[: len(whole) // 2]


def test_closed_doors_and_delays(server: Server) -> None:
    server.faults.is_deaf = True
    with connected(server, login=False) as wire:
        assert wire.hear() == []
    server.faults.is_deaf = False
    server.faults.delay = 0.01
    with connected(server) as wire:
        assert wire.ask("/system/identity/print")[-1] == ["!done"]


def test_closing_ends_all_sessions() -> None:
    with served() as server, connected(server) as first, connected(server) as second:
        assert server.sessions == 2
        server.close()
        assert first.hear() == []
        assert second.hear() == []


def test_several_clients_at_once(server: Server) -> None:
    def work(number: int) -> list[str]:
        with connected(server) as wire:
            answers = [wire.ask("/system/script/add", f"=name={number}-{turn}")[0][1] for turn in range(20)]
            assert len(wire.ask("/system/script/print", "=.proplist=name")) > 20
            return answers

    with ThreadPoolExecutor(4) as pool:
        ids = [id for several in pool.map(work, range(4)) for id in several]
    assert len(set(ids)) == 80
    assert len(server.device.call(("system", "script"), "print").rows) == 80


def test_in_real_time_scripts_go_on_by_themselves() -> None:
    with Server(Device(Description(users={"admin": "secret"}))) as server, connected(server) as wire:
        wire.ask("/system/script/add", "=name=later", "=source=:delay 20ms; /system identity set name=changed")
        wire.send("/system/identity/listen", ".tag=l")
        assert wire.ask("/system/script/run", "=.id=later", ".tag=r") == [["!done", ".tag=r"]]
        assert wire.hear() == ["!re", "=name=changed", ".tag=l"]
