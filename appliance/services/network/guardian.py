"""The process that takes a change of the network back when nobody confirms it in time: ``python -m`` this module."""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.services.network.records import FOLDERS, Folders, Records, now
from compiler.deploy.linux.guardian import stand_guard

__all__ = ["main"]


class _Network:
    """Satisfies what :func:`~compiler.deploy.linux.guardian.stand_guard` guards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records = Records(Folders(folder, FOLDERS.state))

    def remaining(self, identity: str) -> float:
        """Seconds to wait."""
        waiting = self._records.waiting()
        return 0 if waiting is None or waiting.identity != identity else waiting.deadline - now()

    def put_back(self, identity: str) -> None:
        """What stood before, unless the change was confirmed meanwhile."""
        # Late: until the end of the time the guardian shall be light.
        from appliance.services.network.applying import put_back
        from appliance.services.network.kernel import NetworkKernel

        with self._records.alone():
            waiting = self._records.waiting()
            if waiting is not None and waiting.identity == identity:
                with NetworkKernel() as kernel:
                    put_back(kernel, self._records)


def main(arguments: list[str]) -> int:
    """Guard the network of the folder that the arguments name."""
    return stand_guard(arguments, _Network(Path(arguments[0])))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
