"""From the mail of the hospital to the values of the filter's templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from appliance.services.mail.description import MailDescription
from appliance.services.mail.subjects import lower_letters
from appliance.services.mail.versions import public_suffixes

__all__ = [
    "DEFAULT_POLICY",
    "EncryptedArchives",
    "FilterPolicy",
    "clamd_values",
    "owned_addresses",
    "rspamd_values",
    "senders_values",
]

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file of EICAR (eicar.org), in two parts so that no scanner takes this file for it."""

_SCAN_SECONDS = 60
"""How long clamd may look at one message; Postfix waits for the filter for 300 s (``milter_content_timeout``)."""


_WORKERS = 3
"""Processes of rspamd that judge mail."""


class EncryptedArchives(StrEnum):
    """What becomes of an attachment that nobody can look into without its password."""

    MARK = "mark"
    """It passes with the header ``X-Virus-Status: not scanned (encrypted)``: doctors send findings that way."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPolicy:
    """What the hospital may choose of the filter."""

    outside_lists: bool = False
    """Ask the lists of the internet for senders and links (DNS). Off: a hospital may be cut off, and they tell others
    from whom it has mail."""
    encrypted_archives: EncryptedArchives = EncryptedArchives.MARK
    junk_score: float = 6.0
    """From here on a message gets ``X-Spam: Yes``, by which Sieve files it as junk."""
    reject_score: float = 15.0


DEFAULT_POLICY = FilterPolicy()


def owned_addresses(described: MailDescription) -> dict[str, tuple[str, ...]]:
    """Of each account that may send, the addresses it may write as, in lower case.

    Its own, the aliases that lead to it, and for the postmaster those that
    RFC 2142 reserves and the groups.
    """
    owned = {box.name: {_own(described, box.name)} for box in described.mailboxes if box.active}
    for alias in described.aliases:
        for target in alias.targets:
            local, _, domain = target.lower().rpartition("@")
            if domain == described.domain.lower() and local in owned:
                owned[local].add(_own(described, alias.name))
    if described.postmaster in owned:
        special = ("postmaster", "abuse", *(group.name for group in described.groups))
        owned[described.postmaster] |= {_own(described, name) for name in special}
    return {name: tuple(sorted(addresses)) for name, addresses in sorted(owned.items())}


def clamd_values(
    described: MailDescription, policy: FilterPolicy, *, socket: str, signatures: str, asking: str
) -> Mapping[str, Any]:
    """Of ``mail/clamd``. The limit of a stream is above that of a message: the filter puts a line before it.

    ``asking`` is the group that may ask it.
    """
    stream = described.limits.message_bytes + 1024 * 1024
    return {
        "socket": socket,
        "signatures": signatures,
        "asking": asking,
        "signatures_of_ours": (("Eicar-Test-Signature", EICAR.hex()),),
        "stream_bytes": stream,
        "scan_bytes": 8 * stream,
        "scan_milliseconds": _SCAN_SECONDS * 1000,
        "threads": 12,
    }


def senders_values(described: MailDescription) -> Mapping[str, Any]:
    """Of ``senders.json``, the only table of the filter that changes with an account."""
    names = (
        *(box.name for box in described.mailboxes),
        *(alias.name for alias in described.aliases),
        *(group.name for group in described.groups),
        *(described.postmaster, "postmaster", "abuse"),
    )
    addresses = {_own(described, name) for name in names}
    table = {"addresses": sorted(addresses), "logins": owned_addresses(described)}
    version = sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    # It comes first: by it the filter sees with each message whether the table is new.
    return {"table": json.dumps({"version": version, **table}, indent=1)}


def rspamd_values(
    described: MailDescription,
    policy: FilterPolicy,
    *,
    run: str,
    state: str,
    compiled: str,
    clamd: str,
    milter: tuple[str, int],
) -> Mapping[str, Any]:
    """Of ``mail/rspamd``."""
    return {
        "domain": described.domain.lower(),
        "host": described.host.lower(),
        "selector": described.dkim.selector,
        "private_key": described.dkim.private.strip(),
        "subject_key": described.subject_key,
        "run": run,
        "state": state,
        "compiled": compiled,
        "suffixes": public_suffixes(),
        "clamd": clamd,
        "workers": _WORKERS,
        "milter": f"{milter[0]}:{milter[1]}",
        "message_bytes": described.limits.message_bytes + 1024 * 1024,
        "scan_seconds": _SCAN_SECONDS + 15,
        "task_seconds": 2 * _SCAN_SECONDS + 40,
        "outside_lists": policy.outside_lists,
        "refuse_encrypted": policy.encrypted_archives is EncryptedArchives.REFUSE,
        "junk_score": policy.junk_score,
        "reject_score": policy.reject_score,
        "lower_letters": tuple(lower_letters().items()),
    }


def _own(described: MailDescription, name: str) -> str:
    return f"{name}@{described.domain}".lower()
