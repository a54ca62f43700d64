"""Room for files that are on the way: what is sent at once is bounded as what is kept is, and some of the disk stays
free."""

from __future__ import annotations

import errno
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from appliance.daemon.errors import NoRoom, TooLarge

__all__ = ["Arriving", "free_share", "on_a_disk_with_room"]

MOST_FREE = 512 * 1024 * 1024
SHARE = 50
"""One in so many bytes of the disk stays free, or MOST_FREE where that is less."""


class Arriving:
    """How many bytes are on the way, and whose. Only for the loop's thread."""

    def __init__(self) -> None:
        self.bytes: Counter[str] = Counter()

    @contextmanager
    def of(self, bounds: Mapping[str, int]) -> Iterator[Callable[[int], None]]:
        """Call what this yields with the size of each part; it raises TooLarge when somebody of ``bounds`` has more
        on the way than he may. At the end of the block nothing of it is on the way any more."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            for who, most in bounds.items():
                if self.bytes[who] + size > most:
                    raise TooLarge(most)
            taken += size
            self.bytes.update(dict.fromkeys(bounds, size))

        try:
            yield take
        finally:
            self.bytes.subtract(dict.fromkeys(bounds, taken))
            self.bytes += Counter()  # without those that have nothing


def free_share(folder: Path) -> int:
    """Bytes of the folder's disk above those that stay free; below 0 when it is too full."""
    disk = shutil.disk_usage(folder)
    return disk.free - min(disk.total // SHARE, MOST_FREE)


@contextmanager
def on_a_disk_with_room(folder: Path) -> Iterator[None]:
    """Raises NoRoom before the block when the disk is too full, and in it when it turns out to be."""
    try:
        if free_share(folder) < 0:
            raise NoRoom
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoom from error
        raise
