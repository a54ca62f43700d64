"""``python -m appliance.services.network.checking files|standing FOLDER``: what is wrong, a line each; exit code 1.

``files``: whether the helper would take them. ``standing``: whether the kernel
is as they say. The root helper runs it; nothing is changed.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from appliance.services.network.files import read_files, wish_of
from appliance.services.network.records import FOLDERS, Folders
from compiler.deploy.linux.libnftables import NftablesError
from compiler.errors import GerbangError

__all__ = ["main", "wrong_in_files", "wrong_in_kernel"]


def wrong_in_files(folder: Path) -> Iterator[str]:
    """What the helper would refuse: shapes, words, tables of others, interfaces that this machine does not have."""
    try:
        wish = wish_of(read_files(folder))
    except GerbangError as error:
        yield str(error)
        return
    there = {name for _, name in socket.if_nameindex()} if wish.plan is not None else set()
    for one in wish.plan.interfaces if wish.plan is not None else ():
        if one.name not in there:
            yield f"there is no interface {one.name}"


def wrong_in_kernel(folder: Path, folders: Folders = FOLDERS) -> Iterator[str]:
    """What the kernel has otherwise than the files say."""
    from appliance.services.network.applying import differences

    try:
        found = differences(folder, folders=folders)
    except (GerbangError, NftablesError) as error:
        yield str(error)
        return
    for change in found:
        yield f"the kernel differs: {change}"


def main(arguments: list[str]) -> int:
    """The exit code: 0 when nothing is wrong."""
    what, folder = arguments
    lines = list((wrong_in_files if what == "files" else wrong_in_kernel)(Path(folder)))
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
