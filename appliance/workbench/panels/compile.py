"""Compile side by side: choose a target, read its text with its proof, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Checkbox, Input, Select, Static

from appliance.language import Translate, _
from appliance.workbench.compiling import BALANCE_TARGETS, TARGETS, Choice, Compiled, Outcome, Shown, pairs_of
from appliance.workbench.editor import Editor
from appliance.workbench.kinds import Kind
from appliance.workbench.messages import CompileWanted, CopyWanted, OpenWanted, SaveWanted, StopWanted, TraceThis
from appliance.workbench.panels.lists import Line, Lines, toned
from compiler.errors import UsageError

__all__ = ["CompilePanel", "witness_lines"]

_TITLES = {
    "nftables": "nftables",
    "routeros7": "RouterOS 7",
    "routeros6": "RouterOS 6",
    "ios": "IOS",
    "linux": "Linux",
}
_ENDS = {"nftables": ".nft", "routeros7": ".rsc", "routeros6": ".rsc", "ios": ".cfg", "linux": ".nft"}
_KINDS = {"nftables": Kind.NFTABLES, "linux": Kind.NFTABLES, "ios": Kind.IOS}
_WORDS = {
    Outcome.PROVED: ("good", _("PROVED equal over all packets: {size}, {seconds} s")),
    Outcome.NARROWER: (
        "doubtful",
        _("PROVED never wider than its source, NARROWER in places: {size}, {seconds} s"),
    ),
    Outcome.DISPROVED: ("bad", _("DISPROVED: what was written is not equal to its source, so it is not shown")),
    Outcome.CANNOT_SAY: ("bad", _("The target cannot say this; nothing is written")),
    Outcome.UNREADABLE: ("bad", _("The source cannot be read")),
    Outcome.WRONG_USE: ("bad", _("Not compiled")),
}
_OF_BALANCE = _("PROVED: the text, read back, does what the intent asks: {size}, {seconds} s")


def witness_lines(shown: Shown, left: str = "", right: str = "") -> Iterator[Line]:
    """A packet with both verdicts; Enter on it traces it, Enter on a verdict goes to its line."""
    yield Line(shown.packet, "strong", "▸", then=TraceThis(shown.packet, left))
    yield Line(f"  {shown.left}", line=shown.left_line, name=left)
    if shown.right:
        yield Line(f"  {shown.right}", line=shown.right_line, name=right)


class CompilePanel(Vertical):
    """The choices, the proof, the text."""

    DEFAULT_CSS = """
    CompilePanel {
        & .row { height: 1; }
        & Select { width: 16; }
        & #compile-fragments { width: 22; }
        & Button { margin-left: 1; min-width: 6; }
        & Checkbox { margin-left: 1; }
        & #compile-interfaces { width: 1fr; }
        & #compile-lists { width: 1fr; margin-left: 1; }
        & #compile-verdict { height: auto; max-height: 3; padding: 0 1; }
        & #compile-details { height: auto; max-height: 6; }
        & #compile-details.-alone { max-height: 100%; height: 1fr; }
        & Editor { border-top: solid $surface-lighten-1; }
        & Editor:focus { border-top: solid $primary; }
    }
    """

    def __init__(self, translate: Translate) -> None:
        super().__init__()
        self._t = translate
        self._kind = Kind.IOS
        self._about = ""
        self._known: tuple[str, ...] = ()
        self._shown: Compiled | None = None

    def compose(self) -> ComposeResult:
        """Choices above, what came of them below."""
        t = self._t
        with Horizontal(classes="row"):
            yield Select(_targets(TARGETS), value=TARGETS[0], allow_blank=False, compact=True, id="compile-target")
            yield Button(t("Compile"), variant="primary", compact=True, id="compile-run", tooltip=t("F5 does it too"))
            yield Button(t("Stop"), compact=True, id="compile-stop", disabled=True)
            yield Button(t("Save…"), compact=True, id="compile-save", disabled=True)
            yield Button(t("Copy"), compact=True, id="compile-copy", disabled=True)
            yield Button(t("To tab"), compact=True, id="compile-open", disabled=True)
        with Horizontal(classes="row"):
            yield Input(
                placeholder=t("interfaces: HERE=THERE …"),
                compact=True,
                select_on_focus=False,
                id="compile-interfaces",
                tooltip=t("What interfaces are called on the target: GigabitEthernet0/2=eth1, with blanks between"),
            )
            yield Input(
                placeholder=t("only these lists"),
                compact=True,
                id="compile-lists",
                tooltip=t("Names of lists with blanks between; empty for all"),
            )
        with Horizontal(classes="row"):
            yield Select(
                [(t("deny: drop"), "drop"), (t("deny: reject"), "reject")],
                value="drop",
                allow_blank=False,
                compact=True,
                id="compile-deny",
                tooltip=t("How denied packets are answered"),
            )
            yield Select(
                [(t("place: early"), "early"), (t("place: filter"), "filter")],
                value="early",
                allow_blank=False,
                compact=True,
                id="compile-place",
                tooltip=t("Before NAT and connection tracking, or in the filter hooks"),
            )
            yield Select(
                [
                    (t("fragments: exact"), "exact"),
                    (t("frag.: reassembled"), "reassembled"),
                    (t("frag.: untracked"), "untracked"),
                ],
                value="exact",
                allow_blank=False,
                compact=True,
                id="compile-fragments",
                tooltip=t("Decide later fragments as the source does, or promise what the target sees of them"),
            )
            yield Checkbox(
                t("bound"),
                compact=True,
                id="compile-bound",
                tooltip=t("Accept a narrower target, never a wider one, where it cannot say the source"),
            )
        yield Static(id="compile-verdict")
        yield Lines(id="compile-details")
        yield Editor("", Kind.NFTABLES, read_only=True, id="compile-output")

    def on_mount(self) -> None:
        """Nothing is compiled yet."""
        self.query_one(Editor).display = False
        self._say(self._t("Choose a target, then press F5."), "faint")

    def source(self, name: str, kind: Kind, interfaces: tuple[str, ...]) -> None:
        """The text that is looked at now; its interfaces are asked for by name."""
        is_intent = kind is Kind.BALANCE
        if is_intent != (self._kind is Kind.BALANCE):
            targets = BALANCE_TARGETS if is_intent else TARGETS
            self.query_one("#compile-target", Select).set_options(_targets(targets))
            self.query_one("#compile-target", Select).value = targets[0]
        field = self.query_one("#compile-interfaces", Input)
        if (name, kind) != (self._about, self._kind) or interfaces != self._known:
            asked = _stub(self._known)
            if field.value in ("", asked):  # nothing was typed into it
                field.value = _stub(interfaces) if kind is Kind.IOS else ""
            self._known = interfaces
        self._kind, self._about = kind, name

    def run(self) -> bool:
        """Compile as chosen. False when a name is missing first: then its field has the focus."""
        target = str(self.query_one("#compile-target", Select).value)
        field = self.query_one("#compile-interfaces", Input)
        words = field.value.split()
        empty = [word for word in words if word.endswith("=")]
        if target == "ios" or self._kind is Kind.BALANCE:
            words = [word for word in words if word not in empty]
        elif empty:
            self._say(self._t("What is {name} called on the target?").format(name=empty[0][:-1]), "doubtful")
            field.focus()
            field.cursor_position = field.value.index(empty[0]) + len(empty[0])
            return False
        try:
            interfaces = pairs_of(" ".join(words))
        except UsageError as error:
            self._say(str(error), "bad")
            field.focus()
            return False
        self.post_message(
            CompileWanted(
                Choice(
                    target,
                    interfaces,
                    str(self.query_one("#compile-deny", Select).value),
                    str(self.query_one("#compile-place", Select).value),
                    str(self.query_one("#compile-fragments", Select).value),
                    self.query_one("#compile-bound", Checkbox).value,
                    tuple(self.query_one("#compile-lists", Input).value.split()),
                )
            )
        )
        return True

    def begin(self) -> None:
        """Work has begun."""
        self.query_one("#compile-stop", Button).disabled = False
        self._say(self._t("Compiling and proving …"), "faint")

    def tell(self, done: int, total: int) -> None:
        """How far the proof is."""
        share = f"{min(done / total, 1.0):.0%}" if total else ""
        self._say(self._t("Proving … {share}").format(share=share), "faint")

    def show(self, compiled: Compiled) -> None:
        """What came of it."""
        self._shown = compiled
        tone, words = _WORDS[compiled.outcome]
        if compiled.outcome is Outcome.PROVED and compiled.target in BALANCE_TARGETS and self._kind is Kind.BALANCE:
            words = _OF_BALANCE
        self._say(self._t(words).format(size=compiled.size, seconds=f"{compiled.seconds:.2f}"), tone)
        details = self.query_one("#compile-details", Lines)
        details.show(self._details(compiled))
        details.set_class(not compiled.files, "-alone")
        output = self.query_one(Editor)
        output.display = bool(compiled.files)
        if compiled.files:
            output.become(_KINDS.get(compiled.target, Kind.ROUTEROS))
            output.load_text("\n".join(text for _end, text in compiled.files))
        self._settle()

    def fail(self, words: str) -> None:
        """No answer: stopped, or broken."""
        self._say(words, "bad")
        self._settle()

    @property
    def compiled(self) -> Compiled | None:
        """What is shown."""
        return self._shown

    def _settle(self) -> None:
        self.query_one("#compile-stop", Button).disabled = True
        has_text = self._shown is not None and bool(self._shown.files)
        for name in ("save", "copy", "open"):
            self.query_one(f"#compile-{name}", Button).disabled = not has_text

    def _say(self, words: str, tone: str) -> None:
        self.query_one("#compile-verdict", Static).update(toned(words, tone))

    def _details(self, compiled: Compiled) -> Iterator[Line]:
        for witness in compiled.witnesses:
            yield from witness_lines(witness, self._about)
        for remark in compiled.remarks:
            sign = "▲" if remark.level == "warning" else "●"
            place = 0 if remark.source else remark.line
            yield Line(_without_option(remark.message), remark.level, sign, place, max(remark.column, 1))
        for note in compiled.notes:
            yield Line(note, "note", "·")
        for line in compiled.proof:
            yield Line(line.strip(), "faint")

    @on(Button.Pressed, "#compile-run")
    def _run(self) -> None:
        self.run()

    @on(Button.Pressed, "#compile-stop")
    def _stop(self) -> None:
        self.post_message(StopWanted("compile"))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.run()

    @on(Button.Pressed, "#compile-save")
    def _save(self) -> None:
        if self._shown is not None:
            self.post_message(SaveWanted(self._output_name(), self._shown.files))

    @on(Button.Pressed, "#compile-copy")
    def _copy(self) -> None:
        self.post_message(CopyWanted(self.query_one(Editor).text))

    @on(Button.Pressed, "#compile-open")
    def _open(self) -> None:
        for end, text in self._shown.files if self._shown is not None else ():
            self.post_message(OpenWanted(self._output_name() + end, text))

    def _output_name(self) -> str:
        target = self._shown.target if self._shown is not None else ""
        return f"{PurePath(self._about).stem}-{target}{_ENDS.get(target, '')}"


def _targets(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(_TITLES[name], name) for name in names]


def _stub(interfaces: tuple[str, ...]) -> str:
    return " ".join(f"{name}=" for name in interfaces)


def _without_option(message: str) -> str:
    """The compiler's words without the command line's options."""
    return message.replace(": --interface ", ", as ")
