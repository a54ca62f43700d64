"""Labs in the Linux kernel: each node a network namespace, each link a cable with a rate and a queue.

Nothing is left behind, not even after ``kill -9``: namespaces have no names and
no processes; they are held by file descriptors of this process and go with it.
To look into one while a lab runs: ``nsenter --net=/proc/PID/fd/N``.
"""

from __future__ import annotations

from labs.kernel.possible import why_not
from labs.kernel.runner import run

__all__ = ["run", "why_not"]
