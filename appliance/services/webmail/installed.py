"""Which PHP this machine has: Debian's packages name their programs by it."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["NGINX", "ROUNDCUBE", "php_cli", "php_fpm"]

NGINX = "/usr/sbin/nginx"
ROUNDCUBE = "/usr/share/roundcube"
_DEBIAN_12 = "8.2"


def php_fpm() -> str:
    """``/usr/sbin/php-fpm8.2``: the newest that is installed; Debian 12's, when there is none yet."""
    return f"/usr/sbin/php-fpm{_version()}"


def php_cli() -> str:
    """``/usr/bin/php8.2``, of the same version."""
    return f"/usr/bin/php{_version()}"


def _version() -> str:
    found = (re.fullmatch(r"php-fpm(\d+)\.(\d+)", path.name) for path in Path("/usr/sbin").glob("php-fpm*"))
    versions = sorted((int(one[1]), int(one[2])) for one in found if one)
    return ".".join(str(part) for part in versions[-1]) if versions else _DEBIAN_12
