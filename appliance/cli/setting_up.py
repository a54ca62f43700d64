"""What ``gerbang appliance setup`` does: a user, folders, settings and units, each only where it is missing or old."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from appliance.data import data
from compiler.errors import UsageError

__all__ = ["set_up", "steps"]

UNITS = ("gerbang-helper.service", "gerbang.service")
PROGRAM = "/usr/bin/env gerbang"
"""How the units in ``templates/systemd`` name the command."""
HIDDEN = ("/home", "/root", "/run/user")
"""What ``ProtectHome=yes`` hides from a unit (systemd.exec(5))."""
SETTINGS = """\
# Settings of the Gerbang daemon; everything else is a setting of a service, changed in the console.
state: /var/lib/gerbang
socket: /run/gerbang/api.sock
helper: /run/gerbang-helper/helper.sock
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
    todo = tuple(steps(root, program))
    for step in todo:
        print(step.text)
        if not arguments.dry_run:
            step.do()
    if not todo:
        print("everything is there already")
    elif not arguments.dry_run:
        print("Next: systemctl start gerbang-helper gerbang; the first password is in: journalctl -u gerbang")
    return 0


def steps(root: Path, program: Path) -> Iterator[Step]:
    """What is missing below ``root``, in order."""
    if root == Path("/") and not _user_exists():
        yield Step("make the user gerbang", _make_user)
    settings = root / "etc/gerbang/appliance.yaml"
    if not settings.exists():
        yield Step(f"write {settings}", partial(_write, settings, SETTINGS, 0o644))
    changed = False
    for name in UNITS:
        unit = root / "etc/systemd/system" / name
        text = data(f"templates/systemd/{name}").read_text().replace(PROGRAM, str(program))
        if not unit.exists() or unit.read_text() != text:
            changed = True
            yield Step(f"write {unit}", partial(_write, unit, text, 0o644))
    if changed and root == Path("/") and Path("/run/systemd/system").is_dir():
        yield Step("tell systemd, and start both at each boot", _enable)


def _user_exists() -> bool:
    try:
        pwd.getpwnam("gerbang")
    except KeyError:
        return False
    return True


def _make_user() -> None:
    _run("adduser", "--system", "--group", "--home", "/var/lib/gerbang", "--no-create-home", "gerbang")


def _enable() -> None:
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", *UNITS)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    beside.chmod(mode)
    beside.replace(path)
