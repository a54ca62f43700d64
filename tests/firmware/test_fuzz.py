"""A million bytes of a modem gone mad (host/fuzz.c), and a sample of them on the real images."""

from __future__ import annotations

import random
import subprocess

import pytest

from labs.firmware.modem import Modem
from tests.conftest import LONG
from tests.firmware.building import make
from tests.firmware.conftest import OWNER

BYTES = 20_000_000 if LONG else 1_000_000
SEEDS = range(1, 11) if LONG else range(1, 3)
REPLAY = 200_000 if LONG else 6_000


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("board", ["lamps", "irrigation"])
def test_host_build_with_sanitisers(board, seed):
    """Aborts on a bad access, undefined behaviour, a watchdog not kicked, an output switched by a stranger."""
    program = make("fuzz", chips=False) / f"fuzz-{board}"
    result = subprocess.run([program, str(BYTES), str(seed)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    words = result.stdout.split()
    assert int(words[1]) >= BYTES
    assert words[-1] == "1", "obeys its owner again afterwards"


@pytest.mark.parametrize("board_name", ["lamps", "irrigation"])
def test_replay_on_the_image(request, tmp_path, board_name):
    """The same bytes at 9600 baud into simavr: no crash, no lost tick of the watchdog, nothing switched, and back."""
    program = make("fuzz", chips=False) / f"fuzz-{board_name}"
    recorded = tmp_path / "bytes"
    subprocess.run([program, str(REPLAY), "77", str(recorded)], check=True, capture_output=True)
    board = request.getfixturevalue(board_name)(modem=Modem(mute=True))
    board.power(True)
    board.advance(1)
    data, chance = recorded.read_bytes(), random.Random(5)
    while data:
        size = chance.randrange(1, 400)
        part, data = data[:size], data[size:]
        board.simulator.serial(part)
        board.advance(len(part) / 900 + chance.choice([0, 0.01, 0.1, 1.0]))
    switched = [change for change in board.changes if change.name != "indicator"]
    assert not switched
    assert not board.resets
    board.modem.mute = False
    board.advance(60)
    board.message(OWNER, "#ON_A" if board_name == "irrigation" else "Lampu Teras ON")
    name = "A" if board_name == "irrigation" else "terrace"
    assert board.until(lambda: board.outputs[name], 120, 1)


@pytest.mark.long
@pytest.mark.parametrize("board", ["lamps", "irrigation"])
def test_libfuzzer(board, tmp_path):
    """Coverage-guided, a million bytes at least: 20,000 inputs of up to 400 bytes."""
    import shutil

    if shutil.which("clang") is None:
        pytest.skip("not installed: clang")
    program = make(f"build/libfuzzer-{board}", chips=False) / f"libfuzzer-{board}"
    result = subprocess.run(
        [program, "-runs=20000", "-max_len=400", "-seed=1", "-len_control=0", str(tmp_path)],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
