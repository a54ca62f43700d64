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


@record(help={"ttl": "How long it is kept."})
class Told:
    """A field that a form tells something of, and one that speaks for itself."""

    ttl: Count
    idle: Count = 0


def test_a_field_has_the_help_that_its_record_gives_it() -> None:
    assert [one.help for one in fields_of(Told)] == ["How long it is kept.", ""]
