"""Run a lab: choose it, watch its links, read its verdicts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Checkbox, Input, Label, Select, Static

from appliance.console.plain import plain
from appliance.language import Translate
from appliance.workbench.messages import RunWanted, StopWanted
from appliance.workbench.panels.lists import Line, Lines, toned
from appliance.workbench.plotting import ThroughputPlot
from appliance.workbench.running import Chosen, LabChoice, Ran, Sample
from appliance.workbench.throughput import curves_of

__all__ = ["LabPanel"]

_REDRAW = 0.2
"""Seconds between two drawings of the plot."""
_SIGNS = {"held": "✓", "failed": "✗", "skipped": "·"}


class LabPanel(Vertical):
    """The choice, the plot, the verdicts."""

    DEFAULT_CSS = """
    LabPanel {
        & .row { height: 1; }
        & .row Label { width: auto; padding: 0 1; color: $text-muted; }
        & #lab-name { width: 1fr; }
        & #lab-variant { width: 1fr; }
        & #lab-seed { width: 12; }
        & Checkbox { margin-left: 1; }
        & Button { margin-left: 1; min-width: 6; }
        & #lab-verdict { height: auto; max-height: 3; padding: 0 1; }
        & ThroughputPlot { height: 9; max-height: 50%; display: none; }
        & ThroughputPlot.-shown { display: block; }
    }
    """

    def __init__(self, translate: Translate, folder: Path) -> None:
        super().__init__()
        self._t = translate
        self._folder = folder
        self._labs: tuple[LabChoice, ...] = ()
        self._samples: list[Sample] = []
        self._drawn = 0.0
        self._shown: Ran | None = None

    def compose(self) -> ComposeResult:
        """Choices above, plot and verdicts below."""
        t = self._t
        with Horizontal(classes="row"):
            yield Select([], prompt=t("a lab"), compact=True, id="lab-name")
            yield Select([], prompt=t("no variant"), compact=True, id="lab-variant")
        with Horizontal(classes="row"):
            yield Label(plain(t("seed")))
            yield Input(placeholder=t("the lab's"), type="integer", compact=True, id="lab-seed")
            yield Checkbox(
                t("captures"),
                compact=True,
                id="lab-captures",
                tooltip=t("Write a capture of each link into the folder captures"),
            )
            yield Button(t("Run"), variant="primary", compact=True, id="lab-run", tooltip=t("F10 does it too"))
            yield Button(t("Stop"), compact=True, id="lab-stop", disabled=True)
        yield Static(id="lab-verdict")
        yield ThroughputPlot(id="lab-plot")
        yield Lines(id="lab-lines")

    def offer(self, labs: Sequence[LabChoice], chosen: str = "") -> None:
        """The labs to choose from."""
        self._labs = tuple(labs)
        select = self.query_one("#lab-name", Select)
        select.set_options([(plain(lab.name), number) for number, lab in enumerate(labs)])
        found = next((number for number, lab in enumerate(labs) if chosen in (lab.name, str(lab.path))), None)
        if found is not None:
            select.value = found
        elif not labs:
            self._say(self._t("There is no lab here."), "doubtful")

    def run(self) -> bool:
        """Run what is chosen. False when nothing is."""
        select = self.query_one("#lab-name", Select)
        if select.is_blank():
            self._say(self._t("Choose a lab."), "doubtful")
            select.focus()
            return False
        lab = self._labs[int(str(select.value))]
        variant = self.query_one("#lab-variant", Select)
        seed = self.query_one("#lab-seed", Input).value
        captures = self._folder / "captures" if self.query_one("#lab-captures", Checkbox).value else None
        chosen = Chosen(
            lab.path,
            "" if variant.is_blank() else str(variant.value),
            int(seed) if seed.isdecimal() else None,
            captures,
        )
        self.post_message(RunWanted(chosen))
        return True

    def begin(self) -> None:
        """Work has begun."""
        self._samples, self._drawn = [], 0.0
        self.query_one("#lab-stop", Button).disabled = False
        self.query_one(Lines).show(())
        self.query_one(ThroughputPlot).draw(())
        self._say(self._t("Running …"), "faint")

    def tell(self, sample: Sample) -> None:
        """What the links have carried by now."""
        self._samples.append(sample)
        now = time.monotonic()
        if now - self._drawn >= _REDRAW:
            self._drawn = now
            self._draw()
            share = f"{sample.moment / sample.duration:.0%}" if sample.duration else ""
            moment = f"{sample.moment / 1e9:.1f}"
            self._say(self._t("Running … {moment} s of lab time, {share}").format(moment=moment, share=share), "faint")

    def show(self, ran: Ran) -> None:
        """What came of it."""
        self._shown = ran
        self.query_one("#lab-stop", Button).disabled = True
        if not ran.has_run:
            self._say(self._t("Not run"), "bad")
        else:
            words = self._t("{held} held, {failed} failed, {skipped} skipped; {moment} s of lab time in {seconds} s")
            told = words.format(
                held=ran.count("held"),
                failed=ran.count("failed"),
                skipped=ran.count("skipped"),
                moment=f"{ran.duration / 1e9:.1f}",
                seconds=f"{ran.seconds:.2f}",
            )
            self._say(told, "bad" if ran.count("failed") else "good")
            self._draw()
        self.query_one(Lines).show(self._lines(ran))

    def fail(self, words: str) -> None:
        """No answer: stopped, or broken."""
        self.query_one("#lab-stop", Button).disabled = True
        self._say(words, "bad")

    @property
    def ran(self) -> Ran | None:
        """What is shown."""
        return self._shown

    def _draw(self) -> None:
        curves = curves_of(self._samples)
        plot = self.query_one(ThroughputPlot)
        plot.set_class(bool(curves), "-shown")
        plot.draw(curves)

    def _lines(self, ran: Ran) -> Iterator[Line]:
        for remark in ran.remarks:
            place = f"{remark.source}:{remark.line}: " if remark.line else ""
            yield Line(f"{place}{remark.message}", remark.level, "●")
        for verdict in sorted(ran.verdicts, key=lambda one: one.state != "failed"):
            yield Line(f"{verdict.asked}: {verdict.message}", verdict.state, _SIGNS[verdict.state])
        for link, path in ran.captures:
            yield Line(self._t("captured {link}: {path}").format(link=link, path=path), "note", "·")
        for words in (*ran.drops, *ran.activities):
            yield Line(words, "faint")

    def _say(self, words: str, tone: str) -> None:
        self.query_one("#lab-verdict", Static).update(toned(words, tone))

    @on(Select.Changed, "#lab-name")
    def _chosen(self, event: Select.Changed) -> None:
        variant = self.query_one("#lab-variant", Select)
        if not isinstance(event.value, int):
            variant.set_options([])
            return
        lab = self._labs[event.value]
        variant.set_options([(plain(name), name) for name in lab.variants])
        variant.disabled = not lab.variants
        self._say(lab.description, "faint")

    @on(Button.Pressed, "#lab-run")
    def _pressed(self) -> None:
        self.run()

    @on(Button.Pressed, "#lab-stop")
    def _stop(self) -> None:
        self.post_message(StopWanted("lab"))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.run()
