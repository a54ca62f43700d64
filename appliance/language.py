"""What people read, in their language: templates are English in the code, and translated where they are shown.

``_`` only marks a template for the extraction; ``translator`` gives the
function that looks it up in ``appliance/locale/<language>/LC_MESSAGES/gerbang.mo``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

__all__ = ["DEFAULT", "LANGUAGES", "Translate", "_", "translator"]

LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
"""What users choose from, each in its own language."""
DEFAULT = "en"

Translate = Callable[[str], str]
LOCALE = Path(__file__).with_name("locale")


def _(template: str) -> str:
    """The template itself: marked, so that it is found and translated."""
    return template


@cache
def translator(language: str) -> Translate:
    """From English to this language; a language that is not known, or a text without translation, stays English."""
    if language == DEFAULT or language not in LANGUAGES:
        return _
    import gettext

    return gettext.translation("gerbang", LOCALE, [language], fallback=True).gettext
