"""The console's end of a terminal that comes from elsewhere, by SSH: ``TEXTUAL_DRIVER`` names it."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message

from appliance.doors.sizes import LARGEST

__all__ = ["BoundedDriver"]


class BoundedDriver(LinuxDriver):
    """No larger than LARGEST, whatever the client says of its window or types."""

    def _get_terminal_size(self) -> tuple[int, int]:
        columns, rows = super()._get_terminal_size()
        return _bounded(columns, rows)

    def process_message(self, message: Message) -> None:
        """What was read; a terminal may say its size among the keys, too ("in-band window resize")."""
        if isinstance(message, Resize):
            size = Size(*_bounded(*message.size))
            message = Resize(size, size, size, message.pixel_size)
        super().process_message(message)


def _bounded(columns: int, rows: int) -> tuple[int, int]:
    return min(columns, LARGEST[0]), min(rows, LARGEST[1])
