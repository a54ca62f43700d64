"""``python -m appliance.locale``: bring the catalogues up to the code, and say what still wants a translation."""

from __future__ import annotations

import sys

from appliance.locale.catalogues import update

__all__: list[str] = []


def _main() -> int:
    missing = update()
    for language, texts in missing.items():
        for text in texts:
            print(f"{language}: {text!r}", file=sys.stderr)
        print(f"{language}: {len(texts)} messages want a translation")
    return 1 if any(missing.values()) else 0


sys.exit(_main())
