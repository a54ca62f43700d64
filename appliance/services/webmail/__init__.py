"""Web mail: Roundcube behind nginx."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="webmail",
    title="Web mail",
    package=__name__,
    roles=(Role("webmaster", "Webmaster"),),
    requires=("mail", "certificates"),
    settings=frozenset({"webmaster"}),
)
