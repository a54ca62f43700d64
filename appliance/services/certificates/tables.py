"""The tables of certificates, of authorities, and of all that was issued."""

from __future__ import annotations

from appliance.services.certificates.model import Authority, Certificate, IssuedRow
from appliance.store.tables import metadata, record_table

__all__ = ["AUTHORITIES", "CERTIFICATES", "ISSUED", "METADATA"]

METADATA = metadata()
CERTIFICATES = record_table("certificates_certificates", Certificate, METADATA, key="name")
AUTHORITIES = record_table("certificates_authorities", Authority, METADATA, key="fingerprint")
ISSUED = record_table("certificates_issued", IssuedRow, METADATA, key="serial")
