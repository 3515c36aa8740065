"""Hold an arena: train every learner of every study, value it along the way, go on after a stop."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import CausalBenchError, LogError
from causalbench.run import lock
from causalbench.run.arena.bout import Bout, Scouting, play, scout
from causalbench.run.arena.log import read_lines, read_whole, write_whole
from causalbench.run.arena.plan import Plan, logged, plan
from causalbench.run.arena.result import Arena, Finding
from causalbench.run.identity import git_state, machine, now, versions
from causalbench.run.pool import Workers, hold_torch, one_thread, told
from causalbench.run.progress import ticker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.run.arena.config import Page
    from causalbench.run.progress import Ticker

__all__ = ["arena"]

_OLD = ".old-"
_FREE, _ROUND = 1.1, 64  # steps of a last round of copies, and of episodes shown to the end


def arena(  # noqa: PLR0913  (every argument is a flag of the command line)
    page: Page | Mapping[str, Any] | str,
    agents: Sequence[str] = (),
    *,
    seed: int = 0,
    repeats: int = 1,
    log_dir: str | Path | None = None,
    jobs: int = 1,
    fresh: bool = False,
    progress: bool = False,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> Arena:
    """Train learners in sequential worlds, and value what they have learnt, exactly.

    With ``log_dir`` every value is logged as it comes, and the same call again, after a crash or
    with more repeats, measures only what is missing. A learner that raises fails its training and
    the rest goes on.

    Args:
        page: a world's name or file; or a mapping as in a page's configuration
            (`causalbench.run.arena.config`); or what `read_page` makes of one.
        agents: learners by name, where ``page`` names none.
        seed: of everything that is drawn, >= 0.
        repeats: how often each learner is trained, with seeds of its own, >= 1.
        log_dir: where the logs go; None keeps nothing.
        jobs: how many processes train, >= 1; values don't depend on it.
        fresh: move earlier logs of the same trainings aside and start over.
        progress: show a bar on stderr, where that is a terminal.
        options: learner as named -> constructor options; those under "" go to every learner.
        **more: keys of a configuration, such as ``regimes=["see", "do"]``.

    Returns:
        What was found: rows, references, and notes.

    Raises:
        CausalBenchError: anything that the caller can mend.

    Example:
        >>> cb.arena("umbrella-days", ["q-learning"], budgets=[256, 1024], repeats=10)
    """
    if jobs < 1:
        msg = f"jobs is {jobs}; give 1 or more."
        raise CausalBenchError(msg)
    agents = [agents] if isinstance(agents, str) else agents
    if any(isinstance(one, type) for one in agents):
        msg = "agents are named here, for logs and other processes; give 'file.py:Class' for yours."
        raise CausalBenchError(msg)
    with ExitStack() as stack:
        stack.enter_context(one_thread())
        tick = stack.enter_context(ticker(shown=progress, what="trainings"))
        tick.name("looking at worlds")
        folder = Path(log_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="cb-")))
        planned = plan(
            page, agents, seed=seed, repeats=repeats, log_dir=folder, options=options, **more
        )
        hold_torch()
        folders = [bout.path.parent for each in planned.bouts for bout in each]
        for path in dict.fromkeys(folders):
            stack.enter_context(_held(path, fresh=fresh))
        _sign(planned)
        failures = _work(planned, jobs, tick)
        findings = tuple(
            _finding(planned, number, failures) for number in range(len(planned.bouts))
        )
    return Arena(
        title=planned.page.title,
        seed=seed,
        repeats=repeats,
        findings=findings,
        notes=(*planned.notes, *_said(failures), *_overdrawn(findings)),
        log_dir=Path(log_dir) if log_dir is not None else None,
    )


class _held:  # noqa: N801  (a context manager, used like a function)
    """Make a log's folder and hold its lock; `fresh` moves an earlier log aside first."""

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self._folder, self._fresh = folder, fresh

    def __enter__(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(self._folder)
            if self._fresh and any(path.name != lock.NAME for path in self._folder.iterdir()):
                self._move_aside()
        except OSError as error:
            msg = f"log '{self._folder}' can't be written: {error.strerror or error}; mend that."
            raise LogError(msg) from error

    def __exit__(self, *_: object) -> None:
        lock.release(self._folder)

    def _move_aside(self) -> None:
        number = 1
        while (old := self._folder.with_name(f"{self._folder.name}{_OLD}{number}")).exists():
            number += 1
        self._folder.rename(old)
        lock.release(old)
        self._folder.mkdir()
        lock.acquire(self._folder)


def _sign(planned: Plan) -> None:
    """Write a manifest into every folder, unless one is there."""
    common = {"versions": versions(), "hardware": machine(), "git": git_state(), "started": now()}
    for number, bouts in enumerate(planned.bouts):
        for bout in bouts:
            path = bout.path.parent / "manifest.json"
            if path.exists():
                continue
            learner = planned.made[number][bout.contestant.name]
            write_whole(
                path,
                {
                    "schema": 1,
                    "kind": "arena",
                    **common,
                    **bout.ground.to_dict(),
                    "agent": bout.contestant.agent,
                    "options": dict(bout.contestant.options),
                    "config": dict(learner.config),
                    "regime": bout.regime,
                    "rung3": learner.rung3.get(bout.regime, "abstain"),
                    "seed": planned.seed,
                    "stages": [[stage.phase, list(stage.budgets)] for stage in bout.stages],
                    "phases": list(bout.phases),
                    "limit": bout.limit,
                },
            )


def _work(planned: Plan, jobs: int, tick: Ticker) -> dict[Path, str]:
    """Do what is missing, here or in processes; return the errors by log."""
    places = list({one.path: one for each in planned.scoutings for one in each}.values())
    for place in places:
        place.path.parent.mkdir(parents=True, exist_ok=True)
    bouts = [bout for each in planned.bouts for bout in each]
    bouts = [bout for bout in bouts if logged(bout) < len(bout.keys)]
    bouts.sort(key=lambda bout: bout.repeat)
    todo = [place for place in places if not place.path.exists()]
    tick.total(len(bouts) + len(todo))
    failures: dict[Path, str] = {}

    def done(task: Bout | Scouting, error: str) -> None:
        tick(1)
        if error:
            failures[task.path] = error

    tasks: list[Bout | Scouting] = [*todo, *bouts]
    if jobs == 1:
        for task in tasks:
            tick.name(_called(task))
            done(task, _do(task))
        return failures
    from concurrent.futures import as_completed

    with Workers(jobs) as workers, told():
        running = {workers.pool.submit(_do, task): task for task in tasks}
        for future in as_completed(running):
            tick.name(_called(running[future]))
            done(running[future], future.result())
    return failures


def _do(task: Bout | Scouting) -> str:
    return scout(task) if isinstance(task, Scouting) else play(task)


def _called(task: Bout | Scouting) -> str:
    return "reference values" if isinstance(task, Scouting) else task.contestant.name


def _finding(planned: Plan, number: int, failures: Mapping[Path, str]) -> Finding:
    study = planned.page.studies[number]
    bouts, scoutings = planned.bouts[number], planned.scoutings[number]
    return Finding(
        study=study,
        title=study.title or study.world,
        seed=planned.seed,
        lines=[(bout, read_lines(bout.path)) for bout in bouts],
        references=[(one.ground, read_whole(one.path)) for one in scoutings],
        rung3={
            (name, regime): str(learner.rung3.get(regime, "abstain"))
            for name, learner in planned.made[number].items()
            for regime in learner.regimes
        },
        errors=[bout for bout in bouts if bout.path in failures],
        goal=any(one.ground.load().play.goal for one in scoutings),
    )


def _said(failures: Mapping[Path, str]) -> Iterator[str]:
    """Say what failed, once for each last line of a traceback."""
    last = [error.strip().splitlines()[-1] for error in failures.values()]
    for line in dict.fromkeys(last):
        number = last.count(line)
        yield f"{number} training{'s' if number > 1 else ''} failed: {line}"


def _overdrawn(findings: Sequence[Finding]) -> Iterator[str]:
    """Say which learners took more steps than they were asked to take, beyond a last round."""
    worst: dict[str, tuple[float, int, float]] = {}
    for row in (row for finding in findings for row in finding.rows):
        taken = max(row["spent"].get(kind, 0.0) for kind in ("rows", "steps"))
        if taken > _FREE * row["total"] + _ROUND:
            found = (taken / row["total"], row["total"], taken)
            worst[row["agent"]] = max(worst.get(row["agent"], found), found)
    for name, (_, asked, taken) in worst.items():
        yield f"{name} took {taken:.0f} steps where it was asked for {asked}; see spent in --json."
