"""Queries: the sorted ids that each session looks at, and pages of their rows.

A session keeps its last few queries, and all together a bounded number and size;
what was looked at least lately goes first. Roles are asked at each look.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from pydantic_core import to_json

from appliance.contract.listings import Listing, Question
from appliance.contract.people import Person
from appliance.contract.refusals import NotAllowed, NotFound
from appliance.language import _
from appliance.store import listing as kept_rows
from appliance.store.export import Export, export_csv, export_xlsx
from appliance.store.orders import Orders

if TYPE_CHECKING:
    from appliance.daemon.running import Runner

__all__ = ["EXPORTS", "Queries", "owner_of"]

SESSION = "session:"
OF_ONE = 16
"""Queries of one session."""
FIRST_ROWS = 100
PART = 64 * 1024
MOST = 5_000
"""Queries of all sessions."""
MOST_BYTES = 160 * 1024 * 1024
"""What all queries hold."""
OVERHEAD = 2048
"""Bytes of a query without its ids and its question."""
EXPORTS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def owner_of(session: int) -> str:
    """Whose the queries of a session are."""
    return f"{SESSION}{session}"


@dataclass(frozen=True, slots=True)
class _Query:
    owner: str
    service: str
    listing: Listing
    question: Question
    kept: kept_rows.Kept
    size: int
    """Bytes, about."""


class Queries:
    """The queries of all sessions. May be called from any thread."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._queries: OrderedDict[str, _Query] = OrderedDict()
        self._bytes = 0
        self._orders = Orders()

    def listing(self, person: Person, service: str, name: str) -> Listing:
        """The listing, if this person may look; raises NotFound and NotAllowed."""
        offered = self._runner.registry.services.get(service)
        found = offered.listings.get(name) if offered else None
        if found is None or found.select is None:
            raise NotFound(_("listing"), f"{service}.{name}"[:200])
        if not person.reaches(service, found.see):
            raise NotAllowed(
                _("{person} has none of the roles for {command}: {roles}"),
                person=person.name or "visitor",
                command=f"{service}.{name}",
                roles=", ".join(sorted(found.see)),
            )
        return found

    def ask(self, owner: str, person: Person, service: str, listing: Listing, question: Question) -> bytes:
        """Choose and sort; answers the query's number, how many rows, and the first of them, as JSON."""
        store = self._runner.store
        orders = kept_rows.Known(self._orders, store.touches.standing())
        with store.reading() as connection:
            asking = self._runner.asking(connection, person, service)
            kept = kept_rows.ask(connection, listing, question, asking, orders)
            rows = kept_rows.page(connection, listing, kept.ids[:FIRST_ROWS], asking)
        identity = uuid4().hex
        size = OVERHEAD + kept.ids.itemsize * kept.count + len(to_json(question))
        self._keep(identity, _Query(owner, service, listing, question, kept, size))
        return to_json({"query": identity, "count": kept.count, "rows": _told(rows)})

    def page(self, owner: str, person: Person, identity: str, offset: int, limit: int) -> bytes:
        """These rows as they are now."""
        query = self._find(owner, person, identity)
        ids = query.kept.ids[offset : offset + limit]
        with self._runner.store.reading() as connection:
            asking = self._runner.asking(connection, person, query.service)
            return to_json({"rows": _told(kept_rows.page(connection, query.listing, ids, asking))})

    def position(self, owner: str, person: Person, identity: str, row: int) -> int | None:
        """Where the row with this id stands."""
        return self._find(owner, person, identity).kept.position(row)

    def totals(self, owner: str, person: Person, identity: str) -> Mapping[str, Any]:
        """The sums of the number columns."""
        query = self._find(owner, person, identity)
        with self._runner.store.reading() as connection:
            asking = self._runner.asking(connection, person, query.service)
            return dict(kept_rows.totals(connection, query.listing, query.question, asking))

    def export(
        self, owner: str, person: Person, identity: str, form: str, *, plain: bool = False, most: int | None = None
    ) -> tuple[str, Iterator[bytes]]:
        """The file's name, and its bytes part by part; ``plain`` CSV is for programs. It is written down whole in one
        snapshot, then sent: a slow reader keeps none open. Raises Refused for more rows than a sheet has."""
        query = self._find(owner, person, identity)
        file = tempfile.TemporaryFile(prefix="gerbang-export-")  # noqa: SIM115 - whoever reads it closes it
        try:
            with self._runner.store.reading() as connection:
                asking = self._runner.asking(connection, person, query.service)
                ids = query.kept.ids[:most]
                wanted = Export(listing=query.listing, ids=ids, asking=asking, zone=self._runner.zone)
                if form == "csv":
                    file.writelines(export_csv(connection, wanted, plain=plain))
                else:
                    export_xlsx(connection, wanted, file)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return f"{query.service}-{query.listing.name}", _parts(file)

    def drop(self, owner: str) -> None:
        """Forget the queries of a session that has ended."""
        with self._lock:
            self._drop([one for one, query in self._queries.items() if query.owner == owner])

    def retain(self, sessions: Set[int]) -> None:
        """Forget the queries of all sessions but these. Called once a minute."""
        owners = {owner_of(session) for session in sessions}
        with self._lock:
            ended = [
                one
                for one, query in self._queries.items()
                if query.owner.startswith(SESSION) and query.owner not in owners
            ]
            self._drop(ended)

    def _drop(self, identities: Iterable[str]) -> None:
        for identity in identities:
            self._bytes -= self._queries.pop(identity).size

    def _keep(self, identity: str, query: _Query) -> None:
        with self._lock:
            self._queries[identity] = query
            self._bytes += query.size
            mine = [one for one, other in self._queries.items() if other.owner == query.owner]
            self._drop(mine[: max(len(mine) - OF_ONE, 0)])
            while len(self._queries) > 1 and (self._bytes > MOST_BYTES or len(self._queries) > MOST):
                self._drop([next(iter(self._queries))])

    def _find(self, owner: str, person: Person, identity: str) -> _Query:
        with self._lock:
            query = self._queries.get(identity)
            if query is not None and query.owner == owner:
                self._queries.move_to_end(identity)
        if query is None or query.owner != owner:
            raise NotFound(_("query"), identity[:64])
        self.listing(person, query.service, query.listing.name)
        return query


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(PART):
            yield part


def _told(rows: Sequence[kept_rows.Row]) -> list[dict[str, Any]]:
    return [{"id": row.id, "version": row.version, "values": row.values} for row in rows]
