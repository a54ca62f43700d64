"""Papers that are looked at, printed and saved, and work that takes long, against a real daemon."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pypdf
import pytest

from appliance.console.app import ConsoleApp
from appliance.console.dialog import RecordDialog
from appliance.console.listing_screen import Action, ListingScreen
from appliance.console.papers import PaperScreen
from appliance.console.told_screen import ToldScreen
from appliance.console.widgets.work import Work
from appliance.console.working import WorkScreen
from appliance.contract.service import Service
from appliance.documents import rendering
from appliance.services.system import service as system
from tests.appliance.console.driving import Driven, open_screen, shown, typed, until
from tests.appliance.daemon import ledger
from tests.appliance.daemon.house import House
from tests.appliance.daemon.ledger.model import Account, Steps

SCREENS = (
    ListingScreen(
        name="accounts",
        title="Accounts",
        row=Account,
        actions=(
            Action("count-up", Steps, "Count", "c"),
            Action("slip", None, "Slip", "l", form=False, paper=True),
        ),
    ),
)


class Screened(Service):
    """The ledger as the console sees it: with a screen."""

    def module(self, name: str) -> ModuleType | None:
        return cast("ModuleType", SimpleNamespace(SCREENS=SCREENS)) if name == "screens" else super().module(name)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """A daemon with the ledger; ``maya`` may count and ask for slips."""
    folder = tmp_path_factory.mktemp("house")
    made = House(folder, services=(system, ledger.service))
    made.add("maya", "ledger.manager", "ledger.clerk")
    one = ledger.service
    screened = Screened(name=one.name, title=one.title, package=one.package, roles=one.roles)
    with made.live(folder) as socket:
        yield Driven(made, socket, (system, screened))


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "slip.txt.j2").write_text("Balance {{ it.balance }}\n")
    (tmp_path / "ledger" / "slip.html.j2").write_text("<!doctype html><title>x</title><p>Balance {{ it.balance }}</p>")
    monkeypatch.setattr(rendering, "data", lambda _name: tmp_path)
    getattr(rendering._environment, "cache_clear", lambda: None)()
    monkeypatch.setattr("platformdirs.user_downloads_path", lambda: tmp_path / "downloads")


async def _counting(app: ConsoleApp, pilot: Any, steps: str) -> Work:
    """The work under way, in front of the accounts."""
    pane = await open_screen(app, pilot, "ledger", "accounts")
    await until(lambda: app.focused is pane.grid.body)
    await pilot.press("c")
    await until(lambda: isinstance(app.screen, RecordDialog) and app.focused is not None)
    await typed(pilot, steps)
    await pilot.press("ctrl+s")
    await until(lambda: isinstance(app.screen, WorkScreen))
    return app.screen.query_one(Work)


def test_long_work_shows_how_far_it_is_is_cancelled_left_and_done(house: Driven, tmp_path: Path) -> None:
    async def play(app: ConsoleApp, pilot: Any) -> None:
        work = await _counting(app, pilot, "2000")
        await until(lambda: 0 < work.progress.done < work.progress.total == 2000 and "counting" in shown(app))
        await pilot.press("x")
        await until(lambda: work.state == "cancelled" and "cancelled" in shown(app))
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, WorkScreen))
        await _counting(app, pilot, "500")
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, WorkScreen))
        await _counting(app, pilot, "300")
        await until(lambda: isinstance(app.screen, ToldScreen) and "300" in shown(app))

    house.drive(tmp_path, "maya", play)
    counted = [line for line in house.house.audit() if line.command == "counted"]
    assert len(counted) >= 1, "what was cancelled is not counted, what was left goes on"


def test_a_paper_is_read_printed_and_saved_as_text_and_page(house: Driven, templates: None, tmp_path: Path) -> None:
    downloads = tmp_path / "downloads"

    async def play(app: ConsoleApp, pilot: Any) -> None:
        pane = await open_screen(app, pilot, "ledger", "accounts")
        await until(lambda: app.focused is pane.grid.body)
        await pilot.press("l")
        await until(lambda: isinstance(app.screen, PaperScreen) and "Balance 1500" in shown(app))
        await pilot.press("h")
        await until(lambda: list(downloads.glob("*.html")))
        await pilot.press("p")
        await until(lambda: list(downloads.glob("*.pdf")) and "Saved" in shown(app))
        await pilot.press("q")
        await until(lambda: not isinstance(app.screen, PaperScreen))

    house.drive(tmp_path, "maya", play, size=(110, 30))
    (page,), (print_out,) = downloads.glob("*.html"), downloads.glob("*.pdf")
    assert "<p>Balance 1500</p>" in page.read_text(encoding="utf-8")
    pages = [one.extract_text() for one in pypdf.PdfReader(print_out).pages]
    assert "Balance 1500" in pages[0]
