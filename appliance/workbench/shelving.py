"""Texts of the appliance in tabs: opened, saved, with a question when somebody else was quicker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.language import _
from appliance.workbench.dialogs import AskLine, Choose, Pick
from appliance.workbench.shelf import KeptElsewhere, ShelfFault

if TYPE_CHECKING:
    from appliance.workbench.filing import FilingScreen
    from appliance.workbench.open_texts import OpenText

__all__ = ["keep_on_shelf", "open_by_name", "pick_and_open", "save_to_appliance"]


async def open_by_name(screen: FilingScreen, name: str) -> None:
    """Open a text of the appliance, or go to its tab."""
    assert screen.shelf is not None
    known = next((one for one in screen.texts if one.shelved is not None and one.shelved.name == name), None)
    if known is not None:
        screen.show_text(known)
        return
    try:
        kept = await screen.shelf.read(name)
    except ShelfFault as error:
        screen.complain(str(error))
        return
    screen.add_shelved(kept)


async def pick_and_open(screen: FilingScreen) -> None:
    """Ask which."""
    assert screen.shelf is not None
    try:
        names = await screen.shelf.names()
    except ShelfFault as error:
        screen.complain(str(error))
        return
    if not names:
        screen.complain(screen.say(_("The appliance has no policy yet: Alt+S saves this text as one.")))
        return
    name = await screen.app.push_screen_wait(Pick(screen.say(_("Open from the appliance")), names))
    if name is not None:
        await open_by_name(screen, name)


async def save_to_appliance(screen: FilingScreen, text: OpenText) -> bool:
    """Under its own name, or the one that is asked for."""
    if text.shelved is not None:
        return await keep_on_shelf(screen, text, text.shelved.name, text.shelved.version)
    lists = text.checked.lists if text.checked is not None else ()
    name = await screen.app.push_screen_wait(
        AskLine(screen.say(_("Save to the appliance as policy")), lists[0] if lists else "")
    )
    return bool(name) and await keep_on_shelf(screen, text, str(name), 0)


async def keep_on_shelf(screen: FilingScreen, text: OpenText, name: str, version: int) -> bool:
    """Keep it there; whoever was quicker is told, and nothing of theirs is lost unasked."""
    assert screen.shelf is not None
    sent = text.editor.text
    try:
        kept = await screen.shelf.keep(name, sent, version)
    except KeptElsewhere as error:
        return await _settled(screen, text, error)
    except ShelfFault as error:
        screen.complain(str(error))
        return False
    # Blanks at its end may be kept otherwise; what was typed meanwhile is not saved.
    screen.is_shelved(text, kept, sent)
    return True


async def _settled(screen: FilingScreen, text: OpenText, error: KeptElsewhere) -> bool:
    words = screen.say(_("{who} has saved another text of {name} at {when}.")).format(
        who=error.who, name=error.theirs.name, when=error.when
    )
    answers = (
        ("keep", screen.say(_("Go on editing"))),
        ("beside", screen.say(_("Open theirs beside mine"))),
        ("reload", screen.say(_("Take theirs"))),
        ("overwrite", screen.say(_("Overwrite it"))),
    )
    answer = await screen.app.push_screen_wait(Choose(screen.say(_("Changed on the appliance")), words, answers))
    if answer == "overwrite":
        return await keep_on_shelf(screen, text, error.theirs.name, error.theirs.version)
    if answer == "reload":
        text.editor.load_text(error.theirs.text)
        screen.is_shelved(text, error.theirs, error.theirs.text)
        return True
    if answer == "beside":
        screen.add_text(f"{error.theirs.name}-theirs.cfg", error.theirs.text)
    return False
