"""Themes of others as everybody can read them: contrast by WCAG 2.2 (1.4.3), 4.5:1 for text and 3:1 where it is off.

Textual's own themes are made for looks: on panels, keys that do not work have
1.2:1 in one of them. Colours keep their hue and go as far towards white or
black as their grounds need; a theme that reads well already stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.color import Color
from textual.theme import Theme

__all__ = ["contrast", "readable"]

TEXT = 4.55
"""A little more than 4.5: colours are kept in whole numbers, and reckoned with once more on the way."""
MOST_TEXT = 5.2
"""Rows of a grid lie on stripes that are tinted by their own colour."""
OFF = 3.05
"""WCAG asks nothing of what is off; but one should be able to read what it would be."""
STEPS = 40
BLACK, WHITE = Color(0, 0, 0), Color(255, 255, 255)
GROUNDS = ("background", "surface", "panel")
HUES = ("primary", "secondary", "accent", "warning", "error", "success")
"""Colours that are grounds of buttons and of the cursor too."""
INKS = (*(f"text-{name}" for name in HUES), "footer-foreground", "footer-key-foreground",
        "footer-description-foreground", "markdown-h1-color", "markdown-h2-color", "markdown-h3-color")  # fmt: skip
"""Colours of text on any ground."""


def _luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    parts = (value / 255 for value in (colour.r, colour.g, colour.b))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21; both without transparency."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(theme: Theme) -> Theme:
    """The theme with colours of text that can be read on its grounds. The terminal's own colours (``ansi``) stay."""
    if theme.ansi:
        return theme
    far = WHITE if theme.dark else BLACK
    given = theme.to_color_system().generate()
    grounds = [Color.parse(given[name]) for name in GROUNDS]
    foreground = _seen_on(Color.parse(given["foreground"]), grounds, far, MOST_TEXT)
    hues = {name: _seen_on(Color.parse(given[name]), grounds, far, TEXT).hex for name in HUES}
    # Whatever a theme says of these is reckoned below; the line of keys lies on the panel, not on a ground of its own.
    # The panel is given, for else it is tinted by the primary colour.
    reckoned = {*INKS, *HUES, "foreground"}
    kept = {name: value for name, value in theme.variables.items()
            if name not in reckoned and not name.startswith("footer-")}  # fmt: skip
    bare = replace(
        theme,
        primary=hues["primary"],
        secondary=hues["secondary"],
        accent=hues["accent"],
        warning=hues["warning"],
        error=hues["error"],
        success=hues["success"],
        foreground=foreground.hex,
        panel=given["panel"],
        text_alpha=1.0,
        variables=kept,
    )
    return replace(bare, variables=kept | _variables(bare, grounds, foreground, far))


def _variables(theme: Theme, grounds: list[Color], foreground: Color, far: Color) -> dict[str, str]:
    colours = theme.to_color_system().generate()
    # What lies on a hue is of the other end: the hues stand out from dark grounds, so they do from black.
    near = BLACK if theme.dark else WHITE
    inks = {
        name: _seen_on(Color.parse(colours[name]), grounds, far, TEXT)
        for name in INKS
        if not colours.get(name, "auto").startswith(("auto", "ansi"))
    }
    muted = {f"{name}-muted": _quiet(colours, name, inks[f"text-{name}"], near) for name in HUES}
    blurred = Color.parse(colours["primary"]).blend(grounds[1], 0.7)
    quiet = {
        name: _seen_on(foreground.blend(grounds[0], part), grounds, far, least)
        for name, part, least in (
            ("text-muted", 0.4, TEXT),
            ("foreground-muted", 0.4, TEXT),
            ("text-disabled", 0.6, OFF),
            ("foreground-disabled", 0.6, OFF),
        )
    }
    on_hues = dict.fromkeys(("block-cursor-foreground", "button-color-foreground"), near)
    cursor = {
        "block-cursor-background": Color.parse(colours["primary"]),
        "block-cursor-blurred-background": blurred,
        "block-cursor-blurred-foreground": _seen_on(foreground, [blurred], far, TEXT),
    }
    return {name: colour.hex for name, colour in (inks | muted | quiet | on_hues | cursor).items()}


def _quiet(colours: dict[str, str], name: str, ink: Color, near: Color) -> Color:
    """The hue as a ground of text in itself."""
    return _seen_on(Color.parse(colours[f"{name}-muted"]), [ink], near, TEXT)


def _seen_on(ink: Color, grounds: Iterable[Color], towards: Color, least: float) -> Color:
    """The colour, as far towards the other as it must be for this contrast with all grounds."""
    below = list(grounds)
    solid = below[0].blend(ink, ink.a, alpha=1)
    for step in range(STEPS + 1):
        found = solid.blend(towards, step / STEPS)
        # A colour is kept in whole numbers; what is reckoned is what will be painted.
        found = Color.parse(found.hex)
        if all(contrast(found, one) >= least for one in below):
            return found
    return towards
