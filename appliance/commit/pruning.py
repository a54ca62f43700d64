"""Which generations are kept, and the removal of the others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from appliance import durable
from appliance.commit.journal import Journal, write_journal
from appliance.commit.settling import Ground

__all__ = ["kept_generations", "previous", "prune"]


def previous(journal: Journal) -> int:
    """The generation that a rollback goes to: the last confirmed one before that which stands; 0: there is none."""
    return max((number for number in journal.confirmed() if number < journal.standing), default=0)


def kept_generations(journal: Journal, keep: int) -> frozenset[int]:
    """The last ``keep`` confirmed ones and as many others, what stands or is underway, what a rollback goes to, and
    what could not be taken back yet."""
    confirmed = journal.confirmed()
    others = tuple(record.number for record in journal.records if record.number not in confirmed)
    needed = {journal.standing, previous(journal), *(one.generation for one in journal.unfinished)}
    if journal.underway:
        needed |= {journal.underway.before, journal.underway.after}
    return frozenset({*confirmed[-keep:], *others[-keep:], *needed} - {0})


def prune(ground: Ground, journal: Journal, keep: int) -> Journal:
    """Remove the others, from the journal first. A disk that fails here fails nothing else: next time."""
    wanted = kept_generations(journal, keep)
    rest = tuple(record for record in journal.records if record.number in wanted)
    if rest != journal.records:
        journal = replace(journal, records=rest)
        with suppress(OSError):
            write_journal(ground.folder.journal, journal)
    for number in ground.folder.numbers():
        if number not in wanted:
            with suppress(OSError):
                durable.remove(ground.folder.of(number))
    return journal
