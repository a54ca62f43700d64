"""The records of the DNS without which mail does not find us, is not believed, or programs do not set themselves up."""

from __future__ import annotations

from appliance.components.agreements import DnsRecord
from appliance.services.mail.description import Dkim, MailDescription

__all__ = ["NAMES", "RECORDS", "character_strings", "dns_records"]

RECORDS = "mail.records"
LONGEST = 255
"""Bytes of one character-string (RFC 1035 section 3.3)."""

NAMES = ("imap", "pop", "smtp")
"""What people type in without being told; the certificate is for these too."""
SERVICES = (
    # RFC 6186 section 3, RFC 8314 section 5.1 and RFC 5804 section 1.7. TLS from the first byte comes first.
    ("_submissions._tcp", 0, 465),
    ("_submission._tcp", 10, 587),
    ("_imaps._tcp", 0, 993),
    ("_pop3s._tcp", 10, 995),
    ("_sieve._tcp", 0, 4190),
)
"""Name, priority and port."""


def dns_records(described: MailDescription) -> tuple[DnsRecord, ...]:
    """All of them, the reverse of our address among them."""
    domain, host = described.domain, described.host
    return (
        DnsRecord(name=domain, type="MX", value=f"10 {host}."),
        DnsRecord(name=host, type="A", value=described.address),
        *(
            DnsRecord(name=f"{name}.{domain}", type="A", value=described.address)
            for name in NAMES
            if f"{name}.{domain}" != host
        ),
        DnsRecord(name=_reverse(described.address), type="PTR", value=f"{host}."),
        # RFC 7208: our mail comes from our server alone; the second is for the name that it says in EHLO (section 2.3).
        DnsRecord(name=domain, type="TXT", value='"v=spf1 mx -all"'),
        DnsRecord(name=host, type="TXT", value='"v=spf1 a -all"'),
        # RFC 7489. Strict: all our mail is of the domain itself and signed by it, and a subdomain's key or host must
        # not be enough to write in its name.
        DnsRecord(
            name=f"_dmarc.{domain}",
            type="TXT",
            value=f'"v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s; rua=mailto:postmaster@{domain}"',
        ),
        # A key that no longer signs stays until what it has signed has arrived.
        *(_dkim(one, domain) for one in (described.dkim, *described.retired)),
        *(
            DnsRecord(name=f"{name}.{domain}", type="SRV", value=f"{priority} 1 {port} {host}.")
            for name, priority, port in SERVICES
        ),
    )


def _dkim(dkim: Dkim, domain: str) -> DnsRecord:
    """RFC 6376 section 3.6.1."""
    value = character_strings(f"v=DKIM1; k=rsa; p={dkim.public}")
    return DnsRecord(name=f"{dkim.selector}._domainkey.{domain}", type="TXT", value=value)


def character_strings(text: str) -> str:
    """ASCII text without quotes as the character-strings of one TXT record, which its reader joins without a space."""
    return " ".join(f'"{text[start : start + LONGEST]}"' for start in range(0, len(text), LONGEST))


def _reverse(address: str) -> str:
    """RFC 1035 section 3.5."""
    return ".".join((*reversed(address.split(".")), "in-addr.arpa"))
