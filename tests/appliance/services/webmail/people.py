"""The people of a small hospital, as the web mail is told of them."""

from __future__ import annotations

from typing import Any

from appliance.services.mail.description import Dkim, Limits, MailDescription
from appliance.services.webmail.described import WebmailDescription
from appliance.services.webmail.model import Settings

__all__ = ["ADDRESS_BOOK", "AUTOCONFIG", "DOMAIN", "HOST", "PASSWORDS", "WEB", "described"]

DOMAIN = "rssulsel.com"
HOST, WEB, AUTOCONFIG = f"mail.{DOMAIN}", f"www.{DOMAIN}", f"autoconfig.{DOMAIN}"
PASSWORDS = {"siti": "tujuh-bangau-di-bendung", "budi": "sembilan-perahu-ke-utara"}
ADDRESS_BOOK = {
    "people": [
        {"name": "siti", "address": f"siti@{DOMAIN}", "full_name": "Siti Aminah", "department": "Nurses"},
        {"name": "budi", "address": f"budi@{DOMAIN}", "full_name": "dr. Budi Santoso", "department": "Doctors"},
        {"name": "ani", "address": f"ani@{DOMAIN}", "full_name": "Ani Wulandari", "department": "Nurses"},
        {"name": "kepala", "address": f"kepala@{DOMAIN}", "full_name": "Kepala Pos", "department": ""},
    ],
    "lists": [
        {
            "address": f"jaga-malam@{DOMAIN}",
            "title": "Jaga malam",
            "members": [f"siti@{DOMAIN}", f"budi@{DOMAIN}"],
        }
    ],
}


def described(**settings: Any) -> WebmailDescription:
    """The web mail of that hospital, with these settings."""
    mail = MailDescription(
        domain=DOMAIN,
        host=HOST,
        address="192.168.10.2",
        networks=("192.168.10.0/24",),
        postmaster="kepala",
        limits=Limits(
            message_bytes=25 * 1024 * 1024,
            recipients_per_message=100,
            connections_per_client=20,
            messages_per_client_minute=60,
        ),
        mailboxes=(),
        aliases=(),
        groups=(),
        dkim=Dkim(selector="s1", private="", public=""),
        subject_key="0" * 64,
    )
    kept = Settings(**settings)
    return WebmailDescription(mail=mail, settings=kept, names=kept.names or (WEB,), key="k" * 32)
