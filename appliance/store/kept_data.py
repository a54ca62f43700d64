"""Program data in a backup: streamed from the machine into a part, and from the part back to the machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import chain

from appliance.contract.program_data import DataKeeper, data_of
from appliance.contract.service import Service
from appliance.store.archive import BadBackup, Reader, Writer

__all__ = ["check_data", "put_data", "refuse_unknown_data", "write_data"]


def write_data(writer: Writer, services: Iterable[Service], keeper: DataKeeper | None) -> None:
    """A part for each that there is something of."""
    for service in services if keeper is not None else ():
        for one in data_of(service):
            assert keeper is not None
            with closing(keeper.take_data(one.name)) as chunks:
                if first := next(chunks, b""):
                    writer.add(f"data/{service.name}/{one.name}", service.name, chain((first,), chunks))


def check_data(reader: Reader, keeper: DataKeeper | None) -> None:
    """Compare each part with the manifest, and let the machine try it."""
    for part in reader.manifest.parts:
        if part.data and keeper is not None:
            keeper.check_data(part.data, reader.chunks(part))
        elif part.data:
            for _chunk in reader.chunks(part):
                pass


def put_data(reader: Reader, services: Iterable[Service], keeper: DataKeeper | None) -> None:
    """Put the parts of these services in the place of what is there, one after the other."""
    names = {one.name for one in services}
    for part in reader.manifest.parts:
        if part.data and part.service in names and keeper is not None:
            keeper.put_data(part.data, reader.chunks(part))


def refuse_unknown_data(reader: Reader, services: Sequence[Service]) -> None:
    """Raises BadBackup for data of these services that this version of them does not declare."""
    known = {one.name: {data.name for data in data_of(one)} for one in services}
    for part in reader.manifest.parts:
        if part.data and part.service in known and part.data not in known[part.service]:
            raise BadBackup(f"{reader.path}: it holds {part.data}, which {part.service} of this version does not keep")
