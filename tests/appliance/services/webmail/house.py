"""A web mail that stands in namespaces of its own, and a browser beside it."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from appliance.helper.packages import make_user
from appliance.services.webmail.installed import NGINX, ROUNDCUBE, php_cli, php_fpm
from labs.kernel.namespaces import Namespace
from tests.appliance.services.machine.standing import needs_everything
from tests.appliance.services.network.wires import needs_kernel

__all__ = ["CHROMIUM", "NEEDS", "SERVER", "House"]

CHROMIUM = Path("/usr/bin/chromium")
SERVER = "192.168.10.2"
ROOT = Path(__file__).parents[4]
_PATIENCE = 60.0
_COVERED = 'mount -t tmpfs none /run && mount -t tmpfs none /var/lib && exec "$@"'
# A process namespace too: when the first of it ends, all others do.
_APART = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", _COVERED, "sh")


def _missing() -> str:
    needed = (NGINX, php_fpm(), f"{ROUNDCUBE}/index.php", "/usr/sbin/dovecot")
    return ", ".join(path for path in needed if not Path(path).exists())


NEEDS = (
    needs_kernel,
    needs_everything,
    pytest.mark.skipif(bool(_missing()), reason=f"not installed: {_missing()}"),
)
"""Skip, with the reason, where rights or daemons are missing; and use one house."""


class House:
    """``small_house.py`` in a network and a mount namespace, as a context manager that leaves nothing."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> House:
        make_user("webmail", "gerbang-webmail")
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gerbang-webmail-")))
        self.folder.chmod(0o755)
        self.network = self._stack.enter_context(Namespace("webmail"))
        log = self._stack.enter_context((self.folder / "house.log").open("w"))
        module = (sys.executable, "-m", "tests.appliance.services.webmail.small_house")
        with self.network.inside():
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            # Who asks from here has an address of the LAN, and not the loopback's.
            subprocess.run(["ip", "address", "add", f"{SERVER}/32", "dev", "lo"], check=True)
            self._process = subprocess.Popen(
                [*_APART, *module, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                text=True,
            )
        self._stack.callback(self._end)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if said != "ready\n":
            text = (self.folder / "house.log").read_text()
            self._stack.close()
            raise AssertionError(said + text)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        with suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]

    def ask(self, line: str) -> Any:
        """One question to ``small_house.py``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, (self.folder / "house.log").read_text()
        return json.loads(answer)

    def tls(self) -> ssl.SSLContext:
        """Trusts the own authority and nobody else."""
        return ssl.create_default_context(cafile=str(self.folder / "authority.pem"))

    def browser(self, playwright: Any) -> Any:
        """Chromium. ``playwright`` was started inside the namespace: they talk through pipes, so nobody is cut off."""
        rules = f"--host-resolver-rules=MAP www.rssulsel.com {SERVER}"
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
        return playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", rules, *quiet])

    def mailbox(self, name: str) -> list[bytes]:
        """The messages in somebody's inbox."""
        box = self.folder / "mail" / name / "Maildir"
        return [path.read_bytes() for part in ("new", "cur") for path in sorted((box / part).iterdir())]

    def deliver(self, name: str, message: bytes) -> None:
        """Put a message into somebody's inbox, as a delivery does."""
        box = self.folder / "mail" / name / "Maildir"
        owner = box.stat()
        path = box / "tmp" / uuid.uuid4().hex
        path.write_bytes(message)
        os.chown(path, owner.st_uid, owner.st_gid)
        path.rename(box / "new" / path.name)

    def dovecot_says(self, pattern: str) -> None:
        """In its log, which another of its processes writes than the one that has answered."""
        log, end = self.folder / "dovecot.log", time.monotonic() + _PATIENCE
        while re.search(pattern, said := log.read_text()) is None:
            assert time.monotonic() < end, said
            time.sleep(0.05)

    @property
    def first(self) -> int:
        """The process that is the first in there, seen from here."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def here(self, path: str) -> Path:
        """A path in there, seen from here."""
        return Path(f"/proc/{self.first}/root{path}")

    def scripts(self) -> Path:
        """Roundcube's own scripts of its schema."""
        return Path(ROUNDCUBE) / "SQL"

    def schema(self, database: Path) -> None:
        """Make it, or bring it up, as each start does."""
        files = os.readlink(self.here("/var/lib/gerbang-programs/.files/webmail.php"))
        script = self.here(files) / "schema.php"
        subprocess.run([php_cli(), str(script), str(database), str(self.scripts())], check=True, capture_output=True)
