"""The console's end of the pipe: it ends with its input, and its packets are whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from textual._xterm_parser import XTermParser
from textual.events import Resize

from appliance.doors.terminal import BoundedDriver
from appliance.doors.web.driver import ConsoleDriver


def test_a_console_ends_when_its_door_was_killed(tmp_path: Path) -> None:
    """All that it sees of that is the end of its input, with nobody reading its output."""
    environment = os.environ | {
        "TEXTUAL_DRIVER": "appliance.doors.web.driver:ConsoleDriver",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "GERBANG_WEB": "1",
        "GERBANG_TOKEN": "none",
    }
    command = [sys.executable, "-m", "compiler", "console", "--socket", str(tmp_path / "none.sock")]
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stdout.readline() == b"__GANGLION__\n"
    running.stdout.close()
    running.stdin.close()
    running.wait(20)


def test_packets_of_two_threads_are_never_torn() -> None:
    reading, writing = os.pipe()
    driver: Any = ConsoleDriver.__new__(ConsoleDriver)
    driver.fileno, driver._one_at_a_time = writing, threading.Lock()
    size, number = 200_000, 20

    def write(letter: bytes) -> None:
        for _packet in range(number):
            driver._write_whole(letter * size)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    with open(reading, "rb") as source:
        packets = [source.read(size) for _packet in range(2 * number)]
    for thread in threads:
        thread.join()
    os.close(writing)
    assert all(len(set(one)) == 1 for one in packets)


def test_a_size_among_the_keys_is_not_believed() -> None:
    """The web door's sizes come beside them; those of a terminal at SSH are bounded."""
    for driver_class, expected in ((ConsoleDriver, ["a", "b"]), (BoundedDriver, ["a", (500, 200), (99, 30), "b"])):
        driver: Any = driver_class.__new__(driver_class)
        told: list[Any] = []
        driver._app, driver.send_message, driver._down_buttons, driver.cursor_origin = None, told.append, [], None
        for message in XTermParser().feed("a\x1b[48;60000;60000;0;0t\x1b[48;30;99;0;0tb"):
            driver.process_message(message)
        assert [tuple(one.size) if isinstance(one, Resize) else one.character for one in told] == expected
