"""All records as they would be served after a commit, those that other services declare among them."""

from __future__ import annotations

from appliance.console.query_pane import QueryPane
from appliance.language import _
from appliance.services.dns.model import ServedLine

__all__ = ["ServedPane"]


class ServedPane(QueryPane):
    """Asked again whenever zones or records change."""

    HELP = _("""\
# All that is served

The records of all zones, and those that other services need in them: the mail server its MX, the keys of its
signatures, its policies. The column *by* names who declares one; a record of yours with the same owner and type but
another value takes its place, and the commit is refused then, because the other service could not be found.
""")
    command = "served"
    record = ServedLine
    subjects = frozenset({"zones", "records"})
    empty = _("There is no zone yet.")
