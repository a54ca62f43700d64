"""What the helper's tests share."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

Answering = Callable[..., AbstractContextManager[Path]]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user and to make namespaces")


@dataclass(frozen=True)
class Generations:
    """Writes generations with their manifests."""

    root: Path

    def write(self, number: int, files: dict[str, bytes], *, modes: dict[str, int] | None = None) -> Path:
        """``files`` by ``component/path``; the folder of the generation."""
        home = self.root / "generations" / str(number)
        lines = []
        for name, content in files.items():
            component, _, path = name.partition("/")
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(content)
            mode = (modes or {}).get(name, 0o640)
            line = {"component": component, "path": path, "sha256": sha256(content).hexdigest(), "mode": mode}
            lines.append({**line, "secret": False})
        manifest = {"number": number, "who": "t", "when": "2026-01-01T00:00:00Z", "files": lines}
        (home / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return home


def ask(path: Path, request: object) -> dict[str, Any]:
    """One request as it is, and the answer; empty when there is none."""
    line = request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(20)
        one.connect(str(path))
        # It may have said no before it had read all.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            one.sendall(line)
        with one.makefile("rb") as answers:
            try:
                answer = answers.readline()
            except ConnectionResetError:
                return {}
    return dict(json.loads(answer)) if answer else {}


def ask_as(user: int, path: Path, request: object) -> str:
    """The same as another user, in a process of its own: the answer, or the error's name."""
    line = json.dumps(request).encode() + b"\n"
    code = f"""
import os, socket
os.setgroups([]); os.setgid({user}); os.setuid({user})
one = socket.socket(socket.AF_UNIX)
try:
    one.connect({str(path)!r})
    try:
        one.sendall({line!r})
    except BrokenPipeError:
        pass  # refused before it was asked
    print(one.makefile().readline())
except OSError as error:
    print(type(error).__name__)
"""
    ran = subprocess.run([sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout.strip()
