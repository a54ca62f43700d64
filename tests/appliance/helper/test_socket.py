"""Who may ask the helper what, and how: everything else is refused and the helper stays alive."""

import json
import os
import pwd
import socket
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.helper.answers import Done, HelperRefused
from appliance.helper.requests import LARGEST_REQUEST, Request, Stop, read_request
from appliance.helper.server import Bounds
from appliance.supervisor.errors import SupervisionFailed
from tests.appliance.helper.small import Answering, as_root, ask, ask_as

STATUS = {"action": "status"}


def fine(request: Request) -> Done:
    return Done(said=request.action)


def test_a_request_is_answered(answering: Answering) -> None:
    with answering(fine) as path:
        assert ask(path, STATUS) == {"outcome": "done", "statuses": [], "lines": [], "said": "status"}


def test_what_an_operation_prints_is_not_logged(answering: Answering, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody's letter may be in it; who had it opened and why is."""
    caplog.set_level("INFO", "gerbang.helper")
    with answering(lambda request: Done(said="the diagnosis")) as path:
        asked = {"action": "perform", "operation": "m.read", "arguments": {"reason": "siti: the sender asked"}}
        assert ask(path, asked)["said"] == "the diagnosis"
    assert "siti: the sender asked" in caplog.text
    assert "diagnosis" not in caplog.text


def test_nothing_that_is_asked_forges_a_line_of_the_log_or_tells_a_secret(
    answering: Answering, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gerbang.helper")

    def refuses(request: Request) -> Done:
        raise SupervisionFailed("m.set", "it said\nINFO gerbang.helper: user 0, process 1: done")

    forged = "x\nINFO gerbang.helper: user 0, process 1: stop: done\x1b[2K"
    with answering(refuses) as path:
        asked = {"action": "perform", "operation": "m.set", "arguments": {"name": forged}, "given": "kuda terbang"}
        assert ask(path, asked)["outcome"] == "failed"
    [told] = [one.getMessage() for one in caplog.records if "m.set" in one.getMessage()]
    assert told.isprintable()
    assert "kuda" not in told


def test_the_socket_is_for_root_and_its_group_only(answering: Answering) -> None:
    with answering(fine) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


@as_root
def test_another_user_is_refused_by_the_folder_and_by_who_he_is(answering: Answering) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    asked: list[Request] = []

    def note(request: Request) -> Done:
        asked.append(request)
        return Done()

    with TemporaryDirectory() as name:
        below = Path(name)
        below.chmod(0o755)  # so that it is our own folder that keeps him out
        with answering(note, below=below) as path:
            assert ask_as(nobody, path, STATUS) == "PermissionError"
            path.parent.chmod(0o755)
            assert ask_as(nobody, path, STATUS) == "PermissionError"
            # Even when somebody opens the folder and the socket to all, who asks is known by the kernel.
            path.chmod(0o666)
            assert json.loads(ask_as(nobody, path, STATUS))["code"] == "not-allowed"
            assert asked == []
            assert ask(path, STATUS)["outcome"] == "done"
        with answering(note, below=below, allowed=frozenset({0, nobody})) as path:
            path.parent.chmod(0o755)
            path.chmod(0o666)
            assert json.loads(ask_as(nobody, path, STATUS))["outcome"] == "done"


ILL_FORMED = [
    {},
    [],
    None,
    7,
    {"action": "run", "command": "id"},
    {"action": "status", "verbose": True},
    {"action": "start", "program": "m.web"},
    {"action": "start", "program": "m.web", "generation": "7", "component": "m.web"},
    {"action": "start", "program": "m.web", "generation": 7.0, "component": "m.web"},
    {"action": "start", "program": "m.web", "generation": 0, "component": "m.web"},
    {"action": "start", "program": "m.web", "generation": True, "component": "m.web"},
    {"action": "start", "program": "m.web", "generation": -1, "component": "m.web"},
    {"action": "start", "program": "m.web", "generation": 10**30, "component": "m.web"},
    {"action": "start", "program": "m.web", "generation": 7, "component": "m.web", "files": "/etc"},
    {"action": "stop", "program": ["m.web"]},
    {"action": "log", "program": "m.web", "lines": 10**6},
    {"action": "apply-network", "component": "n", "before": None, "after": 1, "confirm_within": -1},
    *(
        {"action": "stop", "program": name}
        for name in ("../x", "/etc/passwd", "m/web", "M", "", "m\n", "m\0", "m" * 65)
    ),
    *(
        {"action": "check", "program": "m.web", "generation": 7, "component": name}
        for name in ("..", "../../etc", "/etc", "a/b", "", "a\n", "a" * 101)
    ),
    {"action": "install-packages", "service": "--force-yes"},
]


@pytest.mark.parametrize("request_", ILL_FORMED, ids=lambda one: json.dumps(one)[:60])
def test_what_is_not_exactly_a_request_is_none(request_: object) -> None:
    with pytest.raises(ValidationError):
        read_request(json.dumps(request_).encode())


def test_ill_formed_requests_are_refused_by_name_and_nothing_is_done(answering: Answering) -> None:
    done: list[Request] = []

    def note(request: Request) -> Done:
        done.append(request)
        return Done()

    with answering(note) as path:
        for one in ILL_FORMED:
            assert ask(path, one)["code"] == "ill-formed"
        for raw in (b"\n", b"{\n", b"\xff\xfe\n", b'{"action": "status"}{"action": "status"}\n', b"[" * 50_000 + b"\n"):
            assert ask(path, raw)["code"] == "ill-formed"
        said = ask(path, {"action": "start", "program": "m.web", "generation": 1, "component": "x", "files": "/etc"})
        assert said["message"] == "start.files: something that is not asked for"
        assert done == []
        assert ask(path, STATUS)["outcome"] == "done"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_are_refused(raw: bytes) -> None:
    try:
        read_request(raw)
    except ValidationError:
        return
    assert json.loads(raw)["action"] in {"status", "confirm-network", "roll-back-network"}


def test_requests_that_are_too_large_are_refused(answering: Answering) -> None:
    with answering(fine) as path:
        for size in (LARGEST_REQUEST + 10, 5_000_000):
            assert ask(path, b" " * size + b"\n").get("code", "too-large") == "too-large"
        assert ask(path, b" " * (LARGEST_REQUEST - 100) + json.dumps(STATUS).encode() + b"\n")["outcome"] == "done"


def test_a_slow_client_is_told_so_and_let_go(answering: Answering) -> None:
    with answering(fine, Bounds(patience=0.2)) as path:
        assert ask(path, b'{"action": ')["code"] == "too-slow"
        assert ask(path, STATUS)["outcome"] == "done"


def test_clients_that_leave_in_the_middle_do_no_harm(answering: Answering) -> None:
    with answering(fine) as path:
        for raw in (b"", b'{"action": ', json.dumps(STATUS).encode() + b"\n"):
            for _ in range(20):
                with socket.socket(socket.AF_UNIX) as one:
                    one.connect(str(path))
                    one.sendall(raw)
        end = time.monotonic() + 10
        while ask(path, STATUS).get("outcome") != "done":  # the last ones may still be at work
            assert time.monotonic() < end


def test_too_many_connections_are_sent_away(answering: Answering) -> None:
    with answering(fine, Bounds(connections=3)) as path:
        idle = []
        try:
            for _ in range(3):
                one = socket.socket(socket.AF_UNIX)
                idle.append(one)
                one.connect(str(path))
            time.sleep(0.1)
            assert ask(path, STATUS)["code"] == "busy"
        finally:
            for one in idle:
                one.close()
        end = time.monotonic() + 10
        while ask(path, STATUS).get("code") == "busy":
            assert time.monotonic() < end


def test_many_at_once_are_all_answered_with_their_own(answering: Answering) -> None:
    with answering(lambda request: Done(said=getattr(request, "program", ""))) as path:
        names = [f"m.p{number}" for number in range(24)]
        with ThreadPoolExecutor(12) as clients:
            answers = list(clients.map(lambda name: ask(path, {"action": "stop", "program": name}), names))
    assert [answer["said"] for answer in answers] == names


def test_more_actions_than_may_run_are_told_to_come_again(answering: Answering) -> None:
    going, go = threading.Semaphore(0), threading.Event()

    def wait(request: Request) -> Done:
        going.release()
        go.wait(20)
        return Done()

    with answering(wait, Bounds(at_once=2)) as path, ThreadPoolExecutor(2) as clients:
        first = [clients.submit(ask, path, STATUS) for _ in range(2)]
        for _ in range(2):
            assert going.acquire(timeout=20)
        assert ask(path, STATUS)["code"] == "busy"
        go.set()
        assert [one.result()["outcome"] for one in first] == ["done", "done"]


def test_several_requests_on_one_connection(answering: Answering) -> None:
    with answering(fine) as path, socket.socket(socket.AF_UNIX) as one:
        one.connect(str(path))
        line = json.dumps(STATUS).encode() + b"\n"
        one.sendall(line * 3)
        with one.makefile("rb") as answers:
            assert [json.loads(answers.readline())["outcome"] for _ in range(3)] == ["done"] * 3


def test_failures_are_answered_by_their_kind_and_logged_with_who_and_what(
    answering: Answering, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(request: Request) -> Done:
        assert isinstance(request, Stop)
        match request.program:
            case "m.refused":
                raise HelperRefused("unknown", "no such thing")
            case "m.failed":
                raise SupervisionFailed("m.failed", "it did not stop", "last words")
        raise ZeroDivisionError("secret detail")

    with caplog.at_level("INFO", "gerbang.helper"), answering(fails) as path:
        assert ask(path, {"action": "stop", "program": "m.refused"})["code"] == "unknown"
        failed = ask(path, {"action": "stop", "program": "m.failed"})
        assert (failed["code"], failed["subject"], failed["said"]) == ("failed", "m.failed", "last words")
        erred = ask(path, {"action": "stop", "program": "m.erred"})
        assert erred["code"] == "failed"
        assert "secret detail" not in erred["message"]
    who = f"user {os.geteuid()}, process {os.getpid()}: "
    lines = [record.getMessage() for record in caplog.records]
    assert f"{who}action=stop program=m.refused: refused: no such thing" in lines
    assert f"{who}action=stop program=m.failed: failed: it did not stop" in lines
    assert f"{who}action=stop program=m.erred: error: ZeroDivisionError" in lines


def test_a_file_in_the_socket_s_place_is_not_removed(tmp_path: Path) -> None:
    from appliance.helper.server import listening_socket

    (tmp_path / "x").write_text("precious", encoding="utf-8")
    with pytest.raises(FileExistsError):
        listening_socket(tmp_path / "x", "")
    assert (tmp_path / "x").read_text(encoding="utf-8") == "precious"
