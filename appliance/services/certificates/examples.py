"""Certificates to look at: two of a hospital's hosts, one of them soon at its end, and one that was revoked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from appliance.contract.context import Context
from appliance.services.certificates.issuing import certificate_row, ensure, replace_authority, replace_key
from appliance.services.certificates.model import Reason

__all__ = ["load"]

OLD = timedelta(days=380)
"""So long ago the certificate was issued that ends soon."""


def load(context: Context) -> None:
    """Fill an empty service."""
    ago = replace(context, now=context.now - OLD)
    replace_authority(ago)
    ensure(ago, "printer", ("printer.rssulsel.example", "192.168.10.9"), "printer of the pharmacy")
    ensure(context, "intranet", ("intranet.rssulsel.example", "*.ward.rssulsel.example"), "pages of the wards")
    row = certificate_row(context, "intranet")
    assert row is not None
    replace_key(context, row, Reason.KEY_COMPROMISE)
