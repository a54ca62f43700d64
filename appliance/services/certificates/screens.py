"""The keeper's screens: the certificates, the own authority, and all that it has issued."""

from __future__ import annotations

from appliance.console.listing_screen import ListingScreen
from appliance.console.screens import CustomScreen
from appliance.contract.listings import Order
from appliance.language import _
from appliance.services.certificates.model import IssuedRow

__all__ = ["SCREENS"]

SCREENS = (
    CustomScreen(
        name="certificates",
        title=_("Certificates"),
        make="appliance.services.certificates.certificates_pane:CertificatesPane",
        needs=("overview",),
    ),
    CustomScreen(
        name="authority",
        title=_("Own authority"),
        make="appliance.services.certificates.authority_pane:AuthorityPane",
        needs=("authority",),
    ),
    ListingScreen(
        name="issued",
        title=_("Issued and revoked"),
        row=IssuedRow,
        order=(Order(column="begins", descending=True),),
        follows=("certificates", "authority"),
    ),
)
