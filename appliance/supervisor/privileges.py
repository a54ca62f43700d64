"""Which rights a program starts with: a command line of setpriv(1), which drops them and becomes the program.

setpriv is of util-linux. Doing the same between fork and exec in Python is
not safe in a process with threads.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping

from appliance.contract.programs import Program
from appliance.supervisor.errors import SupervisionFailed

__all__ = ["DROPS_ITSELF", "bounding_set", "environment", "prefix"]

DROPS_ITSELF = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_IPC_LOCK",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
    "CAP_SYS_RESOURCE",
)
"""What a master needs that starts as root and lets its children become others: the set of Dovecot's own unit
(``dovecot.service.in``), and CAP_FOWNER. No mounting, no network settings, no tracing, no modules."""

_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def bounding_set(program: Program) -> tuple[str, ...]:
    """The rights beyond which neither the program nor its children ever come."""
    if program.user and program.user != "root":
        return program.capabilities
    return tuple(dict.fromkeys((*DROPS_ITSELF, *program.capabilities)))


def prefix(program: Program, *, privileged: bool) -> tuple[str, ...]:
    """The words before the program's own command. Raises SupervisionFailed when there is no such user.

    Without root nothing can be dropped but the gaining of rights (no_new_privs).
    """
    setpriv = shutil.which("setpriv", path=_SEARCH)
    if setpriv is None:
        if privileged:
            raise SupervisionFailed(program.name, "setpriv (Debian package util-linux) is not installed")
        return ()
    words = [setpriv, "--no-new-privs"]
    if privileged:
        kept = bounding_set(program)
        if program.user:
            entry = _entry(program)
            ambient = _capabilities(kept)
            words += [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups"]
            words += [f"--inh-caps={ambient}", f"--ambient-caps={ambient}"]
        else:
            words += ["--inh-caps=-all"]
        words += [f"--bounding-set={_capabilities(kept)}"]
    return (*words, "--")


def environment(program: Program, *, privileged: bool, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment; nothing of the supervisor's own comes through."""
    known = {"PATH": _SEARCH, "LANG": "C.UTF-8"}
    try:
        entry = _entry(program) if privileged and program.user else pwd.getpwuid(os.geteuid())
    except KeyError:
        return {**known, **(more or {})}
    known |= {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}
    return {**known, **(more or {})}


def _entry(program: Program) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(program.user)
    except KeyError:
        raise SupervisionFailed(program.name, f"there is no user {program.user}") from None


def _capabilities(names: tuple[str, ...]) -> str:
    return ",".join(("-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in names)))
