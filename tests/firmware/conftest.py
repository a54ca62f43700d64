from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.firmware.board import Board, IrrigationBoard, LampsBoard
from labs.firmware.modem import Modem
from labs.firmware.settings import Settings
from tests.firmware.building import make

OWNER = "+6281234567890"
SECOND = "081222333444"
STRANGER = "+6281999999999"
SITE = Settings(numbers=(OWNER, SECOND))


@pytest.fixture(scope="session")
def build() -> Path:
    """The images and the bridge."""
    return make("images", "simulation")


@pytest.fixture(scope="session")
def irrigation_host() -> ctypes.CDLL:
    return ctypes.CDLL(str(make("host", chips=False) / "libirrigation.so"))


@pytest.fixture(scope="session")
def lamps_host() -> ctypes.CDLL:
    return ctypes.CDLL(str(make("host", chips=False) / "liblamps.so"))


@pytest.fixture
def boards() -> Iterator[Callable[[Board], Board]]:
    """Registers boards to be closed, and looks that none of them was mistreated by its own firmware."""
    open_boards: list[Board] = []

    def keep(board: Board) -> Board:
        open_boards.append(board)
        return board

    yield keep
    for board in open_boards:
        figures = board.simulator.figures()
        crashes = board.crashes
        board.close()
        assert not crashes
        assert figures["overruns"] == 0, "the firmware was too slow for its serial line"
        assert figures["misuses"] == 0, "EEPROM was read while it was written"
        assert figures["lcd"] == 0, "the display was written while busy"
        assert figures["free"] >= 32, "the stack came near the data"


@pytest.fixture
def irrigation(build: Path, boards: Callable[[Board], Board]) -> Callable[..., IrrigationBoard]:
    """Makes boards that are switched on and ready, fields at 50 %."""

    def make_board(
        modem: Modem | None = None, settings: Settings | None = SITE, *, image: str = "irrigation"
    ) -> IrrigationBoard:
        board = IrrigationBoard(build, modem or Modem(), settings, image)
        boards(board)
        return board

    return make_board


@pytest.fixture
def lamps(build: Path, boards: Callable[[Board], Board]) -> Callable[..., LampsBoard]:
    def make_board(modem: Modem | None = None, settings: Settings | None = SITE, *, image: str = "lamps") -> LampsBoard:
        board = LampsBoard(build, modem or Modem(), settings, image)
        boards(board)
        return board

    return make_board
