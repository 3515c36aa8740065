"""Build a suite's cases in several processes: the same cases, in the same order, sooner."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict, deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from causalbench.errors import TwinError
from causalbench.run.plan import cases_of, empty
from causalbench.run.pool import told
from causalbench.task.jobs import Placed, jobs_of, spread
from causalbench.task.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

    from causalbench.run.plan import Selection
    from causalbench.task.jobs import Job
    from causalbench.task.types import Case

__all__ = ["cases_in", "count_pieces", "pieces_in"]

_CHUNK = 8  # pieces that a worker is given at a time: a small one takes about a millisecond
_Part = tuple[str, int | None, str | None, str, str]
_Made = TypeVar("_Made", bound=Placed)
_Made_co = TypeVar("_Made_co", bound=Placed, covariant=True)


class _Finish(Protocol[_Made_co]):
    """What is kept of a case; a function of a module, since it travels to the workers."""

    def __call__(self, case: Case, /) -> _Made_co: ...


def cases_in(pool: Executor | None, selection: Selection) -> list[Case]:
    """Build the cases selected; every piece of a built-in kind of suite in the pool.

    Args:
        pool: processes, or None for this one.
        selection: what to build.

    Returns:
        What `causalbench.run.plan.cases_of` returns.
    """
    suite = selection.suite
    if pool is None or not isinstance(suite, Suite):
        return cases_of(selection)
    pieces = list(pieces_in(pool, selection, _whole))
    return cast("list[Case]", suite.in_order(pieces, selection.seed))


def pieces_in(
    pool: Executor | None, selection: Selection, finish: _Finish[_Made]
) -> Iterator[list[_Made]]:
    """Build the pieces of a suite (see `Suite.pieces`), and keep of each case what is wanted of it.

    No more is held at a time than the workers are busy with, so a suite of any length can be
    streamed; `Suite.in_order` then puts what was kept in order.

    Args:
        pool: processes, or None for this one. What was made for one is made in the other, and in
            the same order.
        selection: what to build, of a built-in kind of suite.
        finish: case -> what is kept of it.

    Raises:
        NotFoundError: nothing is left by limit and filter.
    """
    suite: Suite = selection.suite
    begun = None if pool is None else _Begun(pool, selection, finish)
    source = _Prepared(suite.recipe, suite.world)
    object.__setattr__(source, "begun", begun)
    object.__setattr__(source, "finish", finish)
    made = False
    with told():
        for piece in source.pieces(selection.seed, limit=selection.limit, filter=selection.where):
            made = True
            yield cast("list[_Made]", piece)
    if not made:
        raise empty(selection)


def count_pieces(selection: Selection) -> int:
    """Return how many pieces there are to build, or a few more where some can't be built."""
    return sum(1 for _ in _wanted(selection))


class _Prepared(Suite):
    """A suite whose pieces are being built elsewhere; those that aren't, it builds itself.

    The pieces of a part are asked for in the order in which they were begun.
    """

    begun: _Begun | None
    finish: Callable[[Case], Any]

    def _built(self, job: Job, seed: int) -> list[Case]:
        found = None if self.begun is None else self.begun.take(job)
        if found is None:
            return [self.finish(case) for case in super()._built(job, seed)]

        def give(_: int) -> list[Case]:
            if isinstance(found, TwinError):
                raise found
            return list(found)

        return super()._built(replace(job, build=give), seed)


class _Begun:
    """The pieces that are being built elsewhere: a few chunks ahead of the one that is asked for.

    Args:
        pool: processes.
        selection: what to build.
        finish: case -> what is kept of it.
    """

    def __init__(self, pool: Executor, selection: Selection, finish: Callable[[Case], Any]) -> None:
        self._pool, self._finish, self._seed = pool, finish, selection.seed
        self._jobs = _wanted(selection)
        self._ahead = 4 * (os.cpu_count() or 1)
        self._chunks: deque[tuple[list[Job], Future[list[Any]]]] = deque()
        self._ready: dict[_Part, deque[Any]] = defaultdict(deque)

    def take(self, job: Job) -> Any:
        """Return what became of a piece: what was kept of its cases, an error, or None: not begun.

        Pieces of one part are taken in order.
        """
        ready = self._ready[_part(job)]
        while not ready:
            self._submit()
            if not self._chunks:
                return None
            jobs, future = self._chunks.popleft()
            for done, found in zip(jobs, future.result(), strict=True):
                self._ready[_part(done)].append(found)
        return ready.popleft()

    def _submit(self) -> None:
        while len(self._chunks) < self._ahead:
            jobs = list(islice(self._jobs, _CHUNK))
            if not jobs:
                return
            future = self._pool.submit(_build, jobs, self._seed, self._finish)
            self._chunks.append((jobs, future))


def _wanted(selection: Selection) -> Iterator[Job]:
    """Yield the jobs in their order, as if each gave something: no more than the limit allows."""
    suite: Suite = selection.suite
    where = selection.where or {}
    left: dict[str, int | None] = dict.fromkeys(("skill", "honesty", "named"), selection.limit)
    for job in spread([job for job in jobs_of(suite.recipe, suite.world) if job.may_hold(where)]):
        room = left[job.role]
        if room != 0:
            left[job.role] = None if room is None else room - 1
            yield job


def _part(job: Job) -> _Part:
    return job.role, job.rung, job.track, job.cell, job.part


def _whole(case: Case) -> Case:
    return case


def _build(
    jobs: Iterable[Job], seed: int, finish: Callable[[Case], Any]
) -> list[list[Any] | TwinError]:
    """Build some pieces in a worker; what can't be built is for the parent to say."""
    found: list[list[Any] | TwinError] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for job in jobs:
            try:
                found.append([finish(case) for case in job.build(seed)])
            except TwinError as error:
                found.append(error)
    return found
