"""Compare two open configurations: which traffic changes its verdict, each change with a packet that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Select, Static

from appliance.console.plain import plain
from appliance.language import Translate
from appliance.workbench.comparing import Compared
from appliance.workbench.compiling import pairs_of
from appliance.workbench.messages import CompareWanted, StopWanted
from appliance.workbench.panels.compile import witness_lines
from appliance.workbench.panels.lists import Line, Lines, toned
from compiler.errors import UsageError

__all__ = ["ComparePanel"]


class ComparePanel(Vertical):
    """The two texts, and what differs."""

    DEFAULT_CSS = """
    ComparePanel {
        & .row { height: 1; }
        & .row Label { width: 6; padding: 0 1; color: $text-muted; }
        & Select { width: 1fr; }
        & Input { width: 1fr; }
        & Button { margin-left: 1; min-width: 6; }
        & #compare-verdict { height: auto; max-height: 3; padding: 0 1; }
    }
    """

    def __init__(self, translate: Translate) -> None:
        super().__init__()
        self._t = translate
        self._names: tuple[str, ...] = ()
        self._shown: Compared | None = None

    def compose(self) -> ComposeResult:
        """Old and new, and the answer."""
        t = self._t
        for side in ("old", "new"):
            with Horizontal(classes="row"):
                yield Label(plain(t(side)))
                yield Select([], prompt=t("an open configuration"), compact=True, id=f"compare-{side}")
        with Horizontal(classes="row"):
            yield Input(placeholder=t("interfaces: OLD=NEW …"), compact=True, id="compare-interfaces")
            yield Button(t("Compare"), variant="primary", compact=True, id="compare-run", tooltip=t("F2 does it too"))
            yield Button(t("Stop"), compact=True, id="compare-stop", disabled=True)
        yield Static(id="compare-verdict")
        yield Lines(id="compare-changes")

    def texts(self, names: Sequence[str]) -> None:
        """The open texts. What is chosen stays; else the first is the old one, the last the new one."""
        if tuple(names) == self._names:
            return
        self._names = tuple(names)
        selects = [self.query_one(f"#compare-{side}", Select) for side in ("old", "new")]
        chosen = [None if select.is_blank() else str(select.value) for select in selects]
        if chosen[0] == chosen[1] or not set(chosen) <= set(names):
            chosen = [names[0], names[-1]] if names else [None, None]
        for select, name in zip(selects, chosen, strict=True):
            select.set_options([(plain(one), one) for one in names])
            if name is not None:
                select.value = name

    def run(self) -> bool:
        """Compare what is chosen. False when a second text is missing."""
        selects = [self.query_one(f"#compare-{side}", Select) for side in ("old", "new")]
        if any(select.is_blank() for select in selects):
            self._say(self._t("Open two configurations, then compare them."), "doubtful")
            return False
        try:
            interfaces = pairs_of(self.query_one("#compare-interfaces", Input).value)
        except UsageError as error:
            self._say(str(error), "bad")
            return False
        self.post_message(CompareWanted(str(selects[0].value), str(selects[1].value), interfaces))
        return True

    def begin(self) -> None:
        """Work has begun."""
        self.query_one("#compare-stop", Button).disabled = False
        self._say(self._t("Comparing …"), "faint")

    def tell(self, done: int, total: int) -> None:
        """How far it is."""
        share = f"{min(done / total, 1.0):.0%}" if total else ""
        self._say(self._t("Comparing … {share}").format(share=share), "faint")

    def show(self, compared: Compared) -> None:
        """What came of it."""
        self._shown = compared
        self.query_one("#compare-stop", Button).disabled = True
        seconds = f"{compared.seconds:.2f}"
        if compared.remarks:
            self._say(self._t("Not compared"), "bad")
        elif compared.is_equal:
            words = self._t("PROVED equal over all packets: {size}, {seconds} s")
            self._say(words.format(size=compared.size, seconds=seconds), "good")
        else:
            words = self._t("DIFFERENT in {count} ways, {seconds} s")
            self._say(words.format(count=len(compared.changes) + len(compared.notes), seconds=seconds), "doubtful")
        self.query_one(Lines).show(self._lines(compared))

    def fail(self, words: str) -> None:
        """No answer: stopped, or broken."""
        self.query_one("#compare-stop", Button).disabled = True
        self._say(words, "bad")

    @property
    def compared(self) -> Compared | None:
        """What is shown."""
        return self._shown

    def _lines(self, compared: Compared) -> Iterator[Line]:
        for remark in compared.remarks:
            yield Line(remark.message, remark.level, "●", remark.line, max(remark.column, 1), remark.source)
        for note in compared.notes:
            yield Line(note, "warning", "▲")
        for change in compared.changes:
            is_permitted = change.newly == "permitted"
            newly = self._t("newly permitted") if is_permitted else self._t("newly denied")
            yield Line(f"{change.where}: {newly}", "good" if is_permitted else "bad", "+" if is_permitted else "-")
            for packets in change.packets:
                yield Line(f"  {packets}")
            if not change.is_whole:
                more = self._t("… and more")
                yield Line(f"  {more}", "faint")
            yield from witness_lines(change.witness, compared.old, compared.new)

    def _say(self, words: str, tone: str) -> None:
        self.query_one("#compare-verdict", Static).update(toned(words, tone))

    @on(Button.Pressed, "#compare-run")
    def _pressed(self) -> None:
        self.run()

    @on(Button.Pressed, "#compare-stop")
    def _stop(self) -> None:
        self.post_message(StopWanted("compare"))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.run()
