"""What ``gerbang web`` does with its options."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from appliance.client.addresses import Address
from appliance.doors.web.connecting import DaemonClient
from appliance.doors.web.door import WebDoor
from appliance.doors.web.settings import Limits, WebSettings
from appliance.gate import allow_more_files
from compiler.errors import UsageError

__all__ = ["serve_web", "settings_from"]


def serve_web(arguments: Namespace) -> int:
    """Serve until it is told to end."""
    allow_more_files()
    settings = settings_from(arguments)
    address = Address.of(arguments.socket, arguments.url)
    listening = _listening(settings)
    if settings.authorities is not None and not address.url:
        raise UsageError("--ca belongs to --url: on its socket the daemon has no certificate")
    settings = replace(settings, port=listening.getsockname()[1], daemon=_daemon(address), folder=_folder(settings))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # It warns of every malformed request, which strangers can send as fast as they like.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    door = WebDoor(settings, DaemonClient(address, verify=_believed(settings.authorities)))
    print(f"The console is at {settings.origin}", flush=True)
    door.run(listening)
    return 0


def settings_from(arguments: Namespace) -> WebSettings:
    """The options as settings. Raises UsageError for a door that would send passwords in the clear."""
    if bool(arguments.certificate) != bool(arguments.key):
        raise UsageError("--certificate and --key belong together")
    for path in (arguments.certificate, arguments.key, arguments.ca):
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: there is no such file")
    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"{arguments.port} is no port")
    if arguments.consoles < 1 or not arguments.idle > 0:
        raise UsageError("--consoles and --idle are at least 1")
    if arguments.visitors < 0 or arguments.visitors_per_address < 0:
        raise UsageError("--visitors and --visitors-per-address are at least 0")
    settings = WebSettings(
        host=arguments.host,
        port=arguments.port,
        public_url=_origin(arguments.public_url) if arguments.public_url else "",
        certificate=arguments.certificate,
        key=arguments.key,
        proxies=frozenset(map(_address, arguments.proxy)),
        folder=arguments.folder,
        authorities=arguments.ca and arguments.ca.absolute(),
        limits=Limits(
            consoles=arguments.consoles,
            visitors=arguments.visitors,
            visitors_of_one=arguments.visitors_per_address,
            idle=arguments.idle,
        ),
    )
    if not settings.certificate and not _loopback(arguments.host):
        raise UsageError(
            f"--host {arguments.host} without TLS would send passwords in the clear: "
            "give --certificate and --key, or listen on 127.0.0.1 behind a proxy"
        )
    if not settings.secure and not _loopback(urlsplit(settings.origin).hostname or ""):
        raise UsageError(f"--public-url {settings.origin} without TLS would send passwords in the clear: say https://…")
    return settings


def _origin(url: str) -> str:
    """As browsers write it (RFC 6454, 6.2): lower case, without the usual port and without a path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    usual = {"http": 80, "https": 443}
    beside = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in usual or not parts.hostname or beside:
        raise UsageError(f"--public-url {url}: scheme, host and port are expected, https://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, usual[parts.scheme]} else f":{port}")


def _address(said: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(said)
    except ValueError:
        raise UsageError(f"--proxy {said}: an address is expected") from None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(settings: WebSettings) -> socket.socket:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _kind, _protocol, _name, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise UsageError(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from None


def _daemon(address: Address) -> tuple[str, ...]:
    """The consoles ask the same daemon, whatever the environment says."""
    return ("--socket", str(address.socket)) if address.socket else ("--url", address.url)


def _believed(authorities: Path | None) -> ssl.SSLContext | bool:
    if authorities is None:
        return True
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{authorities}: no certificates: {error}") from None


def _folder(settings: WebSettings) -> Path | None:
    if settings.folder is None:
        return None
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {settings.folder}: {error.strerror}") from None
    return settings.folder.absolute()
