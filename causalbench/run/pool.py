"""Play cases in this process or in several; either way the answers are the same.

Only the parent writes logs. A worker gets a few cases at a time and sends back what was said.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Self

from causalbench.errors import AgentError
from causalbench.run.play import play
from causalbench.run.train import train

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from causalbench.run.contender import Contender
    from causalbench.run.play import Table
    from causalbench.score.record import Outcome
    from causalbench.task.types import Case

__all__ = ["THREADS", "Chunk", "Lesson", "Workers", "hold_torch", "one_thread", "told"]

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class Lesson:
    """One training: which agent, on which suite's practice, to which checkpoint."""

    contender: Contender
    suite: Any
    agent_seed: int
    checkpoint: Path


@dataclass(frozen=True)
class Chunk:
    """Some cases for one worker: which agent, in which repeat, and where they stand in the run."""

    contender: Contender
    cases: tuple[Case, ...]
    places: tuple[int, ...]
    repeat: int
    table: Table


class Workers:
    """Processes that train and play; a context manager that leaves none behind.

    Args:
        jobs: how many, >= 2.
    """

    def __init__(self, jobs: int) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            # A worker runs the caller's script again to find what it defines: a call that no main
            # guard keeps from being run once more ends the worker, and the caller is told why.
            raise SystemExit(1)
        self._before = set(multiprocessing.active_children())
        self.pool = ProcessPoolExecutor(
            jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.pool.shutdown(wait=kind is None, cancel_futures=True)
        if kind is not None:
            for process in set(multiprocessing.active_children()) - self._before:
                process.terminate()

    def train(self, lessons: Sequence[Lesson]) -> list[str]:
        """Train; one error text a lesson, "" where it went well."""
        with told():
            return list(self.pool.map(_train, lessons))

    def play(self, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, list[list[Outcome]]]]:
        """Play chunks, and yield each as it is done with its cases' outcomes, in their order."""
        with told():
            running: dict[Future[list[list[Outcome]]], Chunk] = {
                self.pool.submit(_play, chunk): chunk for chunk in chunks
            }
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra to one thread here and in processes started meanwhile.

    Several threads in each of several processes fight for the cores, and sum in another order.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    threads = hold_torch()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if threads is not None:
            sys.modules["torch"].set_num_threads(threads)


def hold_torch() -> int | None:
    """Keep torch to one thread where it is loaded, and return how many it had.

    It reads the environment when it is imported; one that was imported before is told.
    """
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "set_num_threads"):
        return None
    threads: int = torch.get_num_threads()
    torch.set_num_threads(1)
    return threads


@contextmanager
def told() -> Iterator[None]:
    """Say in one line that a worker died."""
    try:
        yield
    except BrokenProcessPool:
        msg = (
            'a worker process died: in a script, put the call under `if __name__ == "__main__":`, '
            "or use jobs=1; otherwise memory ran out or the agent ended it: what was answered is "
            "logged, so run the same again, with fewer jobs, to go on."
        )
        raise AgentError(msg) from None


def _begin() -> None:
    """Prepare a worker: Ctrl-C is the parent's, and when the parent dies so does the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold_torch()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_outlive, args=(parent.sentinel,), daemon=True).start()


def _outlive(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _train(lesson: Lesson) -> str:
    """Train one agent in a worker."""
    made = lesson.contender
    return train(made.factory, lesson.suite, lesson.agent_seed, lesson.checkpoint)


def _play(chunk: Chunk) -> list[list[Outcome]]:
    """Play some cases in a worker."""
    return [play(case, chunk.contender.plays(case), chunk.table) for case in chunk.cases]
