"""Worst stack depth of code that was linked: a walk over its instructions, library routines included.

Every way through the code is followed from where it starts, and at each instruction it is known how much has been taken
by pushes, frames, return addresses. What cannot be followed (a jump through a pointer, recursion, a push in a loop, a
stack pointer from elsewhere) is refused: the figure would be worth nothing.

The symbols that avr-objdump prints between the instructions are not believed, nor are its targets: since GCC 14 local
labels stand in the middle of functions, and a jump around the end of 8 KB is printed with an address outside the flash.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

RETURN_ADDRESS = 2  # bytes, of a chip with up to 128 KB

_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t([a-z]+)\s*([^;]*)")
_SYMBOL = re.compile(r"^([0-9a-f]+) [TtWw] (\S+)$", re.MULTILINE)
_SKIPS = {"cpse", "sbrc", "sbrs", "sbic", "sbis"}
_INDIRECT = {"ijmp", "icall", "eijmp", "eicall"}
_READS_ITS_FIRST = {"push", "cp", "cpc", "cpi", "cpse", "tst", "sbrc", "sbrs", "bst", "mul", "muls", "mulsu", "fmul"}
_POINTER = {"0x3d": "r28", "0x3e": "r29"}  # SPL and SPH, and the register of Y each is set from
_POINTER_IN_MEMORY = {0x5D, 0x5E}


class Unprovable(SystemExit):
    """Code whose depth cannot be told."""


class Instruction(NamedTuple):
    """One of them; ``size`` is in bytes, ``target`` where it jumps or calls."""

    mnemonic: str
    operands: tuple[str, ...]
    size: int
    target: int | None


class Taken(NamedTuple):
    """Bytes below the return address of the function walked in.

    ``frame`` is how many were taken at the place Y points to, where that is known; ``low`` the half of a subtraction
    from Y of which the other half is to come.
    """

    stack: int = 0
    frame: int | None = None
    low: int | None = None


def symbols(image: Path) -> dict[str, int]:
    """Addresses of the functions."""
    text = subprocess.run(["avr-nm", str(image)], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, name in _SYMBOL.findall(text)}


def instructions(image: Path, flash_size: int) -> dict[int, Instruction]:
    """By address. Jumps go around the end of the flash, as the chip's counter does."""
    text = subprocess.run(["avr-objdump", "-d", "-z", str(image)], check=True, capture_output=True, text=True).stdout
    found: dict[int, Instruction] = {}
    for line in text.splitlines():
        if match := _INSTRUCTION.match(line):
            address, operands = int(match[1], 16), tuple(part.strip() for part in match[4].split(","))
            found[address] = Instruction(
                match[3], operands, len(match[2].split()), _target(address, match[3], operands[-1], flash_size)
            )
    return found


def _target(address: int, mnemonic: str, operand: str, flash_size: int) -> int | None:
    if operand.startswith((".+", ".-")):
        return (address + 2 + int(operand[1:])) % flash_size
    if mnemonic in {"call", "jmp"}:
        return int(operand, 0) % flash_size
    return None


def depth(code: Mapping[int, Instruction], start: int, *, interrupt: bool = False) -> int:
    """Bytes below the return address of the function at ``start``. Raises Unprovable; an interrupt may not nest."""
    return _Walk(code, interrupt).depth(start, ())


