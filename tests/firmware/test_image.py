"""What was linked: sizes, stack, fuses, the chip's definition, the documents made from tables, latency."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys

import pytest

from labs.firmware.modem import Modem
from tests.firmware.building import BUILD, FIRMWARE, make
from tests.firmware.conftest import OWNER
from tests.firmware.test_irrigation_tables import command
from tests.firmware.test_irrigation_tables import ready as irrigation_ready
from tests.firmware.test_lamps_tables import answer, ready

README = FIRMWARE / "README.md"
IMAGES = ["irrigation", "lamps"]

sys.path.append(str(FIRMWARE / "tools"))
import fuses  # noqa: E402
import report  # noqa: E402


def test_sizes_in_the_readme_are_those_of_the_images(build):
    version = subprocess.run(["avr-gcc", "-dumpversion"], check=True, capture_output=True, text=True).stdout.strip()
    stated = re.search(rf"<!-- sizes by avr-gcc {re.escape(version)} -->\n(.*?)\n<!--", README.read_text(), re.DOTALL)
    if stated is None:
        pytest.skip(f"no figures of avr-gcc {version}")
    assert stated[1] == report.table([build / f"{image}.elf" for image in IMAGES])


def test_another_compiler_makes_the_images_anew(build, tmp_path):
    """One that was upgraded must not leave images of the old one behind."""
    compiler = tmp_path / "avr-gcc"
    command = ["make", "-C", FIRMWARE, f"BUILD={tmp_path}", f"AVR_CC={compiler}", f"{tmp_path}/lamps.elf"]
    made = []
    for version in ("5.4.0", "14.2.0", "14.2.0"):
        compiler.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo {version} || echo {version} >{tmp_path}/lamps.elf\n'
        )
        compiler.chmod(0o755)
        subprocess.run(command, check=True, capture_output=True)
        made.append(((tmp_path / "lamps.elf").read_text().strip(), (tmp_path / "lamps.elf").stat().st_mtime_ns))
    assert [version for version, _ in made] == ["5.4.0", "14.2.0", "14.2.0"]
    assert made[1] == made[2], "made again for nothing"


@pytest.mark.parametrize("image", IMAGES)
def test_image_fits_with_room_for_the_stack(build, image):
    figures = report.figures(build / f"{image}.elf")
    assert figures.flash <= figures.flash_size
    assert figures.margin >= 32


@pytest.mark.parametrize("image", IMAGES)
def test_no_heap_no_floating_point_no_waiting(build, image):
    names = subprocess.run(["avr-nm", str(build / f"{image}.elf")], check=True, capture_output=True, text=True).stdout
    assert not re.search(r"malloc|calloc|realloc|__(add|sub|mul|div)sf|_delay", names)
    sources = [path.read_text() for path in FIRMWARE.glob("[cil]*/*.c") if path.parent.name in ("common", image)]
    assert not any(re.search(r"\b(_delay_ms|_delay_us|malloc|loop_until_bit)\b", text) for text in sources)


def test_measured_stack_is_within_the_computed(irrigation, lamps):
    board = irrigation_ready(irrigation, a=20)
    for text in ("#SYS_ON", "#ON_A", "x" * 160, "#S_OFF", "#SYS_ON"):
        command(board, text, seconds=15)
    house = ready(lamps)
    for text in ("Semua lampu ON", "Status lampu", "y" * 160):
        answer(house, text)
    for image, used_board in (("irrigation", board), ("lamps", house)):
        figures = report.figures(BUILD / f"{image}.elf")
        used = figures.ram_size - figures.ram - used_board.simulator.figures()["free"]
        assert 8 < used <= figures.stack_main + figures.stack_interrupt, (image, used)


def test_fuses_switch_on_watchdog_and_brown_out(build):
    low, high = fuses.fuses(build / "irrigation.elf")[:2]
    assert not low & 0xC0, "BODLEVEL, BODEN: programmed is zero"
    assert not high & 0x48, "WDTON, EESAVE"
    low, high, extended = fuses.fuses(build / "lamps.elf")
    assert not high & 0x18
    assert extended & 7 == 4, "4.3 V"


def test_cppcheck_is_clean(build):
    if shutil.which("cppcheck") is None:
        pytest.skip("not installed: cppcheck")
    make("check")


@pytest.mark.parametrize("part", ["common/gsm.c", "irrigation/hal_atmega8535.c", "lamps/hal_atmega328p.c"])
def test_cppcheck_finds_a_planted_fault(build, tmp_path, part):
    if shutil.which("cppcheck") is None:
        pytest.skip("not installed: cppcheck")
    for folder in ("common", "irrigation", "lamps", "tools"):
        shutil.copytree(FIRMWARE / folder, tmp_path / folder)
    shutil.copy(FIRMWARE / "Makefile", tmp_path)
    with (tmp_path / part).open("a") as file:
        file.write("int planted(int n);\nint planted(int n)\n{\n    int row[2] = {n, 1};\n    return row[2];\n}\n")
    result = subprocess.run(["make", "-C", tmp_path, "check"], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert re.search(rf"{part}:\d+:\d+: error: .*\[arrayIndexOutOfBounds\]", result.stdout + result.stderr)


def test_pictures_and_tables_are_current():
    result = subprocess.run(
        [sys.executable, FIRMWARE / "tools" / "wiring.py", "--check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("board", IMAGES)
def test_wiring_names_the_pins_of_the_code(board):
    """Each pin that the code names is in the table."""
    part = "atmega8535" if board == "irrigation" else "atmega328p"
    code = (FIRMWARE / board / f"hal_{part}.c").read_text()
    table = (FIRMWARE / "wiring" / f"{board}.csv").read_text()
    pins = set(re.findall(r"^#define \w+ (P[A-D]\d)$", code, re.MULTILINE))
    assert len(pins) >= 6
    assert all(re.search(rf"\b{pin}\b", table) for pin in pins)


@pytest.fixture(scope="module")
def avr_libc():
    """The macros of avr-libc's iom8535.h: an independent copy of the data sheet."""
    make("build/irrigation.elf")
    text = subprocess.run(
        ["avr-gcc", "-mmcu=atmega8535", "-E", "-dM", "-include", "avr/io.h", "-x", "c", "/dev/null"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return dict(re.findall(r"^#define (\w+) (.+)$", text, re.MULTILINE))


def test_addresses_and_vectors_of_the_simulated_core(avr_libc):
    text = (FIRMWARE / "simulation" / "registers8535.h").read_text()
    registers = re.findall(r"\bR_(\w+) = (0x[0-9A-F]+)", text)
    assert len(registers) >= 40
    for name, address in registers:
        io = re.fullmatch(r"_SFR_IO(?:8|16)\((0x[0-9A-Fa-f]+)\)", avr_libc[name])
        assert int(io[1], 16) + 0x20 == int(address, 16), name
    vectors = re.findall(r"\bV_(\w+) = (\d+)", text)
    assert len(vectors) >= 15
    for name, number in vectors:
        assert avr_libc[f"{name}_vect_num"] == number, name


BITS = {
    "TCCR0": "WGM00 WGM01 CS00 CS01 CS02 COM00", "TIMSK": "TOIE0 OCIE0 TOIE1 TICIE1 OCIE1A OCIE1B TOIE2 OCIE2",
    "TIFR": "TOV0 OCF0 TOV1 ICF1 OCF1A OCF1B TOV2 OCF2", "TCCR1A": "WGM10 WGM11 COM1A0 COM1B0",
    "TCCR1B": "WGM12 WGM13 CS10 CS11 CS12", "TCCR2": "WGM20 WGM21 CS20 CS21 CS22 COM20",
    "MCUCR": "ISC00 ISC01 ISC10 ISC11", "GICR": "INT0 INT1 INT2", "GIFR": "INTF0 INTF1 INTF2",
    "WDTCR": "WDCE WDE WDP0 WDP1 WDP2", "MCUCSR": "PORF EXTRF BORF WDRF ISC2",
}  # fmt: skip


def test_bits_of_the_simulated_core(avr_libc):
    code = (FIRMWARE / "simulation" / "atmega8535.c").read_text()
    used = {(register, int(bit)) for register, bit in re.findall(r"BITS?\(R_(\w+), (\d)", code)}
    known = {(register, int(avr_libc[bit])) for register, bits in BITS.items() for bit in bits.split()}
    assert used == known
    for name, value in re.findall(r"\b([A-Z][A-Z0-9]+) = (\d)", (FIRMWARE / "simulation" / "usart.c").read_text()):
        assert avr_libc[name] == value
    for field, macro in (("ramend", "RAMEND"), ("flashend", "FLASHEND"), ("e2end", "E2END")):
        assert int(re.search(rf"\.{field} = (0x\w+)", code)[1], 16) == int(avr_libc[macro].strip("()").split()[0], 16)


def test_latency_from_sms_to_lamp(lamps, capsys):
    """From the moment the network hands the message to the modem to the lamp's pin, answers of the modem included."""
    board = ready(lamps, modem=Modem(send_time=0.2))
    times = []
    for turn in range(24):
        board.advance(1.3 + turn * 0.0137)  # at all phases of the 4 ms tick, between the periodic checks
        board.until(lambda: board.modem.due() is None, 5, 0.01)
        at, before = board.now, board.lamps
        board.message(OWNER, f"Lampu Teras {'OFF' if before[0] else 'ON'}")
        assert board.until(lambda before=before: board.lamps != before, 5, 0.01)
        times.append(board.changes[-1].at - at)
        board.advance(2)
    low, middle, high = min(times), statistics.median(times), max(times)
    cycles = round(middle * board.HERTZ)
    with capsys.disabled():
        spread = f"{low * 1000:.0f} to {high * 1000:.0f} ms, median {middle * 1000:.0f} ms"
        print(f"\nSMS to lamp: {spread}, {cycles} cycles at 16 MHz")
    stated = float(re.search(r"median (\d+) ms", README.read_text())[1])
    assert abs(middle * 1000 - stated) < 15
    assert high < 1
