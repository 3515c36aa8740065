"""Build a suite's cases in several processes: the same cases, in the same order, sooner."""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from causalbench.errors import TwinError
from causalbench.run.plan import cases_of
from causalbench.run.pool import told
from causalbench.task.jobs import jobs_of, spread
from causalbench.task.suite import Suite

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from causalbench.run.plan import Selection
    from causalbench.task.jobs import Job
    from causalbench.task.types import Case

__all__ = ["cases_in"]

_Part = tuple[str, int | None, str | None, str]


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
    where = selection.where or {}
    jobs = spread([job for job in jobs_of(suite.recipe, suite.world) if job.may_hold(where)])
    begun: dict[_Part, list[Future[Any]]] = defaultdict(list)
    left: dict[str, int | None] = dict.fromkeys(("skill", "honesty", "named"), selection.limit)
    with told():
        for job in jobs:
            room = left[job.role]
            if room != 0:
                left[job.role] = None if room is None else room - 1
                begun[_part(job)].append(pool.submit(_build, job, selection.seed))
    prepared = _Prepared(suite.recipe, suite.world)
    object.__setattr__(prepared, "begun", begun)
    with told():
        return cases_of(replace(selection, suite=prepared))


class _Prepared(Suite):
    """A suite whose pieces are being built elsewhere; those that aren't, it builds itself.

    The pieces of a part are asked for in the order in which they were begun.
    """

    begun: dict[_Part, list[Future[Any]]]

    def _built(self, job: Job, seed: int) -> list[Case]:
        waiting = self.begun.get(_part(job))
        if not waiting:
            return super()._built(job, seed)
        found = waiting.pop(0).result()

        def give(_: int) -> list[Case]:
            if isinstance(found, TwinError):
                raise found
            return list(found)

        return super()._built(replace(job, build=give), seed)


def _part(job: Job) -> _Part:
    return job.role, job.rung, job.track, job.cell


def _build(job: Job, seed: int) -> list[Case] | TwinError:
    """Build one piece in a worker; what can't be built is for the parent to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return job.build(seed)
        except TwinError as error:
            return error
