"""What ``gerbang web`` does with its options."""

from __future__ import annotations

import ipaddress
import logging
from argparse import Namespace
from urllib.parse import urlsplit

from appliance.client.addresses import Address
from appliance.doors.web.connecting import DaemonClient
from appliance.doors.web.door import WebDoor
from appliance.doors.web.settings import Limits, WebSettings
from compiler.errors import UsageError

__all__ = ["serve_web", "settings_from"]


def serve_web(arguments: Namespace) -> int:
    """Serve until it is told to end."""
    settings = settings_from(arguments)
    address = Address.of(arguments.socket, arguments.url)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    print(f"The console is at {settings.origin}", flush=True)
    WebDoor(settings, DaemonClient(address)).run()
    return 0


def settings_from(arguments: Namespace) -> WebSettings:
    """The options as settings. Raises UsageError for a door that would send passwords in the clear."""
    if bool(arguments.certificate) != bool(arguments.key):
        raise UsageError("--certificate and --key belong together")
    for path in (arguments.certificate, arguments.key):
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: there is no such file")
    if arguments.public_url:
        parts = urlsplit(arguments.public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise UsageError(
                f"--public-url {arguments.public_url}: scheme, host and port are expected, https://host:port"
            )
    daemon = ("--socket", str(arguments.socket)) if arguments.socket else ()
    settings = WebSettings(
        host=arguments.host,
        port=arguments.port,
        public_url=arguments.public_url,
        certificate=arguments.certificate,
        key=arguments.key,
        daemon=("--url", arguments.url) if arguments.url else daemon,
        limits=Limits(consoles=arguments.consoles, idle=arguments.idle),
    )
    if not settings.certificate and not settings.secure and not _loopback(arguments.host):
        raise UsageError(
            f"--host {arguments.host} without TLS would send passwords in the clear: "
            "give --certificate and --key, or listen on 127.0.0.1 behind a proxy"
        )
    return settings


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
