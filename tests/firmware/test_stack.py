"""The computed stack depth, on little programs that the assembler makes: what it counts, what it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.firmware.building import FIRMWARE

sys.path.append(str(FIRMWARE / "tools"))
import stack

FLASH_SIZE = 8192


@pytest.fixture
def assembled(build, tmp_path):
    """Makes the code of a program for the ATmega8535 and tells where its main is."""

    def assemble(text):
        source, image = tmp_path / "program.s", tmp_path / "program.elf"
        source.write_text(f".section .text\n.global main\n.type main, @function\n{text}\n")
        subprocess.run(
            ["avr-gcc", "-mmcu=atmega8535", "-nostartfiles", "-nostdlib", "-o", image, source],
            check=True, capture_output=True,
        )  # fmt: skip
        return stack.instructions(image, FLASH_SIZE), stack.symbols(image)["main"]

    return assemble


PUSHES = "push r2\npush r3\npush r4\npop r4\npop r3\npop r2\nret\n"
FRAME = "in r28, 0x3d\nin r29, 0x3e\n"
POINTER = "in r0, 0x3f\ncli\nout 0x3e, r29\nout 0x3f, r0\nout 0x3d, r28\n"

COUNTED = {
    "nothing": ("main: ret", 0),
    "pushes and a call": (f"main: push r5\nrcall f\npop r5\nret\nf: {PUSHES}", 1 + 2 + 3),
    "call after the pops": (f"main: push r5\npop r5\nrcall f\nret\nf: {PUSHES}", 2 + 3),
    "never pushed and called": (f"main: sbrs r24, 0\nrjmp other\nrcall f\nret\nother: {PUSHES}\nf: {PUSHES}", 2 + 3),
    "jump instead of a last call": (f"main: push r5\npop r5\nrjmp f\nf: {PUSHES}", 3),
    "into the middle": (f"main: rcall middle\nret\nf: push r5\nmiddle: {PUSHES}", 2 + 3),
    "into what follows": (f"main: push r5\npop r5\n.global f\n.type f, @function\nf: {PUSHES}", 3),
    # Local labels are symbols in what GCC 14 links; what follows them still belongs to the function.
    "labels within": ("main: push r2\nLVL1: push r3\nLVL2: rcall f\nLVL3: pop r3\npop r2\nret\nf: ret", 2 + 2),
    "around the end, down": (f"main: rcall f\nret\n.org 0x1f00\nf: {PUSHES}", 2 + 3),
    "around the end, up": (f"f: {PUSHES}\n.org 0x1f00\nmain: rcall f\nret", 2 + 3),
    "zeros": ("main: push r2\n" + "nop\n" * 40 + "push r3\npop r3\npop r2\nret", 2),
    "skip of two words": (f"main: cpse r2, r3\nsts 0x0100, r2\nrcall f\nret\nf: {PUSHES}", 2 + 3),
    "short frame": (f"main: {FRAME}sbiw r28, 9\n{POINTER}rcall f\nadiw r28, 9\n{POINTER}ret\nf: {PUSHES}", 9 + 2 + 3),
    "long frame": (
        f"main: {FRAME}subi r28, 0x2c\nsbci r29, 1\n{POINTER}rcall f\n"
        f"subi r28, 0xd4\nsbci r29, 0xfe\n{POINTER}ret\nf: ret",
        300 + 2,
    ),
    "frame by a call": (f"main: rcall .+0\n{FRAME}rcall f\npop r0\npop r0\nret\nf: {PUSHES}", 2 + 2 + 3),
    "endless": (f"main: {FRAME}sbiw r28, 8\n{POINTER}loop: rcall f\nrjmp loop\nf: {PUSHES}", 8 + 2 + 3),
    "deepest of two": (f"main: rcall f\nrcall g\nret\nf: {PUSHES}\ng: push r2\nrcall f\npop r2\nret", 2 + 1 + 2 + 3),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_depth_of_a_program(assembled, name):
    text, depth = COUNTED[name]
    assert stack.depth(*assembled(text)) == depth


REFUSED = {
    "recursion": ("main: rcall f\nret\nf: rcall g\nret\ng: rcall f\nret", "recursion"),
    "call through a pointer": ("main: icall\nret", "through a pointer"),
    "jump through a pointer": ("main: ijmp", "through a pointer"),
    "push in a loop": ("main: push r2\nbrne main\nret", "0 or 1 bytes taken"),
    "pointer from elsewhere": ("main: ldi r28, 0x5f\nldi r29, 2\nout 0x3e, r29\nout 0x3d, r28\nret", "pointer set"),
    "pointer from another register": (f"main: {FRAME}out 0x3d, r24\nret", "pointer set"),
    "pointer in memory": ("main: sts 0x5d, r24\nret", "pointer set"),
    "lost frame": (f"main: {FRAME}ld r24, Y+\nout 0x3d, r28\nret", "pointer set"),
    "frame of one way": (f"main: {FRAME}brne over\nldi r28, 3\nover: {POINTER}ret", "pointer set"),
    "return from a frame": ("main: push r2\nret", "returns with 1"),
    "the caller's": ("main: pop r2\nret", "takes from the caller"),
    "end of the code": ("main: push r2", "no code"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_is_refused(assembled, name):
    text, reason = REFUSED[name]
    with pytest.raises(stack.Unprovable, match=reason):
        stack.depth(*assembled(text))


def test_interrupt_that_lets_others_in_is_refused(assembled):
    code, start = assembled("main: push r2\nsei\npop r2\nreti")
    assert stack.depth(code, start) == 1
    with pytest.raises(stack.Unprovable, match="nest"):
        stack.depth(code, start, interrupt=True)
