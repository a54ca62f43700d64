"""``--upload NAME=FILE``: a file that goes to the daemon before the command that claims it."""

from __future__ import annotations

import copy
import mimetypes
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.errors import UsageError

if TYPE_CHECKING:
    from appliance.cli.options import Option
    from appliance.client.blocking import Client

__all__ = ["sent"]


def sent(
    client: Client, options: Iterable[Option], uploads: Iterable[str], values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The arguments with the numbers of the files, which are sent now. Raises UsageError, before anything is sent,
    for a name that is no option of the command and for a file that is not there."""
    known = {one.name: one for one in options if one.schema.get("type") == "string"}
    wanted = []
    for upload in uploads:
        name, parted, file = upload.partition("=")
        if not parted or name not in known:
            few = ", ".join(sorted(known)) or "none"
            raise UsageError(f"--upload {upload}: expected NAME=FILE with an option of the command: {few}")
        if not Path(file).is_file():
            raise UsageError(f"--upload {upload}: there is no file {file}")
        wanted.append((known[name], Path(file)))
    made: dict[str, Any] = copy.deepcopy(dict(values))
    for option, path in wanted:
        identity = client.send_file(path, mimetypes.guess_type(path.name)[0] or "application/octet-stream")
        inner = made
        for name in option.place[:-1]:
            inner = inner.setdefault(name, {})
        if option.several:
            inner.setdefault(option.place[-1], []).append(identity)
        else:
            inner[option.place[-1]] = identity
    return made
