"""The first process of a node's programs, and the way in to it. Run as a script; it needs the standard library alone.

``hold`` makes namespaces of mounts, processes, host name and interprocess
communication, says which process holds them, and lives until its standard input
ends: then the kernel kills what is in them (pid_namespaces(7)), so that nothing
outlives the lab, not even one that was killed. ``enter`` starts a command in
them and ends as it ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

# sched.h and sys/mount.h
_NEWNS, _NEWUTS, _NEWIPC, _NEWPID = 0x00020000, 0x04000000, 0x08000000, 0x20000000
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_NAMES = ("net", "uts", "ipc", "mnt", "pid")
_RESOLVER = "/etc/resolv.conf"
_NOT_FOUND, _NOT_RUN = 127, 126
"""As the shell says it."""

_libc = ctypes.CDLL(None, use_errno=True)


def main(words: Sequence[str]) -> int:
    """``hold JSON`` or ``enter PID JSON``."""
    if words[0] == "hold":
        return _hold(json.loads(words[1]))
    return _enter(int(words[1]), json.loads(words[2]))


# -- hold ----------------------------------------------------------------------------


def _hold(plan: dict[str, object]) -> int:
    """``name``, ``private`` (folders), ``kept`` (folders that stay), ``resolver`` (a file, or empty)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _check(_libc.unshare(_NEWNS | _NEWPID | _NEWUTS | _NEWIPC), "unshare")
        reading, writing = os.pipe()
        first = os.fork()
        if not first:
            os.close(reading)
            _first(plan, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
    except OSError as error:
        first, said = 0, str(error)
    print(json.dumps({"pid": first, "error": said}), flush=True)
    if first:
        os.waitpid(first, 0)
    return 0


def _first(plan: dict[str, object], writing: int) -> None:
    """Process 1: furnish, tell what went wrong (nothing is well), and reap until standard input ends."""
    signal.signal(signal.SIGCHLD, _reap)
    try:
        _furnish(plan)
    except OSError as error:
        os.write(writing, str(error).encode())
        os._exit(1)
    os.close(writing)
    os.close(1)
    while os.read(0, 1):
        pass
    os._exit(0)


def _reap(*_: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _furnish(plan: dict[str, object]) -> None:
    private, kept = _texts(plan["private"]), _texts(plan["kept"])
    held = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in kept]
    resolver = os.open(str(plan["resolver"]), os.O_PATH | os.O_CLOEXEC) if plan["resolver"] else None
    name = str(plan["name"]).encode()
    _check(_libc.sethostname(name, len(name)), "sethostname")
    _mount("none", "/", "", _REC | _PRIVATE)
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    for path in private:
        _mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, "mode=1777" if path.endswith("/tmp") else "mode=755")
    for path, descriptor in held:
        if any(Path(path).is_relative_to(one) for one in private):
            Path(path).mkdir(parents=True, exist_ok=True)
            _mount(f"/proc/self/fd/{descriptor}", path, "", _BIND | _REC)
        os.close(descriptor)
    if resolver is not None:
        _resolve(resolver)


def _resolve(descriptor: int) -> None:
    """Over /etc/resolv.conf, wherever that leads, lies the node's own; seen in this namespace alone."""
    target = Path(_RESOLVER).resolve()
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(f"/proc/self/fd/{descriptor}", str(target), "", _BIND)
    os.close(descriptor)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


# -- enter ---------------------------------------------------------------------------


def _enter(holder: int, plan: dict[str, object]) -> int:
    """``words``, ``folder``, ``descriptors`` (how many files it may open); the environment is this process's own."""
    allowed = os.sched_getaffinity(holder)
    doors = [os.open(f"/proc/{holder}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in _NAMES]
    for door in doors:
        _check(_libc.setns(door, 0), "setns")
    child = os.fork()
    if not child:
        _become(plan, allowed)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), -code)
    return 128 - code


def _become(plan: dict[str, object], allowed: set[int]) -> None:
    words = _texts(plan["words"])
    try:
        os.sched_setaffinity(0, allowed)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft = int(str(plan["descriptors"]))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, hard) if hard >= 0 else soft, hard))
        os.chdir(str(plan["folder"]))
        os.execvp(words[0], words)
    except FileNotFoundError as error:
        os.write(2, f"{words[0]}: {error.strerror}\n".encode())
        os._exit(_NOT_FOUND)
    except OSError as error:
        os.write(2, f"{words[0]}: {error.strerror}\n".encode())
        os._exit(_NOT_RUN)


# -- system calls --------------------------------------------------------------------


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    arguments = [one.encode() or None for one in (source, target, kind)]
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None)
    _check(result, f"mount of {kind or 'none'} on {target}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
