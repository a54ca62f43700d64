"""Our own themes are read by everybody: contrast as WCAG 2.2 reckons it."""

import pytest
from textual.color import Color
from textual.theme import Theme

from appliance.console.themes import OWN

TEXTS = ("foreground", "text-muted", "text-primary", "text-secondary", "text-warning", "text-error", "text-success",
         "text-accent", "text-disabled", "footer-key-foreground")  # fmt: skip
GROUNDS = ("background", "surface", "panel")
PAIRS = (("block-cursor-foreground", "block-cursor-background"),
         ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
         ("button-color-foreground", "primary"), ("button-color-foreground", "error"),
         ("button-color-foreground", "warning"), ("button-color-foreground", "success"))  # fmt: skip


def luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.2, definitions)."""
    parts = [value / 255 for value in (colour.r, colour.g, colour.b)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_text_has_a_contrast_of_four_and_a_half_on_all_its_grounds(theme: Theme) -> None:
    colours = theme.to_color_system().generate()
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(PAIRS)
    low = {}
    for text, ground in pairs:
        below = Color.parse(colours[ground])
        ink = Color.parse(colours[text])
        seen = contrast(below.blend(ink, ink.a, alpha=1), below)
        if seen < 4.5:
            low[text, ground] = round(seen, 2)
    assert not low


def test_the_formula_is_that_of_the_standard() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)
