"""The commands and the screens, by keys, over a machine that answers as the operations do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.exporting import PickScreen
from appliance.console.keys import all_keys
from appliance.console.told_screen import LogScreen, ToldScreen
from appliance.console.widgets.dialogs import AskScreen, ConfirmScreen
from appliance.contract.programs import State, Status
from appliance.contract.refusals import NotAllowed, Refused, RuleBroken
from appliance.services.certificates import service as certificates
from appliance.services.dns import service as dns
from appliance.services.machine import service as machine
from appliance.services.mail import service as mail
from appliance.services.mail.subjects import subject_hash
from appliance.services.mail.tracing_linking import traces_of
from appliance.services.mail.tracing_operation import _told
from appliance.services.system import service as system
from appliance.supervisor.errors import SupervisionFailed
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until
from tests.appliance.daemon.house import House
from tests.appliance.services.mail.operations.test_tracing import MESSAGES, events_of

# One set of daemons, and the tests follow each other on it.

SERVICES = (system, machine, certificates, dns, mail)
WIDE = (130, 40)
STAMP = "20261123T054004Z"
ROW = {"id": "3447E258248", "queue": "deferred", "arrived": 1_795_412_844, "size": 434, "sender": "siti@rssulsel.com",
       "recipients": ["x@stuck.example"], "more": 2, "reason": "connect [/x]: \x1b[31mrefused"}  # fmt: skip


class Machine:
    """Answers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.fails: dict[str, str] = {}
        self.bare = False
        """Nothing was committed yet."""

    def status(self) -> tuple[Status, ...]:
        if self.bare:
            return ()
        return (Status(program="mail.postfix", state=State.READY, process=7, since=1_795_000_000.0),
                Status(program="mail.clamd", state=State.FAILED, restarts=5, said="out of memory [/]"),
                Status(program="dns.nsd", state=State.READY))  # fmt: skip

    def perform(self, operation: str, arguments: dict[str, str], given: str = "") -> str:
        name = operation.removeprefix("mail.")
        self.asked.append((name, dict(arguments), json.loads(given) if given else None))
        if name in self.fails:
            raise SupervisionFailed(operation, "it ended with 1", self.fails[name])
        return json.dumps(self._answer(name, json.loads(given) if given else None))

    def _answer(self, name: str, given: Any) -> Any:
        page = {"rows": [ROW, {**ROW, "id": "4447E258248"}], "matching": 2, "queues": {"deferred": 2}, "bytes": 868,
                "oldest": 1_795_412_844, "unread": 0}  # fmt: skip
        answers: dict[str, Any] = {
            "queue-list": page,
            "queue-view": {"headers": [["From", "a [/x]"]], "parts": [{"depth": 0, "type": "text/plain", "octets": 5}],
                           "more_parts": 0},
            "queue-content": {"text": "Subject: secret\n\nthe diagnosis \x1b[31m"},
            "trace": {"matching": 6, "lines": 100, "cut": False,
                      "traces": [_told(one) for one in traces_of(events_of("".join(MESSAGES)))]},
            "mailboxes": ["budi", "siti"],
            "snapshots": [{"stamp": STAMP, "mailbox": "siti", "messages": 8, "octets": 900, "folders": 3,
                           "fault": False}],
            "snapshot": {"messages": 4, "octets": 400, "missing": []},
            "snapshot-verify": {"INBOX": 5, "Ward/Réa": 3},
            "restore-place": {"INBOX": 5},
            "restore-folder": {"INBOX": 5},
            "snapshots-prune": [STAMP],
            "export": {"path": "/var/lib/x/exports/a.tar", "octets": 10},
            "health": {"room": 1 << 33, "size": 1 << 34, "files_left": 9, "queue": page, "logs": 5,
                       "signatures": {"said": "ClamAV 1.0.7", "days": 9}},
            "log": ["a line [/x]"],
            "probe": {"virus": {"fine": True, "said": "554 no"}, "round": {"fine": False, "said": "late"}},
            "rotate-logs": {"rotated": ["postfix"], "removed": 2},
        }  # fmt: skip
        if name in {"queue-hold", "queue-release", "queue-requeue", "queue-delete"}:
            return {"asked": len(given), "done": len(given)}
        return answers.get(name)

    def last(self, name: str) -> tuple[dict[str, str], Any]:
        return next((arguments, given) for one, arguments, given in reversed(self.asked) if one == name)


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """``siti`` is the postmaster, ``ani`` is nobody."""
    folder: Path = tmp_path_factory.mktemp("operating")
    made = House(folder, services=SERVICES)
    made.add("siti", "mail.postmaster")
    with made.live(folder) as socket:
        driven = Driven(made, socket, SERVICES)
        driven.call("settings.change", {"version": 0, "row": {"address": "192.168.10.2"}}, service="mail")
        yield driven


