"""What people read, in their language: templates are English in the code, and translated where they are shown.

``_`` only marks a template for the extraction; ``translator`` gives the
function that looks it up in ``appliance/locale/<language>/LC_MESSAGES/gerbang.mo``.
What is not there is looked up in the ``locale/`` folders of the services' own
packages, files of the same name: a service brings its words along, and does not
change those of others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

__all__ = ["DEFAULT", "LANGUAGES", "Translate", "_", "look_in", "translator"]

LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
"""What users choose from, each in its own language."""
DEFAULT = "en"

Translate = Callable[[str], str]
LOCALE = Path(__file__).with_name("locale")
_MORE: list[Path] = []


def _(template: str) -> str:
    """The template itself: marked, so that it is found and translated."""
    return template


def look_in(folder: Path) -> None:
    """From now on, words are looked up in this ``locale`` folder too."""
    if folder not in _MORE and folder.is_dir():
        _MORE.append(folder)
        translator.cache_clear()


@cache
def translator(language: str) -> Translate:
    """From English to this language; a language that is not known, or a text without translation, stays English."""
    if language == DEFAULT or language not in LANGUAGES:
        return _
    import gettext

    found = gettext.translation("gerbang", LOCALE, [language], fallback=True)
    for folder in _MORE:
        found.add_fallback(gettext.translation("gerbang", folder, [language], fallback=True))
    return found.gettext
