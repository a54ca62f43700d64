"""``python -m appliance.console.beside FOLDER WORDS…``: the demonstration's daemon, which takes its folder with it.

It ends when its standard input does. When that is because the console was
killed, nobody else is left to remove the folder.
"""

from __future__ import annotations

import os
import select
import shutil
import sys

__all__: list[str] = []


def _main() -> int:
    from compiler.cli.main import main

    folder, *words = sys.argv[1:]
    try:
        return main(words)
    finally:
        if _alone():
            shutil.rmtree(folder, ignore_errors=True)


def _alone() -> bool:
    """Whether the console has gone: its end of the pipe is closed."""
    return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 1)


if __name__ == "__main__":
    sys.exit(_main())
