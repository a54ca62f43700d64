"""A program as a hardened systemd unit (systemd.exec(5), systemd.service(5), systemd.unit(5))."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from appliance.contract.programs import RUN, STATE, Program, Ready
from appliance.supervisor.errors import SupervisionFailed
from appliance.supervisor.places import Places
from appliance.supervisor.privileges import bounding_set

__all__ = ["EDITION", "NETWORK_HOLDS", "PREFIX", "STARTED_BY", "unit_name", "unit_text"]

PREFIX = "gerbang-program-"
"""So that our units are never taken for somebody else's."""
STARTED_BY = "multi-user.target"
"""What starts them at each boot."""
NETWORK_HOLDS = "gerbang-network.target"
"""Reached at boot once the helper has applied the network and its filter, and never left: a helper that stops or is
started anew is no matter of theirs."""

_HARDENING = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RemoveIPC=yes",
    "LockPersonality=yes",
    "KeyringMode=private",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "SystemCallArchitectures=native",
    "SystemCallErrorNumber=EPERM",
    # Whoever is root there does all that he is asked, so a master that was taken over is not let in. Nor is it to the
    # daemon's store and its keys.
    "InaccessiblePaths=-/run/gerbang-helper -/run/systemd/private -/run/dbus -/var/lib/gerbang",
)
# MemoryDenyWriteExecute is left out on purpose: LuaJIT (rspamd) and PCRE's and PHP's compilers need such memory.


def unit_name(program: str) -> str:
    """``gerbang-program-mail.postfix.service``."""
    return f"{PREFIX}{program}.service"


def unit_text(program: Program, places: Places) -> str:
    """The whole unit file. Raises SupervisionFailed for a word that a unit cannot hold."""
    required = " ".join(unit_name(name) for name in program.requires)
    return "\n".join(
        (
            "# Made by Gerbang from the installed code of the service; changes here are overwritten.",
            "[Unit]",
            f"Description={_plain(program.name, program)} of the Gerbang appliance",
            "Documentation=man:systemd.service(5)",
            f"After={' '.join(('network.target', NETWORK_HOLDS, required)).strip()}",
            # Not Requires=, which would also restart what requires a program that is restarted.
            f"Wants={' '.join((NETWORK_HOLDS, required)).strip()}",
            f"StartLimitIntervalSec={program.restart_window:g}",
            f"StartLimitBurst={program.restarts + 1}",
            "",
            "[Service]",
            f"Type={'notify' if program.ready.notify else 'exec'}",
            *(("NotifyAccess=all",) if program.ready.notify else ()),
            f"ExecStart={_command(program, program.command, places)}",
            *_reload(program, places),
            "Restart=always",
            "RestartSec=1",
            f"TimeoutStartSec={program.ready.within:g}",
            f"TimeoutStopSec={program.stop_within:g}",
            "KillMode=control-group",
            # systemd starts a service with 1,024 open files, too few for the readers of one hospital.
            "LimitNOFILE=65536",
            "Environment=LANG=C.UTF-8",
            *((f"User={_plain(program.user, program)}",) if program.user else ()),
            *_folders(program, places),
            f"CapabilityBoundingSet={' '.join(bounding_set(program))}",
            *((f"AmbientCapabilities={' '.join(program.capabilities)}",) if program.user else ()),
            *_HARDENING,
            *_calls(program),
            "",
            "[Install]",
            f"WantedBy={STARTED_BY}",
            "",
        )
    )


def _reload(program: Program, places: Places) -> Iterable[str]:
    if isinstance(program.reload, tuple):
        yield f"ExecReload={_command(program, program.reload, places)}"
    elif program.reload != "restart":
        yield f"ExecReload=/bin/kill -{program.reload} $MAINPID"


def _folders(program: Program, places: Places) -> Iterable[str]:
    own = []
    for path, root, kind, mode in (
        (places.run_of(program.name), Path("/run"), "Runtime", "0755"),
        (places.state_of(program.name), Path("/var/lib"), "State", "0755" if program.passable else "0750"),
    ):
        if path.is_relative_to(root):
            # systemd makes it at each boot, before the helper runs, and gives it to the user.
            yield f"{kind}Directory={_plain(str(path.relative_to(root)), program)}"
            yield f"{kind}DirectoryMode={mode}"
        else:
            own.append(str(path))
    writable = (*own, *(places.expanded(path, program.name) for path in program.writable))
    if writable:
        yield "ReadWritePaths=" + " ".join(f'"-{_escaped(path, program)}"' for path in writable)


def _calls(program: Program) -> Iterable[str]:
    yield "SystemCallFilter=@system-service"
    if "CAP_SYS_CHROOT" in bounding_set(program):
        # Masters that lock their children up; the rest of @mount stays forbidden.
        yield "SystemCallFilter=chroot"


def _command(program: Program, words: tuple[str, ...], places: Places) -> str:
    first = words[0]
    if not (first[:1] == "/" or first[:1].isalnum()):
        raise SupervisionFailed(program.name, f"a unit cannot start with {first!r}")
    return " ".join(f'"{_escaped(places.expanded(word, program.name), program).replace("$", "$$")}"' for word in words)


def _escaped(text: str, program: Program) -> str:
    """Inside double quotes; systemd.syntax(7)."""
    made = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\t", "\\t").replace("\n", "\\n")
    if not made.isprintable():
        raise SupervisionFailed(program.name, f"a unit cannot hold {text!r}")
    return made


def _plain(text: str, program: Program) -> str:
    """Outside quotes: nothing that means something to systemd."""
    if not text or any(not (letter.isascii() and (letter.isalnum() or letter in "/._-")) for letter in text):
        raise SupervisionFailed(program.name, f"a unit cannot hold {text!r}")
    return text


def _edition() -> str:
    """A name of the form in which units are written: another one as soon as any line of it is another."""
    places = Places(RUN, STATE)
    user = Program(name="a.b", command=("/c",), user="d", requires=("a.e",), reload="HUP", ready=Ready(notify=True))
    master = Program(name="a.f", command=("/g",), reload=("/h",), writable=("/i",), passable=True)
    return sha256("".join(unit_text(one, places) for one in (user, master)).encode()).hexdigest()[:12]


EDITION = _edition()
"""After an upgrade that writes units otherwise each program has to act once: that is part of a plan."""
