"""Flash, RAM and worst stack depth of images, from what was linked.

The depth is computed from the disassembly, library routines included: what each function pushes and takes as a frame,
along the deepest chain of calls from main, and on top of it the deepest interrupt (interrupts do not nest here).
Indirect calls or recursion make it an error: the figure would be worth nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FLASH = {"irrigation": 8192, "lamps": 32768}
RAM = {"irrigation": 512, "lamps": 2048}
RETURN_ADDRESS = 2

_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(\S+)\s*([^;]*)(?:;\s*0x([0-9a-f]+))?")
_CALLS = {"rcall", "call"}
_JUMPS = {"rjmp", "jmp"}


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


class Function:
    """One symbol's code: what it takes itself, whom it calls, where it jumps to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.own = 0
        self.calls: set[int] = set()
        self.jumps: set[int] = set()
        self.indirect = False
        self._frame_pointer = False
        self._low = 0

    def take(self, mnemonic: str, operands: str, target: int | None) -> None:
        """Accounts for one instruction."""
        if mnemonic == "push":
            self.own += 1
        elif mnemonic in _CALLS and operands == ".+0":
            self.own += RETURN_ADDRESS  # the compiler's short way to make room
        elif mnemonic in _CALLS and target is not None:
            self.calls.add(target)
        elif mnemonic in _JUMPS and target is not None:
            self.jumps.add(target)
        elif mnemonic in {"icall", "ijmp", "eicall"}:
            self.indirect = True
        elif mnemonic == "in" and operands.replace(" ", "") == "r28,0x3d":
            self._frame_pointer = True
        elif self._frame_pointer and mnemonic == "sbiw" and operands.startswith("r28"):
            self.own += int(operands.split(",")[1], 0)
            self._frame_pointer = False
        elif self._frame_pointer and mnemonic == "subi" and operands.startswith("r28"):
            self._low = int(operands.split(",")[1], 0)
        elif self._frame_pointer and mnemonic == "sbci" and operands.startswith("r29"):
            self.own += self._low | int(operands.split(",")[1], 0) << 8
            self._frame_pointer = False


def functions(image: Path) -> dict[int, Function]:
    """By address."""
    text = subprocess.run(["avr-objdump", "-d", str(image)], check=True, capture_output=True, text=True).stdout
    found: dict[int, Function] = {}
    current: Function | None = None
    for line in text.splitlines():
        if match := _FUNCTION.match(line):
            current = found[int(match[1], 16)] = Function(match[2])
        elif current and (match := _INSTRUCTION.match(line)):
            current.take(match[2], match[3].strip(), int(match[4], 16) if match[4] else None)
    return found


def depth(code: dict[int, Function], start: int, path: tuple[int, ...] = ()) -> int:
    """Bytes below the return address of the function at start."""
    function = code[start]
    if start in path:
        raise SystemExit(f"recursion: {function.name}")
    if function.indirect and function.name not in {"__vectors"}:
        raise SystemExit(f"indirect call: {function.name}")
    deepest = 0
    for target in function.calls:
        if target in code:
            deepest = max(deepest, RETURN_ADDRESS + depth(code, target, (*path, start)))
    for target in function.jumps:
        if target in code and target != start:
            deepest = max(deepest, depth(code, target, (*path, start)))
    return function.own + deepest


def figures(image: Path) -> Figures:
    """Of one image, named after its board."""
    board = image.stem.split("-")[0]
    _, numbers = subprocess.run(
        ["avr-size", str(image)], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    text, data, bss = (int(word) for word in numbers.split()[:3])
    code = functions(image)
    named = {function.name: address for address, function in code.items()}
    interrupts = [address for name, address in named.items() if re.fullmatch(r"__vector_\d+", name)]
    return Figures(
        flash=text + data,
        ram=data + bss,
        stack_main=RETURN_ADDRESS + depth(code, named["main"]),
        stack_interrupt=max(RETURN_ADDRESS + depth(code, address) for address in interrupts),
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
