"""The sweep itself: hand out, take back, write down, tell; and go on when something breaks."""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias

from compiler.errors import GerbangError, UsageError
from compiler.testing.sweeps.asking import fingerprint_of, question_of
from compiler.testing.sweeps.crews import Crew, Given, Here, Processes, usable_cores
from compiler.testing.sweeps.items import digest_of, identity_of
from compiler.testing.sweeps.journal import Journal
from compiler.testing.sweeps.judging import Check, broken
from compiler.testing.sweeps.result import Result
from compiler.testing.sweeps.sizing import Sizing
from compiler.testing.sweeps.work import Order, prepared, work

__all__ = ["SweepStopped", "sweep"]

Workers: TypeAlias = str | Executor | Callable[[], Executor]

_AHEAD = 2
"""Chunks handed out for each slot: one is worked at while the next is on its way."""
_LOOK_UP = 1.0
"""Seconds without a result after which one looks whether anybody is still working."""
_SCANNED = 512
"""Results of a journal that are told in one go."""
_LONE_LIVES = 2
"""Processes of ours that an item may take with it when it is tried alone: somebody else may have killed one."""


class SweepStopped(GerbangError):
    """A sweep that cannot go on: what it found is in its journal."""

    exit_code = 1


def sweep(
    items: Iterable[object],
    check: Check,
    *,
    executor: Workers | None = None,
    processes: int | None = None,
    journal: str | os.PathLike[str] | None = None,
    anew: bool = False,
    timeout: float | None = None,
    on_result: Callable[[Result], object] | None = None,
) -> Generator[Result, None, None]:
    """Put every item to the check; yield the results as they come.

    ``items`` may be a generator of millions: few are held at a time. Each item
    and the check must be pickled, and an item must have an identity
    (:mod:`~compiler.testing.sweeps.items`). :data:`~compiler.testing.sweeps.judging.Check`
    says what a check returns. An item whose check raises, takes longer than
    ``timeout`` seconds or kills its process is a broken result; the others go on.

    Who works: ``processes`` of ours (all cores by default; 0 is this process),
    or an ``executor``: the address of a Dask scheduler (``tcp://host:port``), a
    Dask client's ``get_executor()``, any other executor, or a function that makes
    one (with it the work goes on after a process pool broke).
    With processes a script needs ``if __name__ == "__main__":``.

    With ``journal`` results are kept in that file, and what it holds of the
    same items and the same question is not asked again. One of another question
    is refused, or emptied with ``anew``. Raises UsageError, and SweepStopped
    when the executor or cluster is gone.
    """
    if executor is not None and processes is not None:
        raise UsageError("a sweep is done by processes of ours or by an executor: name one of them")
    if processes is not None and processes < 0:
        raise UsageError(f"{processes} processes: expected 0 (this one) or more")
    if timeout is not None and timeout <= 0:
        raise UsageError(f"a timeout of {timeout:g} s: expected more than 0")
    order = Order(_pickled(check), timeout)
    asked = _Asked(question_of(check), fingerprint_of(check), anew)
    return _told(items, order, partial(_crew, executor, processes), journal, asked, on_result)


class _Asked(NamedTuple):
    question: str
    fingerprint: str
    anew: bool


def _told(
    items: Iterable[object],
    order: Order,
    crew_of: Callable[[], Crew],
    path: str | os.PathLike[str] | None,
    asked: _Asked,
    on_result: Callable[[Result], object] | None,
) -> Generator[Result, None, None]:
    """Nothing is opened or started before the first result is asked for, and all is let go of at the end."""
    with ExitStack() as stack:
        journal = None
        if path is not None:
            journal = Journal(path, asked.question, asked.fingerprint, anew=asked.anew)
            stack.callback(journal.close)
        crew = crew_of()
        left = len(items) if isinstance(items, Sized) else None
        state = _Sweep(crew, order._replace(hard=crew.hard), journal, _numbered(items), left)
        clean = False
        try:
            for result in state.results():
                if on_result is not None:
                    on_result(result)
                yield result
            clean = True
        finally:
            crew.leave(clean=clean)


class _Numbered(NamedTuple):
    number: int
    item: object


class _Chunk(NamedTuple):
    """Items handed out together. ``losses``: workers that died while they had it; ``alone``: nothing else was out."""

    items: tuple[_Numbered, ...]
    losses: int = 0
    alone: bool = False


