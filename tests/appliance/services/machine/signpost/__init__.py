"""A service whose only wish is a page with the text of a file: the daemon that serves it needs no rights.

``python -m tests.appliance.services.machine.signpost STATE SOCKET STORE``
"""

from __future__ import annotations

from appliance.contract.service import Service

service = Service(name="signpost", title="Signpost", package=__name__, roles=())
