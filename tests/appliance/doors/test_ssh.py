"""The SSH door behind a real sshd on loopback: the holder of a key has the console, and nothing else."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.doors.ssh import authorized_line, console_command, sshd_configuration
from compiler.errors import UsageError

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")
GERBANG = Path(sys.executable).with_name("gerbang")
PATIENCE = 60.0
WAYS = ("match", "line")
needs_sshd = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None or os.geteuid() != 0, reason="needs root and OpenSSH's sshd and ssh"
)


class Server:
    """sshd with a configuration of its own. Whoever has ``key`` gets ``program``."""

    def __init__(self, folder: Path, way: str, program: Path) -> None:
        self.folder = folder
        self.key = folder / "id"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        for name in ("host", "id"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        public, keys = (folder / "id.pub").read_text(), folder / "keys"
        command = console_command(program, folder / "none.sock")
        keys.write_text((public if way == "match" else authorized_line(public, command)) + "\n")
        lines = [
            *(f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {folder / 'host'}", "PidFile none"),
            *("StrictModes no", "UsePAM no", "PermitRootLogin yes", "AcceptEnv LANG"),
            # As open as it can be: what is refused, our lines refuse.
            *("AllowTcpForwarding yes", "AllowAgentForwarding yes", "X11Forwarding yes", "PermitTunnel yes"),
            *("Subsystem sftp internal-sftp", f"AuthorizedKeysFile {keys if way == 'line' else 'none'}"),
        ]
        text = "\n".join([*lines, sshd_configuration("root", keys, command) if way == "match" else ""])
        (folder / "sshd_config").write_text(text + "\n")
        self.log = folder / "sshd.log"
        with self.log.open("wb") as log:
            assert SSHD is not None
            self.running = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.running.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        """End it."""
        self.running.terminate()
        self.running.wait(PATIENCE)

    def options(self, program: str = "ssh") -> list[str]:
        """The words before the host."""
        said = {
            "IdentitiesOnly": "yes",
            "IdentityFile": str(self.key),
            "UserKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "no",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
            "ExitOnForwardFailure": "yes",
        }
        words = [f"-o{name}={value}" for name, value in said.items()]
        return [program, "-F", "none", *words, "-p" if program == "ssh" else "-P", str(self.port)]

    def ssh(self, *words: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        """Without a terminal of ours."""
        command = [*self.options(), *before, "root@127.0.0.1", *words]
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=os.environ | environment,
            check=False,
        )


@pytest.fixture(scope="module")
def privileges() -> None:
    """The folder into which sshd shuts its unprivileged half. It stays: tests beside this one need it too."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def _server(tmp_path_factory: pytest.TempPathFactory, way: str, program: Path | None = None) -> Server:
    folder = tmp_path_factory.mktemp(way)
    if program is None:
        program = folder / "shown"
        # What a console would have at hand: its environment, its words, and whether there is a terminal.
        program.write_text('#!/bin/sh\necho "words: $*"\nenv\ntty\n')
        program.chmod(0o755)
    return Server(folder, way, program)


