"""Our own themes are read by everybody: contrast as WCAG 2.2 reckons it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES, Theme

from appliance.console.app import ConsoleApp
from appliance.console.contrast import readable
from appliance.console.dialog import LookScreen
from appliance.console.key_sheet import KeySheet
from appliance.console.themes import OWN
from tests.appliance.console.double import Double
from tests.appliance.console.driving import Driven, console, log_in, open_screen, shown, until

TEXTS = ("foreground", "text-muted", "text-primary", "text-secondary", "text-warning", "text-error", "text-success",
         "text-accent", "text-disabled", "footer-key-foreground")  # fmt: skip
GROUNDS = ("background", "surface", "panel")
PAIRS = (("block-cursor-foreground", "block-cursor-background"),
         ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
         ("button-color-foreground", "primary"), ("button-color-foreground", "error"),
         ("button-color-foreground", "warning"), ("button-color-foreground", "success"))  # fmt: skip

HUES = ("primary", "secondary", "accent", "warning", "error", "success")
MUTED = [(f"text-{hue}", f"{hue}-muted") for hue in HUES]
KEYS = [(text, "footer-background") for text in ("footer-foreground", "footer-key-foreground", "text-disabled")]
"""What the line of keys is drawn with."""
OFF = ("text-disabled",)


def luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    parts = [value / 255 for value in (colour.r, colour.g, colour.b)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def low_contrasts(theme: Theme) -> dict[tuple[str, str], float]:
    """Pairs of text and ground that are hard to read; what is off may have 3:1."""
    colours = theme.to_color_system().generate()
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(PAIRS) + MUTED + KEYS
    low = {}
    for text, ground in pairs:
        below = Color.parse(colours[ground])
        ink = Color.parse(colours[text])
        seen = contrast(below.blend(ink, ink.a, alpha=1), below)
        if seen < (3 if text in OFF and theme not in OWN else 4.5):
            low[text, ground] = round(seen, 2)
    return low


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_text_has_a_contrast_of_four_and_a_half_on_all_its_grounds(theme: Theme) -> None:
    assert not low_contrasts(theme)


OTHERS = [theme for theme in BUILTIN_THEMES.values() if not theme.ansi]


@pytest.mark.parametrize("theme", OTHERS, ids=lambda theme: theme.name)
def test_themes_of_others_are_made_readable_and_keep_what_reads_well(theme: Theme) -> None:
    shown = readable(theme)
    assert not low_contrasts(shown)
    assert (shown.name, shown.dark, shown.background, shown.surface) == (
        theme.name, theme.dark, theme.background, theme.surface
    )  # fmt: skip
    assert low_contrasts(readable(shown)) == {}
    colours, before = shown.to_color_system().generate(), theme.to_color_system().generate()
    grounds = [Color.parse(before[name]) for name in GROUNDS]
    for hue in ("primary", "error", "success"):
        given = Color.parse(before[hue])
        if all(contrast(given, one) >= 4.6 for one in grounds):
            kept = Color.parse(colours[hue])
            assert max(abs(one - other) for one, other in zip(kept.rgb, given.rgb, strict=True)) <= 2


def test_the_colours_of_the_terminal_are_the_terminals() -> None:
    theme = BUILTIN_THEMES["ansi-dark"]
    assert readable(theme) is theme


def test_the_console_shows_themes_of_others_readably(tmp_path: Path) -> None:
    """Keys that do not work had 1.2:1 on the panel of textual-light."""

    async def play() -> None:
        async with console(tmp_path, double=Double()) as (app, pilot):
            await log_in(app, pilot, "ani", "right")
            for name in ("textual-light", "textual-dark", "gerbang-light"):
                app.action_theme(name)
                await pilot.pause()
                assert app.current_theme.name == name
                ink, ground = (Color.parse(app.get_css_variables()[one]) for one in ("text-disabled", "panel"))
                assert contrast(ink, ground) >= 3

    asyncio.run(play())


def test_the_formula_is_that_of_the_standard() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


def faint(app: ConsoleApp) -> list[tuple[str, float]]:
    """Words as they are painted, that have too little contrast. What lies behind a screen in front is dim."""
    found, region = [], next(iter(app.screen.query(VerticalScroll)), app.screen).region
    for strip in app.screen._compositor.render_strips()[region.y : region.bottom]:
        for segment in strip.crop(region.x, region.right):
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None or not any(map(str.isalnum, segment.text)):
                continue
            ink, ground = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
            if style.reverse:
                ink, ground = ground, ink
            if style.dim:
                # Terminals show about half of the colour.
                ink = ground.blend(ink, 0.5)
            if contrast(ink, ground) < 4.5:
                found.append((segment.text, round(contrast(ink, ground), 2)))
    return found


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_screens_are_painted_with_enough_contrast(house: Driven, tmp_path: Path, theme: Theme) -> None:
    async def play(app: ConsoleApp, pilot: Pilot[Any]) -> None:
        app.action_theme(theme.name)
        await pilot.pause()
        assert faint(app) == []
        pane = await open_screen(app, pilot, "pool", "vehicles")
        await until(lambda: pane.grid.count >= 3 and app.focused is pane.grid.body)
        await pilot.pause()
        assert faint(app) == []
        # A reader may not change what he looks at: keys that are off, and a note below the record.
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, LookScreen) and "Last changed" in shown(app))
        assert faint(app) == []
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, LookScreen))
        await pilot.press("f1")
        await until(lambda: isinstance(app.screen, KeySheet) and "Your roles do not allow" in shown(app))
        assert faint(app) == []

    house.drive(tmp_path, "reader", play, size=(120, 50))
