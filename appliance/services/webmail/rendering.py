"""The values of the configurations of php-fpm, Roundcube and nginx."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from appliance.contract.programs import FILES, RUN, STATE
from appliance.services.webmail.described import WebmailDescription
from appliance.services.webmail.installed import ROUNDCUBE, php_cli, php_fpm
from appliance.services.webmail.php_literals import php_literal

__all__ = ["NGINX_NAME", "PHP_NAME", "PLUGINS", "USER", "nginx_values", "php_values"]

PHP_NAME, NGINX_NAME = "webmail.php", "webmail.nginx"
USER = "gerbang-webmail"
"""Runs Roundcube, and owns what people keep in it: nobody else on the machine does."""

PLUGINS = (
    "archive",
    "attachment_reminder",
    "jqueryui",
    "managesieve",
    "markasjunk",
    "newmail_notifier",
)
"""Of Debian's roundcube-plugins, beside our own. Files of others are served to nobody."""

REQUIRED = ("filesystem_attachments",)
"""What Roundcube loads unasked (rcmail::startup); it has nothing that a browser asks for."""

MIB = 1024 * 1024
WORKERS = 20
"""Requests at once; a page takes some 100 ms."""
LANGUAGES = {"id": "id_ID", "en": "en_GB"}

INCOMING = (("imap", 993, "SSL"), ("imap", 143, "STARTTLS"), ("pop3", 995, "SSL"), ("pop3", 110, "STARTTLS"))
OUTGOING = ((465, "SSL"), (587, "STARTTLS"))
"""What mail programs are told, the best first (Mozilla, Autoconfiguration: Config File Format 1.1; RFC 8314)."""


def php_values(described: WebmailDescription) -> Mapping[str, Any]:
    """Of webmail.php."""
    mail, settings = described.mail, described.settings
    message_bytes = mail.limits.message_bytes
    kept = () if settings.remote_images else ("show_images",)
    return {
        "files": str(FILES / PHP_NAME),
        "run": str(RUN / PHP_NAME),
        "state": str(STATE / PHP_NAME),
        "roundcube": ROUNDCUBE,
        "user": USER,
        "php": php_cli(),
        "php_fpm": php_fpm(),
        "workers": WORKERS,
        "plugins": php_literal(("hospital", *PLUGINS)),
        "linked": (*PLUGINS, *REQUIRED),
        "message_bytes": message_bytes,
        "body_bytes": message_bytes + MIB,
        # A message is held whole, in base64 and decoded, a few times over.
        "memory_bytes": max(256 * MIB, 8 * message_bytes),
        "recipients": mail.limits.recipients_per_message,
        "names": tuple(php_literal(name) for name in described.names),
        "host_patterns": php_literal(tuple(f"^{re.escape(name)}$" for name in described.names)),
        "host": php_literal(mail.host),
        "domain": php_literal(mail.domain),
        "key": php_literal(described.key),
        "title": php_literal(settings.title),
        "language": php_literal(LANGUAGES[settings.language]),
        "session_minutes": settings.session_minutes,
        "bind_address": php_literal(settings.bind_address),
        "kept": php_literal(kept),
    }


def nginx_values(described: WebmailDescription) -> Mapping[str, Any]:
    """Of webmail.nginx."""
    settings = described.settings
    return {
        "run": str(RUN / NGINX_NAME),
        "files": str(FILES / NGINX_NAME),
        "state": str(STATE / NGINX_NAME),
        "php_run": str(RUN / PHP_NAME),
        "php_files": str(FILES / PHP_NAME),
        "roundcube": ROUNDCUBE,
        "plugins": PLUGINS,
        "names": described.names,
        "plain": _places(settings.addresses, 80),
        "secure": _places(settings.addresses, 443),
        "body_bytes": described.mail.limits.message_bytes + MIB,
        "remote_images": settings.remote_images,
        "autoconfig": "" if described.autoconfig in described.names else described.autoconfig,
        "title": settings.title,
        "domain": described.mail.domain,
        "host": described.mail.host,
        "incoming": INCOMING,
        "outgoing": OUTGOING,
        "probe": json.dumps({"name": described.names[0], "addresses": settings.addresses}),
    }


def _places(addresses: tuple[str, ...], port: int) -> tuple[str, ...]:
    """As ``listen`` of nginx has them; the loopback always, because probes come there."""
    if not addresses:
        return (str(port),)
    hosts = dict.fromkeys((*addresses, "127.0.0.1"))
    return tuple(
        f"[{host}]:{port}" if isinstance(ip_address(host), IPv6Address) else f"{host}:{port}" for host in hosts
    )
