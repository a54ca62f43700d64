"""What ``gerbang appliance setup`` does: a user, settings, units, each only where it is missing or old."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from appliance import durable
from appliance.daemon.run_settings import FILE
from appliance.data import data
from compiler.errors import UsageError

__all__ = ["set_up", "steps"]

UNITS = ("gerbang-helper.service", "gerbang.service")
NETWORK_TARGET = "gerbang-network.target"
"""Wanted by the units of the programs, so it is not enabled."""
WEB_UNIT = "gerbang-web.service"
ADDRESSES = "60-gerbang.conf"
"""Lets daemons listen on addresses that come later; of sysctl.d(5)."""
PROGRAM = "/usr/bin/env gerbang"
"""How the units in ``templates/systemd`` name the command."""
DAEMON_USER = ("gerbang", ("--group",))
WEB_USER = ("gerbang-web", ("--ingroup", "gerbang"))
"""In the group of the daemon, whose socket is for that group."""
BOOTED = Path("/run/systemd/system")
"""There when systemd is process 1 (sd_booted(3))."""
HIDDEN = ("/home", "/root", "/run/user")
"""What ``ProtectHome=yes`` hides from a unit (systemd.exec(5))."""
SETTINGS = """\
# Settings of the Gerbang daemon; everything else is a setting of a service, changed in the console.
state: /var/lib/gerbang
socket: /run/gerbang/api.sock
helper: /run/gerbang-helper/helper.sock
# Users whose programs may say for whom they speak: the web door's (gerbang appliance setup --web).
{doors}
# zone: Asia/Jakarta
# store: postgresql://gerbang@/gerbang
# tls: {address: 0.0.0.0, port: 8443, certificate: /etc/gerbang/certificate.pem, key: /etc/gerbang/key.pem}
"""


class Step(NamedTuple):
    """Something that is to be done, and how."""

    text: str
    do: Callable[[], None]


def set_up(arguments: Namespace) -> int:
    """Do what is missing; with ``--dry-run`` only say it."""
    root = Path(arguments.root)
    program = Path(arguments.program or shutil.which("gerbang") or sys.argv[0]).absolute()
    if not program.is_file():
        raise UsageError(f"--program {program}: there is no such file")
    if str(program).startswith(HIDDEN):
        hidden = ", ".join(HIDDEN)
        raise UsageError(
            f"{program}: a unit sees nothing below {hidden}; install gerbang elsewhere, as in /opt/gerbang"
        )
    if not arguments.dry_run and root == Path("/") and os.geteuid() != 0:
        raise UsageError("setting up a machine needs root; --dry-run shows what would be done")
    todo = tuple(steps(root, program, web=arguments.web))
    for step in todo:
        print(step.text)
        if not arguments.dry_run:
            step.do()
    if not todo:
        print("everything is there already")
    elif not arguments.dry_run:
        print(_next(root, web=arguments.web))
    if arguments.web and (said := _doors_missing(root / FILE.relative_to("/"))):
        print(said)
    return 0


def _next(root: Path, *, web: bool) -> str:
    """What starts it: units where systemd runs, else the commands that they hold."""
    units = ("gerbang-helper", "gerbang", *(("gerbang-web",) if web else ()))
    if root != Path("/"):
        return f"Next: boot what lies below {root}; systemd starts {', '.join(units)}"
    if BOOTED.is_dir():
        return f"Next: systemctl start {' '.join(units)}; the first password is in: journalctl -u gerbang"
    user = DAEMON_USER[0]
    return f"""\
systemd does not run here, so nothing starts by itself. Next, as root:
  install -d -o {user} -g {user} -m 750 /var/lib/gerbang /run/gerbang
  gerbang appliance helper                        # and leave it running
  runuser -u {user} -- gerbang appliance run      # and leave it running; it says the first password"""


def steps(root: Path, program: Path, *, web: bool = False) -> Iterator[Step]:
    """What is missing below ``root``, in order; with ``web`` what the web door needs, too."""
    if root == Path("/"):
        for name, more in (DAEMON_USER, *([WEB_USER] if web else [])):
            if not _user_exists(name):
                yield Step(f"make the user {name}", partial(_make_user, name, more))
    settings = root / FILE.relative_to("/")
    if not settings.exists():
        text = SETTINGS.replace("{doors}", "doors: [gerbang-web]" if web else "# doors: [gerbang-web]")
        yield Step(f"write {settings}", partial(_write, settings, text, 0o644))
    addresses = root / "etc/sysctl.d" / ADDRESSES
    text = data(f"templates/systemd/{ADDRESSES}").read_text()
    if not addresses.exists() or addresses.read_text() != text:
        yield Step(f"write {addresses}", partial(_write, addresses, text, 0o644))
        if root == Path("/") and (sysctl := shutil.which("sysctl")):
            yield Step(
                f"let it hold at once: sysctl --load {addresses}", partial(_run, sysctl, "-q", "-p", str(addresses))
            )
    changed = False
    # One that was chosen once is kept up to date without being asked for.
    units = (*UNITS, NETWORK_TARGET, *([WEB_UNIT] if web or (root / "etc/systemd/system" / WEB_UNIT).exists() else []))
    for name in units:
        unit = root / "etc/systemd/system" / name
        text = data(f"templates/systemd/{name}").read_text().replace(PROGRAM, str(program))
        if not unit.exists() or unit.read_text() != text:
            changed = True
            yield Step(f"write {unit}", partial(_write, unit, text, 0o644))
    if changed and root == Path("/") and BOOTED.is_dir():
        chosen = (*UNITS, WEB_UNIT) if web else UNITS
        yield Step(f"tell systemd, and start at each boot: {', '.join(chosen)}", partial(_enable, chosen))


def _doors_missing(settings: Path) -> str:
    """What is to be said when the settings of an administrator do not know the web door."""
    try:
        text = settings.read_text()
    except OSError:
        return ""
    if re.search(r"^doors:.*gerbang-web", text, re.MULTILINE):
        return ""
    return (
        f"add to {settings}: doors: [gerbang-web]; until then all browsers count as one at the login, "
        "and whoever guesses passwords slows the others"
    )


def _user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _make_user(name: str, group: tuple[str, ...]) -> None:
    _run("adduser", "--system", *group, "--home", f"/var/lib/{name}", "--no-create-home", name)


def _enable(units: tuple[str, ...]) -> None:
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", *units)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    durable.put(path, text.encode(), mode)