class _Walk:
    def __init__(self, code: Mapping[int, Instruction], interrupt: bool) -> None:
        self._code = code
        self._interrupt = interrupt
        self._known: dict[int, int] = {}

    def depth(self, start: int, path: tuple[int, ...]) -> int:
        if start in path:
            raise Unprovable(f"recursion: 0x{start:x}")
        if start not in self._known:
            self._known[start] = self._deepest(start, (*path, start))
        return self._known[start]

    def _deepest(self, start: int, path: tuple[int, ...]) -> int:
        at = {start: Taken()}
        waiting, deepest = [start], 0
        while waiting:
            address = waiting.pop()
            instruction = self._read(address)
            deepest = max(deepest, at[address].stack + self._call(address, instruction, path))
            after = _after(address, instruction, at[address])
            for following in self._following(address, instruction):
                joined = _joined(following, at.get(following, after), after)
                if joined != at.get(following):
                    at[following] = joined
                    waiting.append(following)
        return deepest

    def _read(self, address: int) -> Instruction:
        if address not in self._code:
            raise Unprovable(f"no code at 0x{address:x}")
        instruction = self._code[address]
        if instruction.mnemonic in _INDIRECT:
            raise Unprovable(f"through a pointer: 0x{address:x}")
        if self._interrupt and instruction.mnemonic == "sei":
            raise Unprovable(f"interrupts nest: 0x{address:x}")
        return instruction

    def _call(self, address: int, instruction: Instruction, path: tuple[int, ...]) -> int:
        if instruction.target is None or not _is_call(instruction) or _makes_room(instruction):
            return 0
        return RETURN_ADDRESS + self.depth(instruction.target, path)

    def _following(self, address: int, instruction: Instruction) -> Iterator[int]:
        mnemonic, target = instruction.mnemonic, instruction.target
        following = address + instruction.size
        if mnemonic not in {"ret", "reti", "rjmp", "jmp"}:
            yield following
        if mnemonic in _SKIPS:
            yield following + self._read(following).size
        if target is not None and not _is_call(instruction):
            yield target


def _is_call(instruction: Instruction) -> bool:
    return instruction.mnemonic in {"rcall", "call"}


def _makes_room(instruction: Instruction) -> bool:
    """A call of what comes next: the compiler's short way to take two bytes."""
    return instruction.mnemonic == "rcall" and instruction.operands == (".+0",)


def _joined(address: int, one: Taken, other: Taken) -> Taken:
    """What is sure where two ways meet."""
    if one.stack != other.stack:
        raise Unprovable(f"{one.stack} or {other.stack} bytes taken: 0x{address:x}")
    return Taken(
        one.stack,
        one.frame if one.frame == other.frame else None,
        one.low if one.low == other.low else None,
    )


def _after(address: int, instruction: Instruction, taken: Taken) -> Taken:
    """What is taken when the instruction was carried out."""
    taken = _with_frame(instruction, taken)
    mnemonic, operands = instruction.mnemonic, instruction.operands
    if mnemonic == "push":
        return taken._replace(stack=taken.stack + 1)
    if mnemonic == "pop":
        return _left(address, taken, taken.stack - 1)
    if _makes_room(instruction):
        return taken._replace(stack=taken.stack + RETURN_ADDRESS)
    if mnemonic in {"ret", "reti"} and taken.stack:
        raise Unprovable(f"returns with {taken.stack} bytes taken: 0x{address:x}")
    if mnemonic == "sts" and int(operands[0], 0) in _POINTER_IN_MEMORY:
        raise Unprovable(f"stack pointer set: 0x{address:x}")
    if mnemonic == "out" and operands[0] in _POINTER:
        if operands[1] != _POINTER[operands[0]] or taken.frame is None:
            raise Unprovable(f"stack pointer set: 0x{address:x}")
        return _left(address, taken, taken.frame) if operands[0] == "0x3d" else taken
    return taken


def _left(address: int, taken: Taken, stack: int) -> Taken:
    if stack < 0:
        raise Unprovable(f"takes from the caller: 0x{address:x}")
    return taken._replace(stack=stack)


def _with_frame(instruction: Instruction, taken: Taken) -> Taken:
    """Follows what becomes of Y: it is set from the stack pointer, moved by a constant, or lost."""
    mnemonic, operands = instruction.mnemonic, instruction.operands
    match mnemonic, *operands:
        case "in", "r28", "0x3d":
            return taken._replace(frame=taken.stack, low=None)
        case "in", "r29", "0x3e":
            return taken
        case (("sbiw" | "adiw"), "r28", count) if taken.frame is not None:
            return taken._replace(frame=taken.frame + int(count, 0) * (1 if mnemonic == "sbiw" else -1))
        case "subi", "r28", low if taken.frame is not None:
            return taken._replace(low=int(low, 0))
        case "sbci", "r29", high if taken.frame is not None and taken.low is not None:
            moved = taken.low | int(high, 0) << 8
            return taken._replace(frame=taken.frame + moved - (0x10000 if moved & 0x8000 else 0), low=None)
    writes = operands[0] in {"r28", "r29"} and mnemonic not in _READS_ITS_FIRST
    if writes or {"Y+", "-Y"} & set(operands):
        return taken._replace(frame=None, low=None)
    return taken
