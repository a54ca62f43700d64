"""Long work: how far it is, how long it takes, and a way to end it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Button, ProgressBar, Static

from appliance.console.plain import plain
from appliance.console.widgets.reading import reader_of
from appliance.contract.context import Progress
from appliance.language import _

__all__ = ["Work", "duration"]


class Work(Vertical):
    """One piece of work. ``state`` ends as done, failed or cancelled and stays so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "cancel", _("Cancel"), id="work.cancel", tooltip=_("End the work")),
    ]
    DEFAULT_CSS = """
    Work {
        height: auto; padding: 0 1; background: $surface; color: $foreground;
        & .work--title { text-style: bold; height: auto; }
        & .work--said { height: auto; color: $text-muted; }
        & Horizontal { height: 1; }
        & ProgressBar { width: 1fr; } & ProgressBar Bar { width: 1fr; }
        & Button { margin-left: 2; }
        &.-done .work--title { color: $text-success; }
        &.-failed .work--title, &.-failed .work--said { color: $text-error; }
        &.-cancelled .work--title { color: $text-warning; }
    }
    """

    class CancelAsked(Message):
        """Somebody wants the work to end; it goes on until it says so itself."""

        def __init__(self, work: Work) -> None:
            super().__init__()
            self.work = work

        @property
        def control(self) -> Work:
            """The sender."""
            return self.work

    def __init__(self, title: str, *, clock: Callable[[], float] = monotonic, id: str | None = None) -> None:
        """``title`` is of the reader already; ``clock`` counts seconds."""
        super().__init__(id=id)
        self.title = title
        self.state: Literal["running", "cancelling", "done", "failed", "cancelled"] = "running"
        self.progress = Progress(done=0, total=0)
        self._clock = clock
        self._began = clock()
        self._ended: float | None = None
        self._said = ""

    def compose(self) -> ComposeResult:
        """Title, bar with the button, words."""
        yield Static(plain(self.title), classes="work--title")
        with Horizontal():
            yield ProgressBar(show_eta=False)
            yield Button(plain(reader_of(self).say(_("Cancel"))), compact=True)
        yield Static(classes="work--said")

    def on_mount(self) -> None:
        """The seconds go on without news."""
        self.set_interval(1.0, self._show)
        self._show()

    def advance(self, progress: Progress) -> None:
        """News."""
        if self._ended is None:
            self.progress = progress
            self._show()

    def finish(self, said: str = "") -> None:
        """It is done. ``said`` is of the reader already."""
        if self.progress.total:
            self.progress = Progress(done=self.progress.total, total=self.progress.total)
        self._end("done", said)

    def fail(self, said: str) -> None:
        """It failed."""
        self._end("failed", said)

    def cancelled(self, said: str = "") -> None:
        """It ended because somebody wished it."""
        self._end("cancelled", said)

    def _end(self, state: Literal["done", "failed", "cancelled"], said: str) -> None:
        if self._ended is None:
            self.state, self._said, self._ended = state, said, self._clock()
            self._show()

    @property
    def elapsed(self) -> float:
        """Seconds since it began, until it ended."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def remaining(self) -> float | None:
        """Seconds, if it goes on as until now; None while nobody can know."""
        done, total = self.progress.done, self.progress.total
        if self._ended is not None or done <= 0 or total <= 0 or self.elapsed < 1:
            return None
        return max(self.elapsed * (total - done) / done, 0.0)

    def _show(self) -> None:
        # Who leaves it running takes its lines away, one after the other, while its news still come.
        with suppress(NoMatches):
            self._draw()

    def _draw(self) -> None:
        reader = reader_of(self)
        words = {"cancelling": _("is being cancelled"), "done": _("done"), "failed": _("failed"),
                 "cancelled": _("cancelled")}  # fmt: skip
        state = f" · {reader.say(words[self.state])}" if self.state in words else ""
        self.query_one(".work--title", Static).update(plain(self.title + state))
        for name in ("done", "failed", "cancelled"):
            self.set_class(self.state == name, f"-{name}")
        total = self.progress.total or (1 if self.state == "done" else None)
        done = self.progress.done if self.progress.total else 1 if self.state == "done" else 0
        self.query_one(ProgressBar).update(total=total, progress=done)
        self.query_one(Button).disabled = self.state != "running"
        parts = [duration(self.elapsed)]
        if self.remaining is not None:
            parts.append(reader.say(_("about {time} left"), {"time": duration(self.remaining)}))
        parts.append(self._said or reader.say(self.progress.doing))
        self.query_one(".work--said", Static).update(plain(" · ".join(part for part in parts if part)))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_cancel()

    def action_cancel(self) -> None:
        """Ask that it ends, once."""
        if self.state == "running":
            self.state = "cancelling"
            self._show()
            self.post_message(self.CancelAsked(self))


def duration(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    clock = f"{minutes}:{whole % 60:02}"
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else clock
