"""Trace a packet: its form, the packets asked before, and each rule that looked at it."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Select, Static

from appliance.console.plain import plain
from appliance.language import Translate, _
from appliance.workbench.messages import TraceWanted
from appliance.workbench.panels.lists import Line, Lines, toned
from appliance.workbench.tracing import Asked, StageLooked, Traced, asked_of
from compiler.errors import GerbangError

__all__ = ["TracePanel"]

HISTORY = 30
"""Packets that are kept to be asked again."""
_ROWS = (
    (
        ("protocol", _("protocol"), "tcp", 10),
        ("source", _("from"), "172.16.6.4", 0),
        ("source_port", _("port"), "1025", 7),
    ),
    (
        ("flags", _("TCP flags"), "syn,ack", 10),
        ("destination", _("to"), "10.0.0.2", 0),
        ("destination_port", _("port"), "21", 7),
    ),
    (
        ("message", _("ICMP type"), "echo, 3/13", 10),
        ("ingress", _("in"), _("interface"), 0),
        ("egress", _("out"), _("interface"), 0),
    ),
    (
        ("through", _("one list"), _("all"), 10),
        ("more", _("more"), "ttl=1 dscp=46 fragment to-router", 0),
    ),
)
"""The form: each field's name, label, an example, and width (0: what is left)."""


class TracePanel(Vertical):
    """The form above, the rules below; Enter in any field asks."""

    DEFAULT_CSS = """
    TracePanel {
        & .row { height: 1; }
        & .row Label { width: auto; min-width: 10; padding: 0 1 0 1; color: $text-muted; }
        & .row Label.short { min-width: 5; }
        & .row Input { width: 1fr; }
        & .row Input.w10 { width: 12; }
        & .row Input.w7 { width: 8; }
        & Select { width: 1fr; }
        & Button { margin-right: 1; min-width: 6; }
        & #trace-verdict { height: auto; max-height: 3; padding: 0 1; }
    }
    """

    def __init__(self, translate: Translate) -> None:
        super().__init__()
        self._t = translate
        self._history: list[Asked] = []
        self._about = ""
        self._shown: Traced | None = None

    def compose(self) -> ComposeResult:
        """The form, and what came of it."""
        t = self._t
        for row in _ROWS:
            with Horizontal(classes="row"):
                for number, (name, label, example, width) in enumerate(row):
                    yield Label(plain(t(label)), classes="short" if number else "")
                    value = "tcp" if name == "protocol" else ""
                    yield Input(value, placeholder=t(example), compact=True, id=f"trace-{name}", classes=f"w{width}")
        with Horizontal(classes="row"):
            yield Button(t("Trace"), variant="primary", compact=True, id="trace-run", tooltip=t("F9 does it too"))
            yield Select([], prompt=t("packets asked before"), compact=True, id="trace-history")
        yield Static(id="trace-verdict")
        yield Lines(id="trace-looks")

    @property
    def asked(self) -> Asked:
        """The packet of the form."""
        values = {name: self._field(name).value for row in _ROWS for name, *_rest in row}
        return Asked(**values)

    @property
    def traced(self) -> Traced | None:
        """What is shown."""
        return self._shown

    def put(self, packet: str) -> bool:
        """Fill the form from a packet in words; False and said when it is none."""
        try:
            self._fill(asked_of(packet, self._field("through").value))
        except GerbangError as error:
            self._say(str(error), "bad")
            return False
        return True

    def run(self) -> bool:
        """Ask for the packet of the form. False when an address is missing first: then its field has the focus."""
        source = self._field("source")
        if ">" in source.value and not self.put(source.value):  # a whole packet was pasted
            return False
        for name in ("source", "destination"):
            if not self._field(name).value.strip():
                self._say(self._t("Give the packet its addresses."), "doubtful")
                self._field(name).focus()
                return False
        asked = self.asked
        self._history = [asked, *(one for one in self._history if one != asked)][:HISTORY]
        history = self.query_one("#trace-history", Select)
        with self.prevent(Select.Changed):
            history.set_options([(plain(_in_words(one)), number) for number, one in enumerate(self._history)])
            history.value = 0
        self.post_message(TraceWanted(asked))
        return True

    def show(self, traced: Traced, name: str) -> None:
        """The way of the packet through the text of this tab."""
        self._shown, self._about = traced, name
        if not traced.is_traced:
            self._say(self._t("Not traced"), "bad")
            lines = [Line(one.message, one.level, "●", one.line, max(one.column, 1), name) for one in traced.remarks]
            self.query_one(Lines).show(lines)
            return
        line = traced.deciding[-1][0] if traced.deciding else 0
        by = self._t("by line {line}").format(line=line) if line else self._t("by no rule")
        word = self._t("PERMITTED") if traced.passes else self._t("DENIED")
        self._say(f"{word} {by}: {traced.packet}", "good" if traced.passes else "bad")
        looks = self.query_one(Lines)
        looks.show(self._lines(traced))
        decided = [number for number, one in enumerate(looks.lines) if one.sign in ("✓", "✗")]
        if decided:
            looks.highlighted = decided[-1]

    def fail(self, words: str) -> None:
        """No answer."""
        self._say(words, "bad")

    def _lines(self, traced: Traced) -> Iterator[Line]:
        for remark in traced.remarks:
            yield Line(remark.message, remark.level, "·")
        if not traced.stages:
            yield Line(self._t("no list looks at it"), "faint")
        for stage in traced.stages:
            verdict = self._t("permitted") if stage.passes else self._t("denied")
            yield Line(f"{stage.name}: {verdict}", "good" if stage.passes else "bad")
            yield from self._looks(stage)

    def _looks(self, stage: StageLooked) -> Iterator[Line]:
        if stage.hidden:
            yield Line(self._t("… {count} earlier rules do not match").format(count=f"{stage.hidden:,}"), "faint")
        for look in stage.looks:
            text = f"{'  ' * look.depth}{look.text}"
            if look is stage.deciding:
                yield Line(
                    text, "good" if stage.passes else "bad", "✓" if stage.passes else "✗", look.line, name=self._about
                )
            else:
                said = look.reason or look.outcome
                yield Line(f"{text}: {said}", "faint", "→" if not look.reason else " ", look.line, name=self._about)
        if stage.default:
            yield Line(stage.default, "good" if stage.passes else "bad", "✓" if stage.passes else "✗")

    def _fill(self, asked: Asked) -> None:
        for row in _ROWS:
            for name, *_rest in row:
                self._field(name).value = getattr(asked, name)

    def _field(self, name: str) -> Input:
        return self.query_one(f"#trace-{name}", Input)

    def _say(self, words: str, tone: str) -> None:
        self.query_one("#trace-verdict", Static).update(toned(words, tone))

    @on(Button.Pressed, "#trace-run")
    def _pressed(self) -> None:
        self.run()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.run()

    @on(Select.Changed, "#trace-history")
    def _again(self, event: Select.Changed) -> None:
        if isinstance(event.value, int) and event.value < len(self._history):
            self._fill(self._history[event.value])
            if event.value:
                self.run()


def _in_words(asked: Asked) -> str:
    return asked.text() + (f" · {asked.through}" if asked.through else "")
