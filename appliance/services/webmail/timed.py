"""What the web mail does by itself each night, once its daemons are committed: its web server's log is put aside."""

from __future__ import annotations

from datetime import time

from appliance.contract.context import Context
from appliance.contract.timed import Daily, Timed
from appliance.services.webmail.rendering import NGINX_NAME

__all__ = ["TIMED"]


def _committed(context: Context) -> bool:
    return any(one.current and NGINX_NAME in one.components for one in context.appliance.commits.generations())


TIMED = (Timed(command="log.turn", when=Daily(at=time(2, 40)), wanted=_committed),)
