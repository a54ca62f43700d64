"""What one user chose for his console: theme and language, kept in ``console.json`` of his config folder."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

__all__ = ["Preferences"]

FILE = "console.json"
DEFAULT_THEME = "gerbang-dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Immutable; ``changed`` gives new ones and writes them."""

    theme: str = DEFAULT_THEME
    language: str = "en"
    """Of the login screen; after it the person's own language holds."""
    name: str = ""
    """Who logged in last."""
    folder: Path | None = None
    """None: nothing is kept."""

    @classmethod
    def read(cls, folder: Path) -> Preferences:
        """What is kept; a missing, damaged or foreign file gives the defaults, for it holds nothing of worth."""
        kept: Any = {}
        with suppress(OSError, ValueError):
            kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
        names = {field.name for field in fields(cls)} - {"folder"}
        known = kept.items() if isinstance(kept, dict) else ()
        return cls(folder=folder, **{name: value for name, value in known if name in names and isinstance(value, str)})

    def changed(self, **values: str) -> Preferences:
        """These with other values, written in one step; a folder that cannot be written is no reason to stop."""
        new = replace(self, **values)  # type: ignore[arg-type]
        if new != self and self.folder is not None:
            with suppress(OSError):
                new._write(self.folder)
        return new

    def _write(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = asdict(self)
        del kept["folder"]
        beside = folder / f".{FILE}.{os.getpid()}"
        beside.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(folder / FILE)
