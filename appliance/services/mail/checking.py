"""The validators of Postfix's and Dovecot's configuration: their own, and what those pass over.

``python -I -m appliance.services.mail.checking postfix FILES``. ``postfix check`` passes a parameter that does not
exist and a table that is not there; ``doveconf -n`` passes a certificate that is not there.
"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance.contract.programs import FILES
from appliance.services.mail.aging import date_back

__all__ = ["main", "wrong_with_dovecot", "wrong_with_postfix"]

_WITHIN = 30.0
"""Seconds for one tool."""
_TABLE = re.compile(r"\b(texthash|hash|lmdb|cdb|regexp|pcre|cidr|inline):(\{.*?\}\s*\}|[^\s,{}]+)", re.DOTALL)
_KEPT_BY_TEXT = frozenset({"texthash", "hash", "lmdb", "cdb", "regexp", "pcre", "cidr"})
MOST_WORDS = 20
"""Lines that are told of one tool."""


def main(words: Sequence[str]) -> int:
    """Print what is wrong, a line each; 1 when something is."""
    match tuple(words):
        case ("postfix", files):
            wrong = list(wrong_with_postfix(Path(files)))
        case ("dovecot", files):
            wrong = list(wrong_with_dovecot(Path(files)))
        case _:
            raise SystemExit("usage: checking postfix|dovecot FILES")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def wrong_with_postfix(files: Path) -> Iterator[str]:
    """Unknown and unused parameters, services that are none, tables and certificates that are not there."""
    date_back(files)
    known, said = _ran("postconf", "-c", str(files), "-n")
    yield from _lines("main.cf", said)
    services, said = _ran("postconf", "-c", str(files), "-M")
    yield from _lines("master.cf", said)
    if not services.strip():
        yield "master.cf: it has no services"
    yield from _programs(files, services)
    # As it is meant: with each $name replaced by its value, of the file and of what master.cf says beside it.
    meant, said = _ran("postconf", "-c", str(files), "-x", "-n")
    yield from _lines("main.cf", said)
    more, _ = _ran("postconf", "-c", str(files), "-x", "-P")
    for table in _tables(meant + more):
        yield from _table(files, table)
    bounces = _value(meant, "bounce_template_file")
    if bounces:
        _, said = _ran("postconf", "-c", str(files), "-b", bounces)
        yield from _lines(bounces, said)
    chain = [path for path in re.split(r"[\s,]+", _value(meant, "smtpd_tls_chain_files")) if path]
    if len(chain) == 2:
        yield from _pair(Path(chain[1]), Path(chain[0]))
    elif known:
        yield "main.cf: smtpd_tls_chain_files names no key and certificate"


def wrong_with_dovecot(files: Path) -> Iterator[str]:
    """What doveconf says, and whether certificate, key and passwords can be read."""
    # A configuration names its files by the link of what runs; what is judged lies elsewhere until the switch.
    text = (files / "dovecot.conf").read_text(encoding="utf-8").replace(str(FILES / "mail.dovecot"), str(files))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dovecot.conf"
        path.write_text(text, encoding="utf-8")
        _, said = _ran("doveconf", "-c", str(path), "-n")
    yield from _lines("dovecot.conf", said)
    certificate, key = (_named(text, names) for names in (_CERTIFICATE, _KEY))
    if certificate and key:
        yield from _pair(Path(certificate), Path(key))
    else:
        yield "dovecot.conf: it names no key and certificate"
    passwords = _named(text, _PASSWORDS)
    if not passwords or not os.access(passwords, os.R_OK):
        yield f"the passwords cannot be read: {passwords}"


# In 2.3 a setting takes a file's content by ``<``, in 2.4 its name.
_CERTIFICATE = re.compile(r"^\s*(?:ssl_cert\s*=\s*<|ssl_server_cert_file\s*=\s*)(\S+)", re.MULTILINE)
_KEY = re.compile(r"^\s*(?:ssl_key\s*=\s*<|ssl_server_key_file\s*=\s*)(\S+)", re.MULTILINE)
_PASSWORDS = re.compile(r"^[ \t]*(?:args[ \t]*=.*[ \t]|passwd_file_path[ \t]*=[ \t]*)(\S+)[ \t]*$", re.MULTILINE)


def _named(text: str, pattern: re.Pattern[str]) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _ran(*words: str) -> tuple[str, str]:
    """What a tool printed, and what it said beside."""
    search = "/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WITHIN,
            check=False,
            env={"PATH": search, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    said = done.stderr or (f"{words[0]} ended with {done.returncode}" if done.returncode else "")
    return done.stdout, said


def _lines(place: str, said: str) -> Iterator[str]:
    for line in [line.strip() for line in said.splitlines() if line.strip()][:MOST_WORDS]:
        yield f"{place}: {line}"


def _programs(files: Path, services: str) -> Iterator[str]:
    folder, _ = _ran("postconf", "-c", str(files), "-h", "-x", "daemon_directory")
    for line in services.splitlines():
        words = line.split()
        if len(words) < 8:
            yield f"master.cf: {line.strip()} has too few fields"
        elif not (Path(folder.strip()) / words[7]).is_file():
            yield f"master.cf: {words[0]}/{words[1]}: there is no program {words[7]}"
        elif words[4] == "y":
            yield f"master.cf: {words[0]}/{words[1]} is shut into a folder where our sockets are not"


def _value(meant: str, name: str) -> str:
    found = re.search(rf"^{name} = (.*)$", meant, re.MULTILINE)
    return found[1].strip() if found else ""


def _tables(meant: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{found[1]}:{found[2]}" for found in _TABLE.finditer(meant)))


def _table(files: Path, table: str) -> Iterator[str]:
    """A lookup opens it and reads it; that there is no such key is no fault."""
    kind, _, place = table.partition(":")
    if kind in _KEPT_BY_TEXT and not place.startswith("{") and not os.access(place, os.R_OK):
        yield f"{table}: there is no such table"
        return
    _, said = _ran("postmap", "-c", str(files), "-q", "nobody@example.invalid", table)
    yield from _lines(table, "" if said.startswith("postmap ended with") else said)


def _pair(certificate: Path, key: Path) -> Iterator[str]:
    """Whether both are there and belong to each other. Whom it is for and until when, the Certificate has verified."""
    for path in (certificate, key):
        if not os.access(path, os.R_OK):
            yield f"{path} cannot be read"
            return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_locked)
    except (ssl.SSLError, ValueError) as error:
        yield f"{certificate} with {key}: {getattr(error, 'reason', '') or error}"


def _locked() -> str:
    raise ValueError("the key is locked with a password")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
