"""What the web mail is of the machine: Roundcube on php-fpm, nginx before it, and the names under which it is found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from appliance.components.agreements import DnsRecord, DnsRecords
from appliance.components.config_files import ConfigFile
from appliance.components.daemon import Daemon
from appliance.components.sqlite_data import sqlite_data
from appliance.contract.components import Component
from appliance.contract.operations import Operation
from appliance.contract.programs import Program, Ready
from appliance.services.webmail.described import WebmailDescription, describe
from appliance.services.webmail.installed import NGINX, php_cli
from appliance.services.webmail.probes import hidden, login_page, reachable, redirect
from appliance.services.webmail.rendering import NGINX_NAME, PHP_NAME, USER, nginx_values, php_values

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["DATA", "DISPLACED", "OPERATIONS", "PACKAGES", "PROGRAMS", "RECORDS", "USERS", "components", "made"]

RECORDS = "webmail.records"
ADDRESS_BOOK, MAIL_CERTIFICATE, WEB_CERTIFICATE = "mail.addressbook", "certificates.mail", "certificates.web"

PACKAGES = ("nginx-light", "php-fpm", "php-sqlite3", "roundcube-core", "roundcube-plugins", "roundcube-sqlite3")
USERS = (USER,)
DISPLACED = ("nginx.service", "php8.2-fpm.service", "php8.4-fpm.service")
"""With which Debian would start the same daemons at the next boot."""

_BEGIN = """
set -eu
umask 022
state=$1
shift
mkdir -p "$state/acme/.well-known/acme-challenge" "$state/log"
exec "$@"
"""
"""Makes the folders that nginx wants, and becomes it. Given: its state, and its command. Root runs it, so it is of the
installed code: what lies in a generation the daemon's user has written."""
_NGINX = ("/bin/sh", "-c", _BEGIN, "sh", "{state}", NGINX, "-c", "{files}/nginx.conf", "-p", "{state}/", "-e", "stderr")

PROGRAMS = (
    Program(
        name=PHP_NAME,
        command=("/bin/sh", "{files}/start.sh", "{files}", "{run}", "{state}"),
        user=USER,
        reads=(ADDRESS_BOOK, MAIL_CERTIFICATE),
        # Its socket stays through a reload, so there is nothing to wait for.
        ready=Ready(unix="{run}/php.sock", settle=0.05),
        reload=("/bin/sh", "{files}/reload.sh", "{files}", "{run}"),
        check=("/bin/sh", "{files}/check.sh", "{files}"),
        stop_within=25.0,
    ),
    Program(
        name=NGINX_NAME,
        command=_NGINX,
        reads=(WEB_CERTIFICATE,),
        ready=Ready(tcp=("127.0.0.1", 443)),
        reload="HUP",
        check=(*_NGINX, "-t", "-q"),
        # Its workers, who are www-data, keep what is being sent there.
        passable=True,
    ),
)

_ACCOUNT = r"[a-z0-9_][a-z0-9_.+-]{0,63}@[a-z0-9][a-z0-9.-]{0,252}"

OPERATIONS = (
    Operation(
        name="webmail.people",
        program=PHP_NAME,
        command=(php_cli(), "{files}/people.php", "{state}/roundcube.db"),
        user=USER,
    ),
    Operation(
        name="webmail.log-out",
        program=PHP_NAME,
        command=(php_cli(), "{files}/log_out.php", "{state}/roundcube.db", "{account}"),
        arguments={"account": _ACCOUNT},
        user=USER,
    ),
    Operation(
        name="webmail.log-turn",
        program=NGINX_NAME,
        command=(sys.executable, "-I", "-m", f"{__package__}.log_turning", "{state}", "{run}"),
        within=600.0,
    ),
)

DATA = (
    # Each person's settings, identities and own contacts. Who is logged in, with his password, is in no backup.
    sqlite_data(
        "webmail.people",
        program=PHP_NAME,
        file="{state}/roundcube.db",
        user=USER,
        without=("session", "cache", "cache_index", "cache_messages", "cache_shared", "cache_thread"),
    ),
)

_PHP_FILES = (
    ConfigFile(template="webmail/php-fpm.conf.j2", path="php-fpm.conf"),
    ConfigFile(template="webmail/config.inc.php.j2", path="config/config.inc.php", secret=True),
    ConfigFile(template="webmail/defaults.inc.php.j2", path="config/defaults.inc.php"),
    ConfigFile(template="webmail/mimetypes.php.j2", path="config/mimetypes.php"),
    ConfigFile(template="webmail/index.php.j2", path="public/index.php"),
    ConfigFile(template="webmail/start.sh.j2", path="start.sh"),
    ConfigFile(template="webmail/reload.sh.j2", path="reload.sh"),
    ConfigFile(template="webmail/check.sh.j2", path="check.sh"),
    ConfigFile(template="webmail/schema.php.j2", path="schema.php"),
    ConfigFile(template="webmail/people.php.j2", path="people.php"),
    ConfigFile(template="webmail/log_out.php.j2", path="log_out.php"),
    *(
        ConfigFile(template=f"webmail/plugins/hospital/{path}", path=f"plugins/hospital/{path}")
        for path in (
            "hospital.php",
            "hospital_book.php",
            "labels_id.inc",
            "localization/en_US.inc",
            "localization/id_ID.inc",
        )
    ),
)

_NGINX_FILES = (
    ConfigFile(template="webmail/nginx.conf.j2", path="nginx.conf"),
    ConfigFile(template="webmail/fastcgi.conf.j2", path="fastcgi.conf"),
    ConfigFile(template="webmail/probe.json.j2", path="probe.json", mode=0o644),
    ConfigFile(template="webmail/config-v1.1.xml.j2", path="config-v1.1.xml", mode=0o644),
)


def components(connection: Connection) -> tuple[Component, ...]:
    """The web mail as it is described now; nothing while the mail is not set up, or nobody has saved the settings."""
    described = describe(connection)
    return made(described) if described is not None else ()


def made(described: WebmailDescription) -> tuple[Component, ...]:
    """Roundcube reads the address book at each request: a new account needs no shadow start of PHP."""
    php, nginx = PROGRAMS
    return (
        Daemon(
            program=php,
            files=_PHP_FILES,
            values=php_values(described),
            after=(ADDRESS_BOOK, MAIL_CERTIFICATE),
            follows=(ADDRESS_BOOK, MAIL_CERTIFICATE),
            trusts=(ADDRESS_BOOK,),
        ),
        Daemon(
            program=nginx,
            files=_NGINX_FILES,
            values=nginx_values(described),
            after=(WEB_CERTIFICATE, PHP_NAME),
            follows=(WEB_CERTIFICATE,),
            probes=(login_page, hidden, redirect, reachable),
            probe_within=20.0,
        ),
        *_records(described),
    )


def _records(described: WebmailDescription) -> tuple[DnsRecords, ...]:
    """Of the names in the mail's own domain; what the names elsewhere say is decided elsewhere."""
    domain = described.mail.domain
    records = tuple(
        DnsRecord(name=name, type="AAAA" if ":" in address else "A", value=address)
        for name in dict.fromkeys((*described.names, described.autoconfig))
        if name == domain or name.endswith(f".{domain}")
        for address in _reachable(described)
    )
    return (DnsRecords(name=RECORDS, records=records),) if records else ()


def _reachable(described: WebmailDescription) -> tuple[str, ...]:
    """Where browsers come: the addresses that are set, or the mail's."""
    outside = tuple(one for one in described.settings.addresses if not one.startswith("127.") and one != "::1")
    return outside or (described.mail.address,)
