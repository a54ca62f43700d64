"""The hospital's names, to try things on: its zone with web and mail, and the reverse of its network."""

from __future__ import annotations

from appliance.contract.context import Context
from appliance.services.dns.model import Entry, NewZone
from appliance.services.dns.setting_up import set_up
from appliance.services.dns.zoning import add_entries

__all__ = ["load"]

ZONE, ADDRESS = "rssulsel.com", "192.168.10.2"


def load(context: Context) -> None:
    """Fill an empty service."""
    set_up.function(context, NewZone(name=ZONE, address=ADDRESS, www=ADDRESS, mail=ADDRESS))
    add_entries(
        context,
        [
            Entry(zone=ZONE, owner="autoconfig", type="CNAME", value=f"www.{ZONE}.", about="set-up of mail programs"),
        ],
    )
