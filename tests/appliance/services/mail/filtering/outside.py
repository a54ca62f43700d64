"""The world of the filter, as a test has it in hand."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.appliance.services.mail.filtering.hospital import DOMAIN, dkim
from tests.appliance.services.mail.filtering.milter import Envelope, Verdict, ask

__all__ = ["LOG", "Filter", "needs_the_filter", "until"]

ROOT = Path(__file__).parents[5]
LOG = "/var/lib/gerbang-programs/mail.rspamd/log/rspamd.log"
_WORDS = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")


@lru_cache(maxsize=1)
def _why_not() -> str:
    if os.geteuid() != 0:
        return "needs root"
    for program in ("unshare", "setpriv", "rspamd", "clamd", "ip"):
        if shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            return f"needs {program}"
    for user in ("clamav", "_rspamd"):
        try:
            pwd.getpwnam(user)
        except KeyError:
            return f"there is no user {user}"
    tried = subprocess.run([*_WORDS, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "namespaces cannot be made here"


needs_the_filter = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")
"""Skip, with the reason, where rights or programs are missing."""


def until(true: Callable[[], bool], within: float = 60.0) -> None:
    """Wait for a condition. Raises AssertionError when it does not come true."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


class Filter:
    """clamd and rspamd in namespaces of their own, with a name server that knows the hospital and two others."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gerbang-filter-"))
        self.folder.chmod(0o755)
        self.pem = dkim().private
        self.other = dkim.__wrapped__()
        zone = {
            DOMAIN: {"MX": f"10 mail.{DOMAIN}."},
            f"gerbang._domainkey.{DOMAIN}": {"TXT": _txt(f"v=DKIM1; k=rsa; p={dkim().public}")},
            "elsewhere.example": {"A": "203.0.113.9", "TXT": '"v=spf1 ip4:203.0.113.9 -all"'},
            "strict.example": {"A": "203.0.113.9", "TXT": '"v=spf1 ip4:203.0.113.77 -all"'},
            "_dmarc.strict.example": {"TXT": '"v=DMARC1; p=reject"'},
            "gerbang._domainkey.strict.example": {"TXT": _txt(f"v=DKIM1; k=rsa; p={self.other.public}")},
        }
        self.said = self.folder / "said"
        words = [*_WORDS, sys.executable, "-m", "tests.appliance.services.mail.filtering.world"]
        with self.said.open("w") as said:
            self._process = subprocess.Popen(
                [*words, str(self.folder), json.dumps(zone)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def order(self, name: str, *arguments: Any) -> Any:
        """Do something in there. Raises AssertionError with what went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self.said.read_text(encoding="utf-8", errors="replace")
        fine, answer = json.loads(line)
        assert fine, answer
        return answer

    def generation(self, **options: Any) -> str:
        """Render the hospital; its folder."""
        return str(self.order("generation", {"pem": self.pem, **options}))

    def ask(self, message: bytes, **envelope: Any) -> Verdict:
        """What the filter says to a message."""
        return ask(self.folder / "milter.sock", message, Envelope(**envelope))

    def close(self) -> None:
        """End it and all in it."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(40)
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _txt(text: str) -> str:
    """In strings of at most 255 bytes (RFC 1035 section 3.3.14)."""
    return " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))
