"""Documents, work and questions."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Button, ProgressBar, Static

from appliance.console.widgets.dialogs import AskScreen, ConfirmScreen
from appliance.console.widgets.document import DocumentLines, DocumentView
from appliance.console.widgets.work import Work, duration
from appliance.contract.context import Progress
from tests.appliance.console.widgets.rooms import SIZES, Stage, play

TEXT = "\n".join(f"line {number} [/x] \x1b[2J {'Lotus' if number % 1000 == 999 else ''}" for number in range(10_000))


@pytest.mark.parametrize("size", SIZES)
def test_search_goes_around(size: tuple[int, int]) -> None:
    async def act(app: Stage, pilot: Pilot[None], view: DocumentView) -> None:
        lines = view.query_one(DocumentLines)
        lines.focus()
        await pilot.press("slash", *"lotus", "enter")
        assert lines.here == 999
        assert "10 matches" in str(view.query_one(".document--status", Static).content)
        assert "Lotus" in "".join(part.text for y in range(lines.size.height) for part in lines.render_line(y))
        await pilot.press("N")
        assert lines.here == 9999
        await pilot.press("n", "n", "y", "p")
        assert lines.here == 1999
        assert all("\x1b" not in part.text for y in range(lines.size.height) for part in lines.render_line(y))
        await pilot.press("escape")
        assert not lines.found

    app = play(lambda: DocumentView("Bill [/x]", TEXT, on_print=lambda: None), act, size)
    assert app.copied == [TEXT]


def test_saved_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tuple[str, str]] = []
    printed: list[int] = []

    def deliver(self: App[Any], file: Any, *, save_filename: str) -> None:
        saved.append((save_filename, file.read()))

    monkeypatch.setattr(App, "deliver_text", deliver)

    async def act(app: Stage, pilot: Pilot[None], view: DocumentView) -> None:
        view.query_one(DocumentLines).focus()
        await pilot.press("w", "p")

    play(lambda: DocumentView("../Bill P1 [/x]", "a\ud800b", on_print=lambda: printed.append(1)), act)
    assert saved == [("Bill-P1-x.txt", "a?b")]
    assert printed == [1]


def test_work_says_how_far_it_is_and_ends_once() -> None:
    seconds = [100.0]

    async def act(app: Stage, pilot: Pilot[None], work: Work) -> None:
        seconds[0] = 110.0
        work.advance(Progress(done=25, total=100, doing="writing [/x]"))
        assert "0:10 · about 0:30 left · writing [/x]" in str(work.query_one(".work--said", Static).content)
        await pilot.click(Button)
        await pilot.press("x")
        assert work.state == "cancelling"
        work.cancelled()
        work.fail("too late")
        assert work.state == "cancelled"
        seconds[0] = 500.0
        assert work.elapsed == 10

    app = play(lambda: Work("Backup", clock=lambda: seconds[0]), act, listen=("on_work_cancel_asked",))
    assert len(app.said) == 1


def test_work_of_unknown_length() -> None:
    async def act(app: Stage, pilot: Pilot[None], work: Work) -> None:
        work.advance(Progress(done=5, total=0))
        assert work.remaining is None
        work.finish("12 files")
        assert work.has_class("-done")
        assert "12 files" in str(work.query_one(".work--said", Static).content)

    play(lambda: Work("Backup"), act)


def test_news_that_come_while_somebody_leaves_end_nothing() -> None:
    """The lines go one after the other, and the daemon's answer may come between: the console stood with an error."""

    async def act(app: Stage, pilot: Pilot[None], work: Work) -> None:
        for gone in (".work--said", ProgressBar, ".work--title"):
            await work.query(gone).remove()
            work.advance(Progress(done=1, total=2))
        work.finish()
        assert work.state == "done"

    play(lambda: Work("Backup"), act)


def test_duration() -> None:
    assert [duration(one) for one in (7.9, 750, 3723)] == ["0:07", "12:30", "1:02:03"]


def test_questions_answer_by_their_keys() -> None:
    answers: list[bool | str | None] = []

    async def act(app: Stage, pilot: Pilot[None], widget: Static) -> None:
        for key in ("y", "n", "escape", "enter"):
            app.push_screen(ConfirmScreen("Remove [/x]?", yes="[b]", danger=True), answers.append)
            await pilot.pause(0.05)
            await pilot.press(key)
        for keys in ((*"abc", "enter"), ("escape",)):
            app.push_screen(AskScreen("Name [/x]?"), answers.append)
            await pilot.pause(0.05)
            await pilot.press(*keys)
        await pilot.pause(0.05)

    play(lambda: Static(""), act)
    assert answers == [True, False, False, False, "abc", None]