@pytest.fixture
def standing(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine of this test."""
    made = Machine()
    monkeypatch.setattr(type(driven.house.parts.appliance), "machine", made)
    return made


def audit(driven: Driven, command: str) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from appliance.store.audit import AUDIT

    with driven.house.parts.store.reading() as connection:
        rows = connection.execute(select(AUDIT)).mappings().all()
    return [dict(row) for row in rows if command in str(dict(row))]


def call(driven: Driven, command: str, arguments: Any = None) -> Any:
    """A command to its end."""
    answer = driven.call(command, arguments or {}, service="mail")
    if isinstance(answer, dict) and set(answer) == {"work"}:
        raise AssertionError("a work is waited for")
    return answer


def test_a_queue_that_cannot_be_read_is_not_called_empty(driven: Driven, standing: Machine, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "queue")
        await until(lambda: "mail does not run yet: it comes with the next commit" in shown(app))
        assert "everything was delivered" not in shown(app)
        off = {one.identity for one in all_keys(app.screen) if not one.enabled}
        on_one = {"mail.hold", "mail.release", "mail.requeue", "mail.delete", "mail.deliver", "mail.read"}
        assert on_one <= off
        assert "mail.flush" not in off
        standing.bare = False
        standing.fails["queue-list"] = "postqueue: warning\nmail system is down"
        pane.look()
        await until(lambda: "not done: mail system is down" in shown(app))
        standing.fails.clear()
        pane.look()
        await until(lambda: len(pane.rows) == 2 and pane.row is not None)
        assert not on_one & {one.identity for one in all_keys(app.screen) if not one.enabled}

    standing.bare = True
    standing.fails["queue-list"] = "postqueue ended with 69"
    driven.drive(tmp_path, "siti", play, WIDE)


def test_messages_of_the_queue_are_deleted_after_a_question(driven: Driven, standing: Machine, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "queue")
        await until(lambda: pane.grid.count == 2 and app.focused is pane.grid.body)
        await until(lambda: "2 deferred" in shown(app))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ToldScreen) and "text/plain" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("delete")
        await until(lambda: isinstance(app.screen, PickScreen))
        await pilot.press("down", "enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: standing.last("queue-delete")[1] == ["3447E258248", "4447E258248"])
        await until(lambda: app.screen is pane.screen)
        await pilot.press("m")
        await until(lambda: isinstance(app.screen, AskScreen))
        await typed(pilot, "the sender asked for it")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, LogScreen) and "the diagnosis" in shown(app))

    driven.drive(tmp_path, "siti", play, WIDE)
    (line,) = audit(driven, "queued.read")
    assert "the sender asked for it" in str(line)
    assert standing.last("queue-content")[0]["reason"] == "siti: the sender asked for it"
    assert audit(driven, "queue.delete")


def test_a_message_is_followed(driven: Driven, standing: Machine, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "trace")
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, RecordDialog) and app.focused is not None)
        await pilot.press("tab")
        await until(lambda: isinstance(app.focused, Input))
        assert "Ctrl+S Ask" in shown(app)
        await typed(pilot, "siti")
        await pilot.press("ctrl+s")
        await until(lambda: app.screen is pane.screen and pane.found)
        await until(lambda: "rssulsel.com" in shown(app))
        place = next(place for place, one in enumerate(pane.found) if one.message_id == "<list@rssulsel.com>")
        await pilot.press("home", *["down"] * place, "enter")
        await until(lambda: isinstance(app.screen, ToldScreen) and "deleted by budi" in shown(app))
        assert "it lies in Wards" in shown(app)
        assert "nurses@rssulsel.com" in shown(app)

    driven.drive(tmp_path, "siti", play, WIDE)
    assert audit(driven, "'trace'")


def test_a_mailbox_is_restored(driven: Driven, standing: Machine, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "snapshots")
        await until(lambda: pane.grid.count == 1 and app.focused is pane.grid.body)
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, ToldScreen) and "Ward/Réa" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("t")
        await until(lambda: isinstance(app.screen, PickScreen))
        await pilot.press("down", "enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen) and "REPLACED" in shown(app))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, ToldScreen) and "-before" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("p")
        await until(lambda: isinstance(app.screen, AskScreen))
        await pilot.press(*["backspace"] * 2, *"two", "enter")
        await until(lambda: "“two” is no number" in shown(app))

    driven.drive(tmp_path, "siti", play, WIDE)
    arguments, _given = standing.last("restore-place")
    assert (arguments["stamp"], arguments["mailbox"]) == (STAMP, "siti")
    assert arguments["before"].endswith("Z-before")
    assert audit(driven, "snapshots.restore")


def test_health_says_what_needs_somebody(driven: Driven, standing: Machine, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "health")
        await until(lambda: pane.grid.count == 2 and "9 days old" in shown(app))
        assert "8 of 16 GiB" in shown(app)
        assert "out of memory" in shown(app)
        await pilot.press("o")
        await until(lambda: isinstance(app.screen, LogScreen) and "a line" in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is pane.screen)
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, ToldScreen) and "test virus was refused" in shown(app))
        assert "has not arrived: late" in shown(app)

    driven.drive(tmp_path, "siti", play, WIDE)


def test_what_a_tool_said_is_the_refusal(driven: Driven, standing: Machine) -> None:
    standing.fails["queue-view"] = "warning: x\nthere is no message 3447E258248 in the queue"
    with pytest.raises(Refused, match="there is no message"):
        call(driven, "queued", {"id": "3447E258248"})


def test_only_the_postmaster_does_any_of_it(driven: Driven, standing: Machine) -> None:
    from appliance.contract.people import Person

    nobody = Person("ani", frozenset({"mail.nobody"}))
    for command in ("queue", "trace", "snapshots", "health", "log", "probe", "queue.delete", "snapshots.restore"):
        with pytest.raises(NotAllowed):
            driven.house.parts.runner.call(nobody, "mail", command, b"{}")
    assert standing.asked == []


def test_a_search_for_nothing_is_refused(driven: Driven, standing: Machine) -> None:
    from appliance.services.mail.tracing_model import TraceAsked, TraceBy

    with pytest.raises(RuleBroken):
        TraceAsked(text="")
    assert TraceAsked(by=TraceBy.EVERYTHING).text == ""


def test_a_subject_leaves_the_daemon_as_its_hash(driven: Driven, standing: Machine, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "mail", "trace")
        begun = await pane.door.call("mail", "trace", {"by": "subject", "text": "Bed 7"})
        await until(lambda: any(one == "trace" for one, _arguments, _given in standing.asked))
        assert begun["work"]

    driven.drive(tmp_path, "siti", play, WIDE)
    arguments, given = standing.last("trace")
    assert arguments["by"] == "subject"
    with driven.house.parts.store.reading() as connection:
        from appliance.services.mail.described import describe

        described = describe(connection)
    assert described is not None
    assert given == subject_hash(described.subject_key, "bed  7")
