"""What the templates of Postfix and Dovecot are filled with: plain values, from the description alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.contract.programs import FILES, RUN, STATE
from appliance.services.mail.description import MailDescription
from appliance.services.mail.filtering_components import MILTER

__all__ = ["CERTIFICATE", "DOVECOT", "LIMITS", "OWNER", "POSTFIX", "dovecot_values", "limits_values", "postfix_values"]

POSTFIX, DOVECOT, LIMITS = "mail.postfix", "mail.dovecot", "mail.limits"
CERTIFICATE = "certificates.mail"
OWNER = "gerbang-mail"
"""The system user that owns mailboxes."""
FILTERS_LOGIN, FILTERS_PORT = "+filters", 10587
"""By which what Sieve sends comes in, on the loopback. No account has such a name."""
LOOPBACK = "127.0.0.1"


def postfix_values(described: MailDescription) -> Mapping[str, Any]:
    """For ``main.cf``, ``master.cf``, the texts of bounces and the probe."""
    return {
        **_common(described),
        "networks": described.networks,
        "limits": {
            "message_bytes": described.limits.message_bytes,
            "recipients": described.limits.recipients_per_message,
            "connections": described.limits.connections_per_client,
            "messages_a_minute": described.limits.messages_per_client_minute,
        },
        "milter": f"inet:{MILTER[0]}:{MILTER[1]}",
        "dovecot": str(RUN / DOVECOT),
        "policy": str(RUN / LIMITS / "limits.sock"),
        "state": str(STATE / POSTFIX),
    }


def dovecot_values(described: MailDescription) -> Mapping[str, Any]:
    """For ``dovecot.conf``, the message about a full mailbox and the probe."""
    nets = ("127.0.0.0/8", f"{described.address}/32", *described.networks) if described.networks else ()
    return {
        **_common(described),
        "nets": ",".join(nets),
        "files": str(FILES / DOVECOT),
        "run": str(RUN / DOVECOT),
        "state": str(STATE / DOVECOT),
        "filters_folder": str(STATE / DOVECOT / "filters"),
        "owner": OWNER,
    }


def limits_values(described: MailDescription) -> Mapping[str, Any]:
    """For the policy of ``mail.limits``; what each account may do stands in ``mail.accounts``."""
    return {
        "policy": {
            "seconds": 3600,
            "recipients_per_message": described.limits.recipients_per_message,
            "postmaster": f"{described.postmaster}@{described.domain}",
        }
    }


def _common(described: MailDescription) -> Mapping[str, Any]:
    return {
        "domain": described.domain,
        "host": described.host,
        "address": described.address,
        "addresses": tuple(dict.fromkeys((LOOPBACK, described.address))),
        "postmaster": described.postmaster,
        "filters_login": FILTERS_LOGIN,
        "filters_port": FILTERS_PORT,
    }
