"""Flash, RAM and worst stack depth of images, from what was linked.

The depth is that of the deepest way from main (see stack.py), and on top of it the deepest interrupt: here none nests.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import stack

FLASH = {"irrigation": 8192, "lamps": 32768}
RAM = {"irrigation": 512, "lamps": 2048}

_SECTION = re.compile(r"^\.(text|data|bss|noinit)\s+(\d+)\s", re.MULTILINE)


class Figures(NamedTuple):
    """Bytes."""

    flash: int
    ram: int
    stack_main: int
    stack_interrupt: int
    flash_size: int
    ram_size: int

    @property
    def margin(self) -> int:
        """RAM that is neither static nor ever stack."""
        return self.ram_size - self.ram - self.stack_main - self.stack_interrupt


def figures(image: Path) -> Figures:
    """Of one image, named after its board."""
    board = image.stem.split("-")[0]
    # Section by section: the sum that avr-size prints counts the fuses as flash and as RAM.
    text = subprocess.run(["avr-size", "-A", str(image)], check=True, capture_output=True, text=True).stdout
    sizes = {name: int(size) for name, size in _SECTION.findall(text)}
    code = stack.instructions(image, FLASH[board])
    named = stack.symbols(image)
    interrupts = [
        address
        for name, address in named.items()
        if re.fullmatch(r"__vector_\d+", name) and address != named.get("__bad_interrupt")
    ]
    return Figures(
        flash=sizes["text"] + sizes.get("data", 0),
        ram=sizes.get("data", 0) + sizes.get("bss", 0) + sizes.get("noinit", 0),
        stack_main=stack.RETURN_ADDRESS + stack.depth(code, named["main"]),
        stack_interrupt=stack.RETURN_ADDRESS
        + max(stack.depth(code, address, interrupt=True) for address in interrupts),
        flash_size=FLASH[board],
        ram_size=RAM[board],
    )


def table(images: list[Path]) -> str:
    """As Markdown."""
    lines = [
        "| image | flash | RAM, static | stack, main | stack, interrupt | RAM never used |",
        "|---|---|---|---|---|---|",
    ]
    for image in images:
        f = figures(image)
        lines.append(
            f"| {image.stem} | {f.flash} of {f.flash_size} | {f.ram} of {f.ram_size} | {f.stack_main} | "
            f"{f.stack_interrupt} | {f.margin} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table([Path(name) for name in sys.argv[1:]]))
