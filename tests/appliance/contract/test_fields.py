"""What fields are called."""

from __future__ import annotations

from appliance.contract.fields import fields_of
from appliance.contract.kinds import Count
from appliance.contract.records import record


@record
class Ports:
    """Names with words that are written in capitals, alone and among others."""

    ttl: Count
    ssh_port: Count
    port_of_tls: Count
    idle: Count


def test_short_names_are_written_as_in_the_field() -> None:
    assert [one.label for one in fields_of(Ports)] == ["TTL", "SSH port", "Port of TLS", "Idle"]
