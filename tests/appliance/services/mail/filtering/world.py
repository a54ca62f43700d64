"""Runs first in the namespaces of a test: the filter's daemons, a name server, and a way in from outside.

Orders come as JSON by standard input, one a line; each gets an answer. The
milter is reached by a socket of the file system, since the tests have another
network.
"""

from __future__ import annotations

import asyncio
import grp
import json
import os
import pwd
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from appliance.components.daemon import Daemon
from appliance.contract.components import Component
from appliance.contract.programs import RUN, STATE, Program
from appliance.helper.checking import check
from appliance.helper.shadow import shadow
from appliance.services.mail.filtering_components import COMPILED, MILTER, PROGRAMS, SENDERS, components
from appliance.services.mail.filtering_rendering import EncryptedArchives, FilterPolicy
from appliance.supervisor.own import OwnSupervisor
from appliance.supervisor.places import Places
from tests.appliance.services.mail.filtering.hospital import hospital

_SPEAK = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
try:
    line.connect(sys.argv[1])
    line.sendall(f"n{sys.argv[2]}\\n".encode())
    print(line.recv(100).decode())
except OSError as error:
    print(type(error).__name__)
"""
_PLACES = Places(RUN, STATE)


class World:
    """The daemons and what orders do to them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._by_name = {program.name: program for program in PROGRAMS}
        for program in PROGRAMS:
            _PLACES.prepare()
            _PLACES.prepare_for(program, privileged=True)
        self._supervisor = OwnSupervisor(_PLACES, privileged=True, groups=False)

    def generation(self, options: dict[str, Any]) -> str:
        """Render all; the folder, with the owners that the helper gives the copies of each program."""
        self._number += 1
        folder = self._folder / f"generation-{self._number}"
        policy = FilterPolicy(
            encrypted_archives=EncryptedArchives(options.pop("encrypted", "mark")),
            outside_lists=options.pop("outside_lists", False),
        )
        by_name = {one.name: one for one in components(hospital(**options), policy)}
        for program in PROGRAMS:
            for name in (program.name, *program.reads):
                _write(by_name[name], folder / program.name / name, program)
        return str(folder)

    def start(self, generation: str) -> str:
        """Both, in order; reload those that run."""
        for program in PROGRAMS:
            self._supervisor.start(program, f"{generation}/{program.name}/{program.name}")
        return ""

    def stop(self, program: str) -> str:
        self._supervisor.stop(program)
        return ""

    def reload(self, program: str, generation: str) -> str:
        self._supervisor.reload(self._by_name[program], f"{generation}/{program}/{program}")
        return ""

    def check(self, program: str, generation: str) -> str:
        files = Path(generation) / program / program
        return check(self._by_name[program], files, _PLACES, privileged=True)

    def shadow(self, program: str, generation: str) -> list[Any]:
        files = Path(generation) / program / program
        before = time.monotonic()
        said = shadow(self._by_name[program], files, _PLACES, privileged=True)
        return [said, time.monotonic() - before]

    def kill_for_good(self, program: str, binary: str) -> str:
        """SIGKILL, and its binary is in the way of each further start."""
        subprocess.run(["mount", "--bind", "/bin/false", binary], check=True)
        os.kill(next(one.process for one in self._supervisor.status() if one.program == program), 9)
        return ""

    def answer_instead(self, text: str) -> str:
        """In clamd's place, something that says this to whatever it is asked."""
        path = RUN / "mail.clamd" / "clamd.sock"
        path.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        path.chmod(0o666)
        server.listen(50)
        threading.Thread(target=_say, args=(server, text.encode()), daemon=True).start()
        return ""

    def read(self, path: str) -> str:
        return Path(path).read_text(encoding="utf-8", errors="replace")

    def processes(self) -> dict[str, str]:
        said = subprocess.run(["ps", "-eo", "user:20,args"], capture_output=True, text=True, check=True)
        return {"text": said.stdout}

    def workers(self) -> list[int]:
        """The processes that judge mail and take new connections."""
        # A worker that has just been made says what it is a moment after it serves.
        for _attempt in range(600):
            said = subprocess.run(["pgrep", "-f", "^rspamd: rspamd_proxy"], capture_output=True, text=True, check=False)
            if said.stdout:
                break
            time.sleep(0.1)
        return sorted(int(word) for word in said.stdout.split())

    def speak_to_scanner(self, user: str, word: str) -> str:
        """What clamd answers to this user, or the name of the error."""
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            entry = pwd.getpwnam("nobody")
        words = [sys.executable, "-c", _SPEAK, str(RUN / "mail.clamd" / "clamd.sock"), word]
        done = subprocess.run(
            [*("setpriv", "--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups"), *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def owners(self, generation: str) -> dict[str, list[Any]]:
        return {
            str(path.relative_to(generation)): [path.owner(), path.group(), path.stat().st_mode & 0o777]
            for path in Path(generation).rglob("*")
            if path.is_file()
        }

    def close(self) -> None:
        self._supervisor.close()


def _say(server: socket.socket, text: bytes) -> None:
    while True:
        one, _ = server.accept()
        one.recv(65536)
        one.sendall(text + b"\0")
        one.close()


def _write(component: Component, folder: Path, program: Program) -> None:
    user = pwd.getpwnam(program.user).pw_uid if program.user else 0
    group = grp.getgrnam(program.readers).gr_gid if program.readers else pwd.getpwnam(program.user or "root").pw_gid
    assert isinstance(component, Daemon) or component.name == SENDERS
    folder.mkdir(parents=True, mode=0o755)
    for file in component.render():
        path = folder / file.path
        path.write_bytes(file.content)
        os.chown(path, *((user, group) if file.mode == 0o600 else (0, group)))
        path.chmod(file.mode)


def _names(zone: dict[str, dict[str, str]]) -> None:
    """A name server for a few names: everything else is not there."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        wire, peer = server.recvfrom(4096)
        query = dns.message.from_wire(wire)
        answer = dns.message.make_response(query)
        question = query.question[0]
        name, kind = question.name.to_text().lower().rstrip("."), dns.rdatatype.to_text(question.rdtype)
        if value := zone.get(name, {}).get(kind):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, value))
        elif name not in zone:
            answer.set_rcode(3)
        answer.flags |= dns.flags.RA
        server.sendto(answer.to_wire(), peer)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    inner_reader, inner_writer = await asyncio.open_connection(*MILTER)

    async def along(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    await asyncio.gather(along(reader, inner_writer), along(inner_reader, writer))


async def _serve(path: Path) -> None:
    server = await asyncio.start_unix_server(_pass, path)
    await server.serve_forever()


def _cover(folder: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # What takes 15 s to compile is kept from test to test, as from start to start.
    kept = folder / "compiled"
    kept.mkdir()
    if Path(COMPILED).is_dir():
        subprocess.run(["mount", "--bind", COMPILED, str(kept)], check=True)
    for path in ("/run", "/var/lib"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)
    Path(COMPILED).mkdir()
    subprocess.run(["mount", "--bind", str(kept), COMPILED], check=True)
    # What is below the folder is removed at the end.
    while os.path.ismount(kept):
        subprocess.run(["umount", str(kept)], check=True)


def main(folder: Path, zone: dict[str, dict[str, str]]) -> None:
    """Serve until standard input ends."""
    _cover(folder)
    threading.Thread(target=_names, args=(zone,), daemon=True).start()
    threading.Thread(target=lambda: asyncio.run(_serve(folder / "milter.sock")), daemon=True).start()
    world = World(folder)
    try:
        for line in sys.stdin:
            name, arguments = json.loads(line)
            order: Callable[..., Any] = getattr(world, name)
            try:
                print(json.dumps([True, order(*arguments)]), flush=True)
            except Exception as error:
                print(json.dumps([False, f"{type(error).__name__}: {error} {getattr(error, 'said', '')}"]), flush=True)
    finally:
        world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
