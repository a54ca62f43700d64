"""Putting back what stood before a deployment: by command, after a failure, or by the guardian in the end."""

from __future__ import annotations

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.changes import steps
from compiler.deploy.linux.kernel import Kernel, Refusal
from compiler.deploy.linux.records import Records, Waiting

__all__ = ["put_back"]


def put_back(kernel: Kernel, records: Records, waiting: Waiting) -> None:
    """What stood before, and the record gone. The lock must be held.

    It looks at what stands now, not at what was done: so it may be called again
    after it was itself cut off anywhere. What the kernel refuses stops nothing
    else; it is a DeployError in the end, and leaves the record, to be tried again.
    """
    names = [name for name, _ in waiting.before.settings]
    refused = []
    for step in steps(kernel.held(names), waiting.before):
        try:
            step.do(kernel)
        except (Refusal, OSError) as error:
            refused.append(f"{step.change}: {error}")
    left = steps(kernel.held(names), waiting.before)
    if left:
        why = refused or [f"still to do: {step.change}" for step in left]
        raise DeployError(f"putting back what was there before: {why[0]}")
    records.end()
