"""The hospital that the demonstration shows."""

from __future__ import annotations

from appliance.testing import Trial
from tests.appliance.services.mail.accounts.conftest import described
from tests.appliance.services.mail.accounts.test_law import hold


def test_the_hospital_stands(empty: Trial) -> None:
    empty.load_examples()
    found = described(empty)
    hold(found)
    assert found.domain == "rssulsel.com"
    assert found.postmaster == "siti.rahma"
    assert {one.department for one in found.mailboxes} == {"Wards", "Nurses", "Doctors", "Administration"}
    nurses = next(one for one in found.groups if one.name == "nurses")
    assert nurses.members == ("budi.santoso", "fitriani", "muh.ilham", "sri.wahyuni")
    assert [one.name for one in found.mailboxes if not one.active] == ["agus.salim"]
    siti = empty.person("siti", "postmaster")
    everybody = siti("who-gets", address="everybody@rssulsel.com")
    assert len(everybody) == len(found.mailboxes)
