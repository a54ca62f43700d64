"""What nodes, links and interfaces may be called."""

from __future__ import annotations

import re

__all__ = ["INTERFACE", "NAME"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@-]*\Z")
