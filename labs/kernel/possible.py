"""Whether this machine can run labs in its kernel."""

from __future__ import annotations

import importlib.util
import sys

from labs.kernel.libnftables import is_installed
from labs.kernel.namespaces import Namespace

__all__ = ["why_not"]


def why_not() -> str:
    """Why no lab can run in the kernel here; empty when one can."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no network namespaces"
    if importlib.util.find_spec("pyroute2") is None:
        return "pyroute2 is not installed"
    if not is_installed():
        return "libnftables is not installed (Debian: libnftables1)"
    try:
        Namespace("a trial").close()
    except OSError as error:
        return f"no network namespace can be made ({error.strerror}): it takes root"
    return ""
