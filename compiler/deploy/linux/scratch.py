"""nft's own spelling of a file: loaded where no packet goes, and listed."""

from __future__ import annotations

import ctypes
import os
import threading

from compiler.deploy.deployment import DeployError
from compiler.deploy.linux.libnftables import Nftables, NftablesError
from compiler.deploy.linux.state import TABLE

__all__ = ["spelled", "spelled_tables"]

_CLONE_NEWNET = 0x40000000  # sched.h


def spelled(rules: str) -> str:
    """Our table as ``nft list`` shows it once the file is loaded. DeployError where the kernel does not take it."""
    return spelled_tables(rules)["ip", TABLE]


def spelled_tables(rules: str) -> dict[tuple[str, str], str]:
    """All tables that the file leaves behind, by family and name. DeployError as for :func:`spelled`.

    A thread goes into a network namespace of its own for it, which goes with the
    thread: so the file is tried out, whole, before anything is changed.
    """
    found: dict[tuple[str, str], str] = {}
    failed: list[str] = []

    def load() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET):
            failed.append(f"no network namespace to try the rules in: {os.strerror(ctypes.get_errno())}")
            return
        try:
            with Nftables() as nft:
                nft.run(rules)
                for line in nft.run("list tables").splitlines():
                    _, family, name = line.split()
                    found[family, name] = nft.table(family, name)
        except NftablesError as error:
            failed.append(f"this kernel does not take the rules; nothing was changed:\n{error}")

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    if failed:
        raise DeployError(failed[0])
    return found
