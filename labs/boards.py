"""Virtual routers as a lab or a command describes them: a device with ports, users, and a script in its tables."""

from __future__ import annotations

from collections.abc import Sequence

from labs.topology import Board
from labs.virtual_routeros.clocks import Clock
from labs.virtual_routeros.device import Description, Device

__all__ = ["BEGINNING", "device_of"]

BEGINNING = "beginning.rsc"
"""The file on the device that its script is imported from, and that messages name; removed when it is in the tables."""


def device_of(board: Board, ports: Sequence[str], clock: Clock | None = None) -> Device:
    """A device with these ports. Raises Trap, which names the line, where the script is refused; ValueError for
    a version that there is not."""
    description = Description(board.version, tuple(ports), dict(board.users))
    description.numbers  # noqa: B018  # says what is no version before anything is made
    device = Device(description, clock)
    if board.script.strip():
        device.upload(BEGINNING, board.script)
        device.call((), "import", {"file-name": BEGINNING})
        files = device.tables["file",]
        files.rows[:] = [row for row in files.rows if row.properties.get("name") != BEGINNING]
    return device
