"""What a sweep has found so far, in a file that survives whatever ends the sweep: one JSON object a line.

The first line names what is swept. Lines are only ever added, and written
through to the kernel before their results are told, so that ``kill -9`` takes
nothing that was seen; fsync(2) follows in batches, for the loss of power. A
last line that was cut off is taken away when the journal is opened again. A
lock (flock(2)) keeps a second sweep out.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from compiler.errors import UsageError
from compiler.testing.sweeps.result import Outcome, Result

__all__ = ["Journal"]

_FORMAT = 1
_SYNC_LINES = 512
_SYNC_SECONDS = 1.0


class Journal:
    """Opens or begins the journal at a path.

    ``question`` is what is asked, for a person, and ``asked`` its fingerprint. With ``anew`` an
    older journal is emptied. Raises UsageError for a journal of another
    question, for a file that is none, and when another sweep has it.
    """

    def __init__(self, path: str | os.PathLike[str], question: str, asked: str, *, anew: bool = False) -> None:
        self._path = Path(path)
        self._file = _opened(self._path)
        try:
            self._lock()
            if anew:
                self._file.truncate(0)
            self._places = self._read(question, asked)
        except BaseException:
            self._file.close()
            raise
        self._unsynced = 0
        self._synced = time.monotonic()

    def __len__(self) -> int:
        """How many items it has results of."""
        return len(self._places)

    def find(self, identity: str, digest: str) -> Result | None:
        """What an earlier run found of this item as it is now. What was broken then is tried again: None."""
        place = self._places.get(identity)
        if place is None:
            return None
        self._file.seek(place)
        found = Result.from_json(json.loads(self._file.readline()))
        self._file.seek(0, os.SEEK_END)
        return found if found.digest == digest and found.outcome is not Outcome.BROKEN else None

    def write(self, results: Iterable[Result]) -> None:
        """Add results, all or none of a line. Raises OSError when the disk is full."""
        lines = [_line(result.as_json()) for result in results]
        self._file.write(b"".join(lines))
        self._file.flush()
        self._unsynced += len(lines)
        if self._unsynced >= _SYNC_LINES or time.monotonic() >= self._synced + _SYNC_SECONDS:
            self._sync()

    def close(self) -> None:
        """Write everything through to the disk, and let others have it."""
        if not self._file.closed:
            self._sync()
            self._file.close()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced, self._synced = 0, time.monotonic()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another sweep writes the journal {str(self._path)!r}") from error

    def _read(self, question: str, asked: str) -> dict[str, int]:
        """Where the result of each item stands; the last one, when there are several."""
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n"):
            if first and not _line(_head(question, asked)).startswith(first):
                raise self._no_journal()
            self._file.truncate(0)
            self._file.seek(0)
            self._file.write(_line(_head(question, asked)))
            self._file.flush()
            return {}
        self._check(first, question, asked)
        places: dict[str, int] = {}
        whole = len(first)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            try:
                places[json.loads(line)["identity"]] = whole
            except (ValueError, KeyError, TypeError):
                if self._file.read(1):
                    raise self._no_journal() from None
                break  # the last line: a disk that lost its power may hold anything there
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(whole)
        return places

    def _check(self, first: bytes, question: str, asked: str) -> None:
        try:
            head = json.loads(first)
            form, before, its_question = head["gerbang-sweep"], head["asked"], head["question"]
        except (ValueError, KeyError, TypeError):
            raise self._no_journal() from None
        if form != _FORMAT:
            raise UsageError(f"the journal {str(self._path)!r} is of another version of gerbang: begin a new one")
        if before != asked:
            what = f"asks {its_question!r}, not {question!r}" if its_question != question else "asked it otherwise"
            raise UsageError(
                f"the journal {str(self._path)!r} {what} (a check, its files or its program have changed): "
                "begin a new one"
            )

    def _no_journal(self) -> UsageError:
        return UsageError(f"{str(self._path)!r} is not the journal of a sweep")


def _opened(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise UsageError(f"cannot write the journal {str(path)!r}: {error.strerror}") from error
    return open(descriptor, "r+b")


def _head(question: str, asked: str) -> dict[str, object]:
    return {"gerbang-sweep": _FORMAT, "asked": asked, "question": question}


def _line(data: dict[str, object]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape") + b"\n"