@pytest.fixture(scope="module", params=WAYS)
def shown(
    request: pytest.FixtureRequest, privileges: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose console only shows what it was given."""
    server = _server(tmp_path_factory, request.param)
    yield server
    server.stop()


class Terminal:
    """ssh on a terminal of its own."""

    def __init__(self, command: list[str]) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, os.environ | {"TERM": "xterm-256color"})
        self.resize(24, 80)
        os.set_blocking(self.master, False)
        self.read = b""

    def resize(self, rows: int, columns: int) -> None:
        """As a window does."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def until(self, pattern: bytes) -> None:
        """Read until it comes."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.read):
            assert time.monotonic() < deadline, self.read[-2000:]
            try:
                self.read += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.01)

    def end(self) -> None:
        """Hang up."""
        os.close(self.master)
        os.waitpid(self.pid, 0)


@needs_sshd
@pytest.mark.parametrize("way", WAYS)
def test_the_holder_of_a_key_has_the_login_and_no_command_of_his(
    way: str, privileges: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = _server(tmp_path_factory, way, GERBANG)
    try:
        terminal = Terminal([*server.options(), "-tt", "root@127.0.0.1", "cat", "/etc/passwd"])
        try:
            # In the language that the user of this machine has chosen for himself.
            terminal.until(rb"Password|Kata sandi")
            terminal.until(rb"none\.sock")
            assert b"root:x" not in terminal.read
            # Keys that stop or kill at a shell do nothing here; it goes on, and follows the window.
            os.write(terminal.master, b"\x1a\x1c\x03!sh\r")
            terminal.read = b""
            terminal.resize(43, 132)
            terminal.until(rb"\x1b\[43;")
            # A window of 4,000 million cells would take all memory; neither is it believed when it is typed.
            terminal.read = b""
            terminal.resize(3000, 3000)
            os.write(terminal.master, b"\x1b[48;3000;3000;0;0t")
            terminal.until(rb"\x1b\[200;")
            os.write(terminal.master, b"\x11")
            terminal.until(rb"\x1b\[\?1049l")
            rows = [int(row) for row in re.findall(rb"\x1b\[([0-9]+);[0-9]+H", terminal.read)]
            assert max(rows) == 200
        finally:
            terminal.end()
        answer = server.ssh("cat", "/etc/passwd", before=("-T",))
        assert answer.returncode != 0
        assert "root:x" not in answer.stdout
        assert "needs a terminal" in answer.stderr
    finally:
        server.stop()


@needs_sshd
def test_the_forced_command_has_nothing_of_the_client_but_a_terminal(shown: Server) -> None:
    witness = shown.folder / "witness"
    answer = shown.ssh(
        f"$(touch {witness}); `touch {witness}`; exec sh",
        before=("-tt", "-A", "-X", "-oSetEnv=GERBANG_TOKEN=planted", "-oSendEnv=EVIL"),
        DISPLAY=":9",
        EVIL="1",
        SSH_AUTH_SOCK=str(shown.folder / "agent"),
    )
    lines = answer.stdout.splitlines()
    assert f"words: console --socket {shown.folder / 'none.sock'}" in lines
    names = {line.partition("=")[0] for line in lines}
    assert "SSH_CONNECTION" in names
    assert "GERBANG_LIMITED=1" in lines
    assert names.isdisjoint({"SSH_AUTH_SOCK", "DISPLAY", "GERBANG_TOKEN", "EVIL", "GERBANG_WEB"})
    assert lines[-1].startswith("/dev/pts/")
    assert not witness.exists()


@needs_sshd
def test_neither_files_nor_subsystems(shown: Server) -> None:
    stolen = shown.folder / "stolen"
    for command in (
        [*shown.options("scp"), "root@127.0.0.1:/etc/passwd", str(stolen)],
        [*shown.options("scp"), "-O", "root@127.0.0.1:/etc/passwd", str(stolen)],
        [*shown.options("scp"), "/etc/hostname", f"root@127.0.0.1:{stolen}"],
        [*shown.options("sftp"), "-b", "/dev/stdin", "root@127.0.0.1"],
    ):
        done = subprocess.run(
            command, input=f"get /etc/passwd {stolen}\n".encode(), capture_output=True, timeout=PATIENCE, check=False
        )
        assert done.returncode != 0
        assert not stolen.exists()


@needs_sshd
def test_no_forwarding_of_any_kind(shown: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside, socket.create_server(("127.0.0.1", 0)) as free:
        target, local = inside.getsockname()[1], free.getsockname()[1]
        free.close()
        inside.settimeout(0.2)
        assert shown.ssh(before=("-W", f"127.0.0.1:{target}")).returncode != 0
        assert shown.ssh(before=("-N", "-R", f"0:127.0.0.1:{target}")).returncode != 0
        assert shown.ssh(before=("-N", "-R", f"{shown.folder}/r:127.0.0.1:{target}")).returncode != 0
        for words in (("-L", f"{local}:127.0.0.1:{target}"), ("-D", str(local))):
            running = subprocess.Popen(
                [*shown.options(), "-N", *words, "root@127.0.0.1"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                assert _said_through(local, target, socks=words[0] == "-D") in {b"", b"\x05\x00"}
            finally:
                running.kill()
                running.wait(PATIENCE)
        with pytest.raises(TimeoutError):
            inside.accept()


def _said_through(local: int, target: int, *, socks: bool) -> bytes:
    """What comes back through the client's port, once it listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", local), 5)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with connection:
        connection.settimeout(PATIENCE)
        if socks:
            connection.sendall(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + target.to_bytes(2, "big"))
        read = b""
        try:
            while piece := connection.recv(100):
                read += piece
        except ConnectionResetError:
            pass
        return read


@needs_sshd
def test_another_key_and_a_password_open_nothing(shown: Server, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    foreign = tuple(word.replace(str(shown.key), str(tmp_path / "other")) for word in shown.options()[1:])
    done = subprocess.run(["ssh", *foreign, "root@127.0.0.1"], capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 255
    assert b"words:" not in done.stdout


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-ed25519",
        'command="sh" ssh-ed25519 AAAA',
        "ssh-ed25519 AAAA\nssh-ed25519 BBBB",
        "ssh-dss AAAA",
        "ssh-ed25519 AAAA comment\x1b[2J",
        "no-pty ssh-ed25519 AAAA",
    ],
)
def test_what_is_no_public_key_makes_no_line(key: str) -> None:
    with pytest.raises(UsageError):
        authorized_line(key, "/usr/bin/gerbang console")


def test_names_and_paths_that_sshd_would_read_otherwise_are_refused() -> None:
    command = console_command(Path("/opt/my tools/gerbang"), Path("/run/a'b.sock"))
    assert command == "/usr/bin/env GERBANG_LIMITED=1 '/opt/my tools/gerbang' console --socket '/run/a'\"'\"'b.sock'"
    assert '\\"\'\\"' in authorized_line("ssh-ed25519 AAAA", command)
    for user in ("*", "a,b", "root\nMatch all", "!x", ""):
        with pytest.raises(UsageError):
            sshd_configuration(user, Path("/etc/keys"), command)
    for keys in ("keys", "/etc/my keys", "/etc/k\nMatch all"):
        with pytest.raises(UsageError):
            sshd_configuration("gerbang", Path(keys), command)
    with pytest.raises(UsageError):
        console_command(Path("/opt/g\nX"))
    assert "AuthorizedKeysFile /etc/%%h" in sshd_configuration("gerbang", Path("/etc/%h"), command)


def test_the_verb_prints_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from compiler.cli.main import main

    keys = tmp_path / "id.pub"
    keys.write_text("# mine\nssh-ed25519 AAAA ani@desk\n")
    assert main(["door", "ssh", "--key", str(keys), "--program", "/usr/bin/gerbang"]) == 0
    assert (
        capsys.readouterr().out
        == 'restrict,pty,command="/usr/bin/env GERBANG_LIMITED=1 /usr/bin/gerbang console" ssh-ed25519 AAAA ani@desk\n'
    )
    assert main(["door", "ssh", "--sshd", "--keys", "/etc/gerbang/keys", "--program", "/usr/bin/gerbang"]) == 0
    said = capsys.readouterr().out
    assert "Match User gerbang-ssh\n" in said
    assert "    ForceCommand /usr/bin/env GERBANG_LIMITED=1 /usr/bin/gerbang console\n" in said
    assert main(["door", "ssh", "--sshd"]) == 2
    assert main(["door", "ssh", "--key", str(tmp_path / "none")]) == 2
