"""What a master that starts as root finds around it while its configuration is only tried (mount_namespaces(7)).

The configuration was written by the daemon's user, and can name code: a module
of nginx, an executable of Postfix, a plug-in of Dovecot. Tried as root, that
code must find nothing that it could change and nobody whom it could ask: all
file systems read only but for empty folders of its own, no device of a disk,
none of the sockets of the machine, and no file of passwords. It has neither a
right to mount nor to trace, and is in a network of its own.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from appliance.contract.programs import Program

__all__ = ["empty_around", "room_for", "shut_in", "walled"]

EMPTIED = (Path("/run"), Path("/tmp"), Path("/var/tmp"))
"""Each becomes an empty folder of its own."""
HIDDEN = (
    *(Path("/root"), Path("/home"), Path("/boot"), Path("/etc/ssh"), Path("/etc/ssl/private"), Path("/var/backups")),
    *(Path("/etc/shadow"), Path("/etc/shadow-"), Path("/etc/gshadow"), Path("/etc/gshadow-")),
    # Of the daemon itself: its store, and the keys of that.
    Path("/var/lib/gerbang"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_OPEN = "mode=1777"
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC = 0x2, 0x4, 0x8, 0x1000, 0x4000
_SYS_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _RDONLY = 442, -100, 0x8000, 0x1
"""mount(2) and mount_setattr(2), of Linux 5.12; its number is the same on all machines."""
_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """``struct mount_attr``."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def walled(program: Program) -> bool:
    """Whether its configuration could run code as root. Who may mount, the network's own check, is our code alone."""
    return program.user in {"", "root"} and "CAP_SYS_ADMIN" not in program.capabilities


def empty_around(needed: Iterable[Path]) -> tuple[Path, ...]:
    """Put empty folders over those where others work, and nothing over what is no matter of a trial. The folders that
    may be written. What is ``needed`` stays to be seen. Raises OSError."""
    wanted = tuple(path.resolve() for path in needed)
    emptied = [folder for folder in EMPTIED if _may_cover(folder, wanted)]
    for folder in emptied:
        _mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV, "mode=755" if folder == Path("/run") else _OPEN)
    for path in HIDDEN:
        if _may_cover(path, wanted):
            if path.is_dir():
                _mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV | _NOEXEC, "mode=700,size=4k")
            else:
                _mount("/dev/null", path, "", _BIND, "")
    _few_devices()
    return (*emptied, Path("/dev/shm"))


def room_for(path: Path) -> Path:
    """Let a folder be made that is not there, without a trace on the disk: over the folder that is there above it lies
    an empty one, in which all is shown again that it has. That one. Raises OSError."""
    above = next(folder for folder in path.parents if folder.is_dir())
    with ExitStack() as stack:
        entries = sorted(os.scandir(above), key=lambda one: one.name)
        handles = [os.open(one.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC) for one in entries]
        for handle in handles:
            stack.callback(os.close, handle)
        links = {one.name: os.readlink(one.path) for one in entries if one.is_symlink()}
        folders = {one.name for one in entries if one.is_dir(follow_symlinks=False)}
        _mount("tmpfs", above, "tmpfs", _NOSUID | _NODEV, f"mode={above.stat().st_mode & 0o7777:o}")
        for one, handle in zip(entries, handles, strict=True):
            place = above / one.name
            if one.name in links:
                place.symlink_to(links[one.name])
                continue
            place.mkdir() if one.name in folders else place.touch()
            _mount(f"/proc/self/fd/{handle}", place, "", _BIND | _REC, "")
    return above


def shut_in(writable: Iterable[Path]) -> None:
    """Make all file systems read only but these, each of which is one by itself. Raises OSError."""
    _set_read_only(Path("/"), _Attributes(attr_set=_RDONLY), _AT_RECURSIVE)
    for folder in writable:
        _set_read_only(folder, _Attributes(attr_clr=_RDONLY), 0)


def _may_cover(path: Path, needed: tuple[Path, ...]) -> bool:
    return path.exists() and not path.is_symlink() and not any(one.is_relative_to(path) for one in needed)


def _few_devices() -> None:
    """No disk is among them: whoever is root may write to those without any right beside."""
    with ExitStack() as stack:
        known: dict[str, int] = {}
        for name in _DEVICES:
            if Path("/dev", name).exists():
                known[name] = os.open(f"/dev/{name}", os.O_PATH | os.O_CLOEXEC)
                stack.callback(os.close, known[name])
        _mount("tmpfs", Path("/dev"), "tmpfs", _NOSUID | _NOEXEC, "mode=755,size=64k")
        for name, handle in known.items():
            place = Path("/dev", name)
            place.touch()
            _mount(f"/proc/self/fd/{handle}", place, "", _BIND, "")
    for name, target in _LINKS.items():
        Path("/dev", name).symlink_to(target)
    Path("/dev/shm").mkdir()
    _mount("tmpfs", Path("/dev/shm"), "tmpfs", _NOSUID | _NODEV, _OPEN)


def _mount(source: str, target: Path, kind: str, flags: int, options: str) -> None:
    done = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode() or None
    )
    _raise(done, target)


def _set_read_only(path: Path, attributes: _Attributes, flags: int) -> None:
    done = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.c_uint(flags),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _raise(done, path)


def _raise(done: int, path: Path) -> None:
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
