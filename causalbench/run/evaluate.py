"""Run agents on a suite: train, study, ask, log, score. Run it again and it goes on."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import CausalBenchError
from causalbench.run.build import cases_in
from causalbench.run.contender import can_travel, contenders
from causalbench.run.hand import Hand, play_all
from causalbench.run.identity import folder_name, manifest_of, now
from causalbench.run.plan import select, under
from causalbench.run.pool import Workers, hold_torch, one_thread
from causalbench.run.progress import ticker
from causalbench.run.result import Run
from causalbench.run.store import Store
from causalbench.task.answer import Abstain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.run.contender import Contender
    from causalbench.run.plan import Selection
    from causalbench.score.record import Record

__all__ = ["evaluate"]


def evaluate(  # noqa: PLR0913  (every argument is a flag of the command line)
    agents: Any,
    suite: Any,
    *,
    seed: int = 0,
    repeats: int = 1,
    log_dir: str | Path | None = None,
    jobs: int = 1,
    limit: int | None = None,
    where: Mapping[str, Any] | None = None,
    fresh: bool = False,
    time_limit: float | None = None,
    progress: bool = False,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    shift: str = "",
) -> Run:
    """Run agents on a suite and score them.

    With ``log_dir`` every answer is logged as it comes, and the same call again, after a crash or
    with more repeats, a larger limit or another filter, plays only what isn't answered yet. An
    agent that raises fails the item at hand and the run goes on.

    Args:
        agents: one agent or a list: names, ``file.py:Class``, classes, instances, callables,
            stable-baselines3 models, `AgentSpec`.
        suite: a suite's or world's name, a path to a world file, or a suite.
        seed: draws the items, >= 0.
        repeats: how often each agent is trained and asked, with seeds of its own, >= 1.
        log_dir: where the logs go; None keeps nothing.
        jobs: how many processes play, >= 1; answers don't depend on it.
        limit: at most so many pairs in all, spread over the cells, and as many honesty items and
            worlds; a small number leaves rungs out.
        where: keep only cases whose placement has these values, e.g. ``{"rung": 2}``.
        fresh: move earlier logs aside and start over.
        time_limit: seconds that an agent may take for one dossier; what comes later fails.
        progress: show a bar on stderr, where that is a terminal.
        options: agent as named -> constructor options; those under "" go to every agent.
        shift: train on one part of a suite's worlds and ask about another, a name of
            `causalbench.task.shifts`, such as ``"size"``.

    Returns:
        The run, agents in the order given.

    Raises:
        CausalBenchError: anything that the caller can mend.
    """
    if jobs < 1:
        msg = f"jobs is {jobs}; give 1 or more."
        raise CausalBenchError(msg)
    records: list[Record] = []
    notes: list[str] = []
    digests: dict[int, str] = {}
    folders: dict[str, Path] = {}
    manifests: dict[str, Mapping[str, Any]] = {}
    with ExitStack() as stack:
        stack.enter_context(one_thread())
        tick = stack.enter_context(ticker(shown=progress))
        tick.name("building the suite")
        selection = select(
            under(suite, shift),
            seed=seed,
            limit=limit,
            where=where,
            repeats=repeats,
            time_limit=time_limit,
        )
        entered = contenders(agents, options)
        hold_torch()
        workers = stack.enter_context(Workers(jobs)) if jobs > 1 else None
        cases = cases_in(workers.pool if workers else None, selection)
        portable = workers is not None and can_travel((selection.suite, cases[0]))
        tick.total(repeats * sum(len(one.plays(case)) for one in entered for case in cases))
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="causalbench-")))
        for one in entered:
            tick.name(one.name)
            if not any(one.plays(case) for case in cases):
                notes.append(f"{one.name} accepts none of these questions: not played.")
                continue
            helpers = workers if one.portable and portable else None
            if helpers is not workers:
                what = "the suite" if one.portable else "the agent"
                notes.append(f"{one.name} was played in one process: no other can make {what}.")
            folder = Path(log_dir or temporary) / folder_name(selection, one)
            with _opened(folder, selection, one, fresh=fresh, logged=log_dir is not None) as store:
                hand = Hand(one, selection, cases, digests, folder, store, helpers, tick)
                played = play_all(hand)
                if store is not None:
                    folders[one.name] = folder
                    store.write_scores(record.to_dict() for record in played)
                    store.mark("success", finished=now())
                    manifests[one.name] = store.manifest
            records.extend(played)
            notes.extend(_silence(one.name, played))
    return Run(
        suite=selection.suite_name,
        version=selection.suite_version,
        seed=seed,
        digest=selection.digest,
        records=tuple(records),
        log_paths=folders,
        notes=tuple(notes),
        manifests=manifests,
    )


def _silence(name: str, records: Sequence[Record]) -> Iterator[str]:
    """Say that an agent abstained throughout, for one reason."""
    answers = [record.answer for record in records]
    reasons = {one.reason for one in answers if isinstance(one, Abstain)}
    if len(reasons) == 1 and all(isinstance(one, Abstain) for one in answers):
        how_many = "its one answer" if len(answers) == 1 else f"all {len(answers)} answers"
        why = " ".join(reasons.pop().split())
        yield f"{name}: {how_many} abstained{f': {why}' if why else '.'}"


@contextmanager
def _opened(
    folder: Path, selection: Selection, contender: Contender, *, fresh: bool, logged: bool
) -> Iterator[Store | None]:
    """Open an agent's log, or none."""
    if not logged:
        yield None
        return
    with Store(folder, manifest_of(selection, contender), fresh=fresh) as store:
        yield store
