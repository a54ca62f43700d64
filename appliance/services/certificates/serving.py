"""What daemons serve by now, beside what is kept: a certificate that was renewed serves nobody before its commit."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, RowMapping, select

from appliance.contract.context import Context
from appliance.services.certificates.tables import CERTIFICATES

__all__ = ["renewals_waiting"]


def renewals_waiting(context: Context, connection: Connection) -> tuple[str, ...]:
    """The names of those that are in the generation of now with the same key, chain and names, and an older end."""
    if context.appliance is None:
        return ()
    current: Path = context.appliance.state_folder / "current"
    rows = connection.execute(select(CERTIFICATES).order_by(CERTIFICATES.c.name)).mappings()
    return tuple(row["name"] for row in rows if _renewed(row, current / f"certificates.{row['name']}"))


def _renewed(row: RowMapping, served: Path) -> bool:
    try:
        before = {
            name: (served / f"{name}.pem").read_text(encoding="ascii") for name in ("certificate", "key", "chain")
        }
    except (OSError, ValueError):  # it was never committed
        return False
    if before["certificate"] == row["certificate"] or any(before[one] != row[one] for one in ("key", "chain")):
        return False
    return _names(before["certificate"]) == _names(row["certificate"])


def _names(pem: str) -> frozenset[object]:
    """As clients read them (``subjectAltName`` of RFC 5280, section 4.2.1.6)."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(pem.encode())
    return frozenset(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
