"""The kinds of component that services are made of."""

from __future__ import annotations

__all__ = ["standard_kinds"]


def standard_kinds() -> tuple[type, ...]:
    """All of them, for ``appliance.commit``; a service's own kinds are added to these."""
    from appliance.components.agreements import Accounts, DnsRecords
    from appliance.components.backup import BackupSet
    from appliance.components.certificate import Certificate
    from appliance.components.check import Check
    from appliance.components.config_files import ConfigFiles
    from appliance.components.daemon import Daemon

    return (Accounts, BackupSet, Certificate, Check, ConfigFiles, Daemon, DnsRecords)
