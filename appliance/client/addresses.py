"""Where the daemon is, and the token that this user has for it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from compiler.errors import UsageError

__all__ = ["SOCKET", "Address", "config_folder", "forget_token", "keep_token", "kept_token"]

SOCKET = Path("/run/gerbang/api.sock")
"""Where the systemd unit's daemon listens."""


@dataclass(frozen=True, slots=True)
class Address:
    """A socket's path, or an ``https://`` URL."""

    socket: Path | None = None
    url: str = ""

    @classmethod
    def of(cls, socket: str | Path | None = None, url: str | None = None) -> Address:
        """What is given, else ``GERBANG_SOCKET`` or ``GERBANG_URL``, else the unit's socket. Raises UsageError."""
        if socket is None and not url:
            url = os.environ.get("GERBANG_URL", "") if not os.environ.get("GERBANG_SOCKET") else ""
        if url:
            # A token is worth as much as a password: it does not go over a wire in the clear.
            if not url.startswith("https://"):
                raise UsageError(f"{url!r}: the daemon is reached by https://… or by its socket")
            return cls(None, url.rstrip("/"))
        return cls(Path(socket or os.environ.get("GERBANG_SOCKET") or SOCKET).absolute())

    def __str__(self) -> str:
        return self.url or str(self.socket)


def config_folder() -> Path:
    """The user's own folder for Gerbang (XDG Base Directory Specification, ``XDG_CONFIG_HOME``)."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "gerbang"


def kept_token(address: Address) -> str:
    """The token for this daemon, or an empty text; ``GERBANG_TOKEN`` wins."""
    return os.environ.get("GERBANG_TOKEN") or _tokens().get(str(address), "")


def keep_token(address: Address, token: str) -> Path:
    """Keep it, readable by this user only."""
    return _write({**_tokens(), str(address): token})


def forget_token(address: Address) -> None:
    """Take it away."""
    tokens = _tokens()
    if tokens.pop(str(address), None) is not None:
        _write(tokens)


def _tokens() -> dict[str, str]:
    try:
        said = json.loads((config_folder() / "tokens.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(token) for name, token in said.items()} if isinstance(said, dict) else {}


def _write(tokens: dict[str, str]) -> Path:
    folder = config_folder()
    path = folder / "tokens.json"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600, and the name changes hands at once: no moment at which others can read it.
        descriptor, beside = tempfile.mkstemp(dir=folder, prefix=".tokens-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(tokens, file, indent=1)
        os.replace(beside, path)
    except OSError as error:
        raise UsageError(f"cannot keep the token in {path}: {error.strerror}") from None
    return path
