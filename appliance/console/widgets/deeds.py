"""What a key begins and nobody breaks off: a save, a question and its answer, a command of the daemon."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from textual.dom import DOMNode

__all__ = ["begin", "underway"]


def underway(node: DOMNode, group: str) -> bool:
    """Whether a deed of this group, begun by this node, has not ended."""
    return any(one.node is node and one.group == group and not one.is_finished for one in node.app.workers)


def begin(node: DOMNode, deed: Coroutine[Any, Any, object], *, group: str = "action") -> bool:
    """Do it in a worker, unless one of its group is under way; whether it was begun.

    An exclusive worker would end the first in favour of the second. But the
    daemon has the first one's request already, and a booking that is saved by
    two strokes of Ctrl+S would be there twice; a question that somebody waited
    for would stand with nobody to answer to.
    """
    if underway(node, group):
        deed.close()
        node.app.bell()
        return False
    node.run_worker(deed, group=group)
    return True
