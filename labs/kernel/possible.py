"""Whether this machine can run labs in its kernel."""

from __future__ import annotations

import importlib.util
import sys

from compiler.deploy.linux.libnftables import is_installed
from labs.kernel.namespaces import Namespace
from labs.topology import Node, NodeKind

__all__ = ["why_not", "why_not_node"]


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


def why_not_node(node: Node) -> str:
    """Why the kernel cannot be this node, whatever its configuration says; empty when it can."""
    if node.kind is NodeKind.ROUTEROS:
        return "a virtual RouterOS (kind: routeros) runs in the simulator only"
    if node.balance is not None and node.balance.target != "linux":
        return f"its balance is compiled for {node.balance.target}, and the kernel runs 'target: linux' only"
    return ""
