"""What runs first inside the namespaces of a shadow start, and of the check of a program that starts as root."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from appliance.contract.programs import Program, Ready
from appliance.helper.shadow import MARK
from appliance.helper.walls import empty_around, room_for, shut_in, walled
from appliance.supervisor.bounded import UMASK
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from appliance.supervisor.privileges import environment, prefix

__all__ = ["main"]

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
"""SIOCGIFFLAGS, SIOCSIFFLAGS and IFF_UP of netdevice(7)."""


def main(told: dict[str, Any]) -> None:
    """Start the program, wait until it serves, stop it, and say how it went on one line; or become its check."""
    places = Places(Path(told["run"]), Path(told["state"]))
    program = _program(told["program"])
    said = ""
    try:
        _loopback_up()
        _bind_anywhere()
        _surround(places, program, Path(told["files"]), privileged=told["privileged"])
        if told["check"]:
            _become_check(places, program, told["files"])
        with OwnSupervisor(places, privileged=told["privileged"], groups=False) as supervisor:
            supervisor.start(program, told["files"])
    except SupervisionFailed as error:
        said = str(error)
    except (OSError, subprocess.CalledProcessError) as error:
        said = f"the shadow could not be made: {error}"
    if told["check"]:
        raise SystemExit(said)
    # The stopping has been waited for: a program that cannot be stopped is said by its log, not here.
    print(f"{MARK}{json.dumps(said)}", flush=True)


def _program(told: dict[str, Any]) -> Program:
    """The program alone: what it requires does not run here, and it gets one chance."""
    values, ready = _with_tuples(told), _with_tuples(told["ready"])
    return Program(**(values | {"ready": Ready(**ready), "requires": (), "restarts": 0}))


def _with_tuples(told: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("16sH22x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(one, _GET_FLAGS, request), 16)
        fcntl.ioctl(one, _SET_FLAGS, struct.pack("16sH22x", b"lo", flags | _UP))


def _bind_anywhere() -> None:
    """The configuration names addresses that this empty network does not have (ip_nonlocal_bind of ip(7))."""
    for family in ("ipv4", "ipv6"):
        with suppress(OSError):
            Path(f"/proc/sys/net/{family}/ip_nonlocal_bind").write_text("1", encoding="ascii")


def _surround(places: Places, program: Program, files: Path, *, privileged: bool) -> None:
    """Empty folders in the place of those that are written, and for who starts as root walls all around. Raises
    CalledProcessError, OSError, SupervisionFailed."""
    folders = [places.run, places.state]
    folders += [Path(places.expanded(path, program.name)) for path in program.writable]
    known = {folder: folder.stat() for folder in folders if folder.is_dir()}
    if not (privileged and walled(program)):
        _cover(known, program, files)
        return
    words = (word for word in (sys.executable, *sys.path, *program.command, *program.check) if word.startswith("/"))
    emptied = empty_around((files, *map(Path, words)))
    made = {room_for(folder) for folder in folders if not folder.exists() and folder not in known}
    for folder in known:
        folder.mkdir(parents=True, exist_ok=True)
    _cover(known, program, files)
    shut_in((*emptied, *made, *known))


def _become_check(places: Places, program: Program, files: str) -> NoReturn:
    """With the folders and the link of its files as they are for who starts on them. Raises OSError,
    SupervisionFailed."""
    places.prepare()
    places.prepare_for(program, privileged=True)
    places.link_files(program.name, files)
    words = [*prefix(program, privileged=True), *(places.expanded(word, program.name, files) for word in program.check)]
    os.umask(UMASK)
    os.execve(words[0], words, environment(program, privileged=True))


def _cover(known: Mapping[Path, os.stat_result], program: Program, files: Path) -> None:
    """An empty tmpfs over each folder that the running one writes. Raises CalledProcessError, SupervisionFailed."""
    for folder, was in known.items():
        if files.is_relative_to(folder):
            raise SupervisionFailed(program.name, f"{files} lies in {folder}, which is covered")
        options = f"nosuid,nodev,size=64m,mode={was.st_mode & 0o7777:o}"
        if _all_users_are_known():
            options += f",uid={was.st_uid},gid={was.st_gid}"
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            check=True,
            stdin=subprocess.DEVNULL,
        )


def _all_users_are_known() -> bool:
    """In a user namespace made without root only one user is, and a folder cannot be given to another."""
    return int(Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2]) > 1
