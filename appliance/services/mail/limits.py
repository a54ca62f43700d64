"""The daemon that Postfix asks how much an account may send and who may write to a list (SMTPD_POLICY_README).

``python -I -m appliance.services.mail.limits FILES STATE SOCKET``. It starts as root, because the interpreter may lie
where only root reads: it imports everything, binds its socket for Postfix, opens its counts, and becomes the owner
of the mailboxes for good before it reads a word from anybody. SIGHUP makes it read its rules anew.
"""

from __future__ import annotations

import asyncio
import grp
import logging
import os
import pwd
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.services.mail.limits_counts import Counts
from appliance.services.mail.limits_rules import Rules, answer, ended_right, read_rules
from appliance.services.mail.submissions import KEPT, EndedSubmissions

__all__ = ["Limits", "become", "main"]

OWNER, ASKING, DOVECOT = "gerbang-mail", "postfix", "mail.dovecot"
LONGEST = 64 * 1024
"""Bytes of one request; Postfix's lines are at most 2 KiB (line_length_limit)."""
FORGET_EVERY = 600.0
"""Seconds."""
journal = logging.getLogger("gerbang.limits")


class Limits:
    """Serves on a bound socket until it is told to end."""

    def __init__(self, files: Path, counts: Counts, ended: EndedSubmissions) -> None:
        self._files = files
        self._counts = counts
        self._ended = ended
        self._rules = read_rules(files)

    def reread(self) -> None:
        """Take the new rules; keep the old ones when those cannot be read."""
        try:
            self._rules = read_rules(self._files)
            journal.info("read the rules of %d accounts", len(self._rules.accounts))
        except (OSError, ValueError, KeyError, TypeError) as error:
            journal.error("the new rules cannot be read, the old ones stay: %s", error)

    async def serve(self, listening: socket.socket) -> None:
        """Until SIGTERM."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, self.reread)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        server = await asyncio.start_unix_server(self._converse, sock=listening, limit=LONGEST)
        forgetting = loop.create_task(self._forget())
        journal.info("ready for %d accounts", len(self._rules.accounts))
        await ended.wait()
        forgetting.cancel()
        server.close()

    async def _forget(self) -> None:
        while True:
            self._counts.forget(time.time())
            await asyncio.sleep(FORGET_EVERY)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of ``name=value`` lines, each ended by an empty one. What is none ends the conversation, and Postfix
        then answers 451 by itself."""
        try:
            while True:
                request = await reader.readuntil(b"\n\n")
                action = self.asked(request.decode("utf-8", "replace"))
                writer.write(f"action={action}\n\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        except Exception:
            journal.exception("a request could not be answered")
        finally:
            writer.close()

    def asked(self, text: str) -> str:
        """The action for one request."""
        request = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
        action = ended_right(request, self._ended) or answer(request, self._rules, self._counts, time.time())
        if action != "DUNNO":
            login, peer = request.get("sasl_username", ""), request.get("client_address", "")
            journal.warning("login=%s client=%s: %s", _plain(login), _plain(peer), _plain(action))
        return action

    @property
    def rules(self) -> Rules:
        """Those that count now."""
        return self._rules


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def become(name: str) -> None:
    """Be this user and nobody else, for good. Raises SystemExit when root's rights could come back."""
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    try:
        os.setresuid(0, 0, 0)
    except PermissionError:
        if os.getresuid() == (entry.pw_uid,) * 3 and os.getresgid() == (entry.pw_gid,) * 3 and not os.getgroups():
            return
    raise SystemExit(f"the rights of root could not be dropped for those of {name}")


def bound(path: Path, *, asking: str = "") -> socket.socket:
    """A socket for this user and group alone; empty: for ourselves. It does not listen yet."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    if asking:
        os.chown(path, pwd.getpwnam(asking).pw_uid, grp.getgrnam(asking).gr_gid)
        path.chmod(0o660)
    listening.setblocking(False)
    return listening


def main(words: Sequence[str]) -> None:
    """Serve until SIGTERM. Raises SystemExit when it cannot."""
    files, state, path = (Path(word) for word in words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    kept = state / "counts"
    privileged = os.geteuid() == 0
    try:
        kept.mkdir(mode=0o700, exist_ok=True)
        if privileged:
            entry = pwd.getpwnam(OWNER)
            os.chown(kept, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
            listening = bound(path, asking=ASKING)
            become(OWNER)
        else:
            listening = bound(path)
        ended = EndedSubmissions(state.parent / DOVECOT / KEPT)
        limits = Limits(files, Counts(kept / "sent.sqlite"), ended)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SystemExit(f"the limits cannot start: {error}") from None
    # Only now: who can connect takes us for ready.
    listening.listen(256)
    asyncio.run(limits.serve(listening))


if __name__ == "__main__":
    main(sys.argv[1:])
