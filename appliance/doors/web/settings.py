"""What the web door is told when it starts."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

__all__ = ["Limits", "WebSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the door takes on. A console is a process of some 60 MB."""

    consoles: int = 20
    consoles_of_one: int = 4
    """Of one browser session."""
    visitors: int = 8
    """Consoles without a login, together."""
    visitors_of_one: int = 2
    """Of them, those of one address (IPv6: of one /64)."""
    idle: float = 1800.0
    """Seconds without a key or a click, after which a console ends."""
    message: int = 256 * 1024
    """Bytes that a browser sends at once: a paste."""
    packet: int = 16 * 1024 * 1024
    """Bytes that a console sends at once."""
    upload: int = 20 * 1024 * 1024
    """Bytes of one file."""
    sessions: int = 1000
    """Browsers with a login that are remembered; as many of visitors beside them."""
    ends_within: float = 5.0
    """Seconds from being asked to end to being told to, and from there to being killed."""
    takes_within: float = 15.0
    """Seconds that a console may leave what is typed untaken, or a file that it offers unsent."""
    connections: int = 500
    """For one more the longest silent one goes."""
    connections_of_one: int = 100
    """Of one address that is no proxy's."""
    head: float = 10.0
    """Seconds for the handshake of TLS, and for the head of a connection's first request."""
    keep_alive: float = 60.0
    """Seconds from one answer to the head of the next request."""
    body: float = 30.0
    """Seconds for the body of a request, and more for what a file brings."""
    renewed: float = 30.0
    """Seconds between two looks whether the certificate was renewed."""
    slowest: int = 32 * 1024
    """Bytes a second that a file brings at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where the door listens, and which daemon stands behind it."""

    host: str = "127.0.0.1"
    port: int = 8443
    public_url: str = ""
    """As browsers name it, ``https://gate.example``: the only Origin that is let in. Empty: made of host and port."""
    certificate: Path | None = None
    key: Path | None = None
    daemon: tuple[str, ...] = ()
    """The options with which a console finds the daemon: ``("--socket", "/run/…")``."""
    authorities: Path | None = None
    """Whose certificates are believed of a daemon behind TLS, PEM; None: the machine's."""
    program: tuple[str, ...] = (sys.executable, "-P", "-m", "compiler")
    """What starts a console, with its options after it; ``-P``: no code from the folder it runs in."""
    proxies: frozenset[IPv4Address | IPv6Address] = frozenset()
    """Whose ``X-Forwarded-For`` is believed."""
    folder: Path | None = None
    """Where what people choose for their consoles is kept; None: until the door ends."""
    limits: Limits = field(default_factory=Limits)

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in the Origin header (RFC 6454, 6.2)."""
        if self.public_url:
            return self.public_url
        scheme, usual = ("https", 443) if self.certificate else ("http", 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}" if self.port == usual else f"{scheme}://{host}:{self.port}"

    @property
    def websocket(self) -> str:
        """The same for a websocket."""
        return "ws" + self.origin.removeprefix("http")

    @property
    def secure(self) -> bool:
        """Whether browsers reach the door by TLS, ours or a proxy's."""
        return self.origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """The session's cookie. Browsers take a ``__Host-`` name only over TLS, for this host and all its paths
        (RFC 6265bis, 4.1.3.2); cookies know no ports, so that the name does."""
        return "__Host-gerbang" if self.secure else f"gerbang-{self.port}"