class _Sweep:
    """A sweep under way."""

    def __init__(
        self, crew: Crew, order: Order, journal: Journal | None, items: Iterator[_Numbered], left: int | None
    ) -> None:
        self._crew = crew
        self._order = order
        self._journal = journal
        self._items = items
        self._peeked: _Numbered | None = None
        self._left = left
        self._sizing = Sizing()
        self._out: dict[Future[list[Result]], _Chunk] = {}
        self._again: deque[_Chunk] = deque()
        self._suspects: deque[_Chunk] = deque()
        self._ready: deque[Result] = deque()

    def results(self) -> Iterator[Result]:
        """Every item's result, in the order in which they come."""
        self._check_workers()
        while True:
            self._hand_out()
            while self._ready:
                yield self._ready.popleft()
            if self._out:
                self._take_back()
            elif not (self._ready or self._again or self._suspects) and not self._more():
                return

    # -- handing out ---------------------------------------------------------------------------

    def _check_workers(self) -> None:
        try:
            self._crew.submit(prepared, self._order).result()
        except CancelledError as error:
            raise SweepStopped("the workers are gone before the sweep began") from error
        except Exception as error:
            raise UsageError(f"the workers cannot run this check: {type(error).__name__}: {error}") from error

    def _hand_out(self) -> None:
        """Fill the slots. Suspects go out one at a time, when nothing else is out that could die instead of them."""
        most = max(_AHEAD * self._crew.slots(), 1)
        while len(self._out) < most and len(self._ready) < _SCANNED:
            if self._again:
                chunk: _Chunk | None = self._again.popleft()
            elif self._suspects:
                if self._out:
                    return
                chunk = self._suspects.popleft()
            else:
                chunk = self._next_chunk()
            if chunk is None:
                return
            self._submit(chunk)
            if chunk.alone:
                return

    def _submit(self, chunk: _Chunk) -> None:
        try:
            future = self._crew.submit(work, self._order, tuple(one.item for one in chunk.items))
        except self._crew.lost:  # it broke since the last look
            self._again.appendleft(chunk)
            self._renew()
            return
        self._out[future] = chunk

    def _next_chunk(self) -> _Chunk | None:
        """The next items that no journal knows; None when there are none, or what is ready must be told first."""
        size = self._sizing.next_size(self._left, self._crew.slots())
        items: list[_Numbered] = []
        while len(items) < size and len(self._ready) < _SCANNED:
            one = self._next_item()
            if one is None:
                break
            self._left = None if self._left is None else self._left - 1
            known = self._journal and self._journal.find(identity_of(one.item), digest_of(one.item))
            if known:
                self._ready.append(_numbered_as(known, one.number, resumed=True))
            else:
                items.append(one)
        return _Chunk(tuple(items)) if items else None

    def _more(self) -> bool:
        """Whether there is another item."""
        self._peeked = self._next_item()
        return self._peeked is not None

    def _next_item(self) -> _Numbered | None:
        one, self._peeked = self._peeked, None
        return one if one is not None else next(self._items, None)

    # -- taking back ---------------------------------------------------------------------------

    def _take_back(self) -> None:
        done, _ = wait(self._out, _LOOK_UP, return_when=FIRST_COMPLETED)
        if not done and self._crew.is_deserted():
            raise SweepStopped("the cluster has no workers any more; a journal holds what was found")
        broke = False
        for future in done:
            broke = self._settle(future, self._out.pop(future)) or broke
        if broke:
            self._renew()

    def _settle(self, future: Future[list[Result]], chunk: _Chunk) -> bool:
        """What became of a chunk. Whether the worker died."""
        try:
            results = future.result()
        except CancelledError as error:
            raise SweepStopped("the workers are gone; a journal holds what was found") from error
        except self._crew.lost:
            self._lost(chunk)
            return True
        except Exception as error:  # the way there or back: an item or a result that cannot be pickled
            self._undeliverable(chunk, error)
            return False
        self._sizing.learn(results)
        self._keep([_numbered_as(one, item.number) for one, item in zip(results, chunk.items, strict=True)])
        return False

    def _lost(self, chunk: _Chunk) -> None:
        losses = chunk.losses + 1
        if chunk.alone and (losses >= self._crew.lives + _LONE_LIVES or self._crew.lives == 1):
            said = "the process that checked it died each time (killed, out of memory, a crash, or it hung)"
            self._keep([_numbered_as(broken(one.item, "the process died", said), one.number) for one in chunk.items])
        elif losses >= self._crew.lives:
            self._suspects.extend(_Chunk((one,), losses, alone=True) for one in chunk.items)
        else:
            self._again.append(chunk._replace(losses=losses))

    def _undeliverable(self, chunk: _Chunk, error: Exception) -> None:
        if len(chunk.items) > 1:
            self._again.extend(_Chunk((one,), chunk.losses) for one in chunk.items)
            return
        one = chunk.items[0]
        reason = f"not delivered: {type(error).__name__}: {error}"
        self._keep([_numbered_as(broken(one.item, reason), one.number)])

    def _renew(self) -> None:
        """A process pool that lost one process gives everything back that was out."""
        if self._out and self._crew.lives > 1:
            done, _ = wait(self._out)
            for future in done:
                self._settle(future, self._out.pop(future))
        if not self._crew.renew():
            raise SweepStopped(
                "a process of the executor died, and it cannot work on: give a function that makes executors; "
                "a journal holds what was found"
            )

    def _keep(self, results: list[Result]) -> None:
        if self._journal is not None:
            self._journal.write(results)
        self._ready.extend(results)


def _crew(executor: Workers | None, processes: int | None) -> Crew:
    if isinstance(executor, str) or type(executor).__module__.startswith("distributed."):
        from compiler.testing.sweeps.cluster import Cluster

        return Cluster(executor)  # type: ignore[arg-type]
    if executor is not None:
        return Given(executor)
    return Here() if processes == 0 else Processes(usable_cores() if processes is None else processes)


def _pickled(check: Check) -> bytes:
    try:
        return pickle.dumps(check)
    except Exception as error:  # pickle raises all sorts of them
        raise UsageError(
            f"the check cannot be sent to other processes: {error}; make it a function of a module, "
            "functools.partial of one, or an instance of a class of a module"
        ) from error


def _numbered(items: Iterable[object]) -> Iterator[_Numbered]:
    return map(_Numbered._make, enumerate(items))


def _numbered_as(result: Result, number: int, *, resumed: bool = False) -> Result:
    return replace(result, number=number, resumed=resumed)
