"""The fuse arguments of avrdude from an image's .fuse section: low, high, extended."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("lfuse", "hfuse", "efuse")


def fuses(image: Path) -> bytes:
    """The bytes of the section."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "fuses"
        subprocess.run(
            ["avr-objcopy", "-O", "binary", "-j", ".fuse", "--change-section-lma", ".fuse=0", str(image), str(out)],
            check=True,
        )
        return out.read_bytes()


if __name__ == "__main__":
    print(
        " ".join(f"-U {name}:w:0x{value:02X}:m" for name, value in zip(NAMES, fuses(Path(sys.argv[1])), strict=False))
    )
