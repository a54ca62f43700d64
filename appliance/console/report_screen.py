"""A screen for a report: its parameters as a form, its lines as a table with totals, a plot, exports, and print."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from pydantic import TypeAdapter
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from appliance.console.access import Access
from appliance.console.dialog import focus_first, show_failure
from appliance.console.exporting import PickScreen, deliver
from appliance.console.papers import show_paper
from appliance.console.references import lookup_of
from appliance.console.screens import Pane, ScreenDescription
from appliance.console.widgets.chart import Series
from appliance.console.widgets.deeds import begin
from appliance.console.widgets.form import Form
from appliance.console.widgets.grid import Grid
from appliance.console.widgets.list_source import ListSource
from appliance.console.widgets.plot import Plot
from appliance.contract.fields import Field, fields_of
from appliance.contract.periods import Period, month_of
from appliance.contract.refusals import Refused
from appliance.exporting import Sheet, csv_of, xlsx_into
from appliance.language import _

__all__ = ["ReportPane", "ReportScreen"]

HELP = _("""\
# A report

Enter the parameters; **Ctrl+S** makes the report. **F8** goes between the parameters and the lines, **v** shows a plot
or the table, **x** exports, **p** prints.
""")


@dataclass(frozen=True, kw_only=True)
class ReportScreen(ScreenDescription):
    """``ReportScreen(name="usage", command="usage", parameters=Period, line=UsageLine, title=_("Usage"))``.

    The command answers a tuple of ``line``, or a record whose field ``lines`` is one.
    """

    command: str
    parameters: type
    line: type
    totals: tuple[str, ...] = ()
    """Columns that are added up; none: all of numbers that are no shares."""
    plot: tuple[str, str] | None = None
    """The column along, and the column of numbers upward."""
    paper: str = ""
    """The command that makes the same as a document, if there is one."""

    def visible(self, access: Access, service: str) -> bool:
        """Who may use the command."""
        return access.may(service, self.command)

    def pane(self, service: str) -> Pane:
        """Form and table."""
        return ReportPane(self, service)


class ReportPane(Pane):
    """What ``ReportScreen`` makes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f8", "other_side", _("Parameters, lines"), id="report.other", tooltip=_("To the other part")),
        Binding("v", "view", _("Plot"), id="report.plot", tooltip=_("The plot instead of the table, and back")),
        Binding("x", "export", _("Export"), id="report.export", tooltip=_("Save the lines as XLSX or CSV")),
        Binding("p", "print", _("Print"), id="report.print", tooltip=_("The report as a paper")),
    ]
    DEFAULT_CSS = """
    ReportPane {
        & #parameters { height: auto; max-height: 50%; }
        & Form { height: auto; }
        & Form > VerticalScroll { height: auto; max-height: 10; }
        & #lines { height: 1fr; }
        & Plot { display: none; }
        &.-plot Plot { display: block; }
        &.-plot Grid { display: none; }
    }
    """

    def __init__(self, described: ReportScreen, service: str) -> None:
        super().__init__(service, title=described.title, help=described.help or HELP)
        self.described = described
        self.made: tuple[Any, ...] = ()
        self._answered: Sequence[Mapping[str, Any]] = ()
        """The lines as the daemon sent them."""
        self._asked: Any = None
        self._read = TypeAdapter[Any](tuple[described.line, ...])  # type: ignore[name-defined]

    def compose(self) -> ComposeResult:
        """Parameters above, lines below."""
        one = self.described
        begin = month_of(date.today()) if one.parameters is Period else None
        with Vertical(id="parameters"):
            yield Form(one.parameters, begin, lookup=lookup_of(self), save=_("Show"))
        with Vertical(id="lines"):
            yield Grid(self._source(), empty=_("Enter the parameters, and press Ctrl+S."))
            if one.plot is not None:
                along, upward = (self._field(name) for name in one.plot)
                title = self.reader.label(upward)
                yield Plot(title, unit=self.reader.unit(upward), x_title=self.reader.label(along))

    def _field(self, name: str) -> Field:
        return next(field for field in fields_of(self.described.line) if field.name == name)

    def _source(self) -> ListSource:
        numbers = [one.name for one in fields_of(self.described.line) if one.numeric and one.unit != "%"]
        return ListSource.of(self.described.line, self.made, totals=self.described.totals or numbers)

    @property
    def form(self) -> Form:
        """The parameters."""
        return self.query_one(Form)

    @property
    def grid(self) -> Grid:
        """The lines."""
        return self.query_one(Grid)

    def why_not(self, action: str) -> str:
        """Without a report there is nothing to show."""
        if action in {"view", "export", "print"} and self._asked is None:
            return self.reader.say(_("Make the report first: Ctrl+S."))
        if action == "view" and self.described.plot is None:
            return self.reader.say(_("This report has no plot."))
        if action == "print" and not self.described.paper:
            return self.reader.say(_("This report has no paper; export it."))
        return self.needs(self.described.paper) if action == "print" else ""

    @on(Form.Saved)
    def _wanted(self, event: Form.Saved) -> None:
        event.stop()
        self._make(event.value)

    @on(Form.Left)
    def _left(self, event: Form.Left) -> None:
        event.stop()
        if self._asked is not None:
            self.grid.body.focus()

    @work(group="report", exclusive=True)
    async def _make(self, parameters: Any) -> None:
        one = self.described
        try:
            answer = await self.door.call(self.service, one.command, parameters if fields_of(one.parameters) else None)
        except Refused as error:
            show_failure(self.form, error)
            return
        lines = answer["lines"] if isinstance(answer, Mapping) else answer
        self.made, self._answered = self._read.validate_json(json.dumps(lines)), lines
        self._asked = parameters
        self.grid.show(self._source())
        self._plot()
        self.grid.body.focus()

    def _plot(self) -> None:
        if self.described.plot is None:
            return
        along, upward = (self._field(name) for name in self.described.plot)
        labels = {
            float(place): self.reader.shown(along, getattr(line, along.name)) for place, line in enumerate(self.made, 1)
        }
        points = [(float(place), float(getattr(line, upward.name) or 0)) for place, line in enumerate(self.made, 1)]
        self.query_one(Plot).show([Series(self.reader.label(upward), tuple(points), "bar")], labels=labels)

    def action_other_side(self) -> None:
        """To the lines, or to the parameters."""
        if self.form in (self.screen.focused.ancestors if self.screen.focused else ()):
            self.grid.body.focus()
        else:
            focus_first(self.form)

    def action_view(self) -> None:
        """Plot or table."""
        if not self.refuses("view"):
            self.toggle_class("-plot")
            (self.query_one(Plot) if self.has_class("-plot") else self.grid.body).focus()

    def action_export(self) -> None:
        """The lines that were made."""
        if not self.refuses("export"):
            begin(self, self._export(), group="export")

    async def _export(self) -> None:
        forms = {"xlsx": self.reader.say(_("Workbook (XLSX)")), "csv": self.reader.say(_("Text (CSV)"))}
        form = await self.app.push_screen_wait(PickScreen(self.reader.say(_("Export as")), forms))
        if form is not None:
            content = await asyncio.to_thread(self._exported, form)
            await deliver(self, content, f"{self.described.name}.{form}")

    def _exported(self, form: str) -> bytes:
        fields = fields_of(self.described.line)
        sheet = Sheet(fields=fields, translate=self.reader.translate)
        rows = [[line.get(field.name) for field in fields] for line in self._answered]
        if form == "csv":
            return b"".join(csv_of(sheet, rows))
        file = io.BytesIO()
        xlsx_into(file, sheet, rows)
        return file.getvalue()

    def action_print(self) -> None:
        """As a paper."""
        if not self.refuses("print"):
            begin(self, self._print(), group="print")

    async def _print(self) -> None:
        command = self.described.paper
        try:
            text = await self.door.document(self.service, command, self._asked, "text/plain")
        except Refused as error:
            self.shell.say_refused(error)
        else:
            show_paper(self, command, self._asked, self.reader.say(self.pane_title), text.decode())
