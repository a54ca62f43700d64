"""How a component may be called: its name is a folder of a generation (``appliance.commit.planning``)."""

from __future__ import annotations

import re

__all__ = ["COMPONENT_NAME"]

COMPONENT_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
