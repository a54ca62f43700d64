"""Who asks a listing in the tests, and when."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.contract.listings import Asking
from appliance.contract.people import Person


def asking(person: Person) -> Asking:
    """This person, on a day of March, with settings as they are declared."""
    now = datetime(2026, 3, 1, 8, tzinfo=ZoneInfo("Asia/Jakarta"))
    return Asking(person=person, now=now, settings_of=lambda record: record())
