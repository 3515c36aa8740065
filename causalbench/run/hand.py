"""Play one agent through a selection: train it, play what isn't answered yet, score it all."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causalbench.run.identity import case_digest, item_key, run_digest
from causalbench.run.play import Table, play
from causalbench.run.pool import Chunk, Lesson
from causalbench.run.seeds import agent_seed
from causalbench.run.train import train
from causalbench.score.record import Outcome, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from causalbench.run.contender import Contender
    from causalbench.run.plan import Selection
    from causalbench.run.pool import Workers
    from causalbench.run.progress import Ticker
    from causalbench.run.store import Store
    from causalbench.score.record import Record
    from causalbench.task.types import Case, Item

__all__ = ["Hand", "Job", "jobs_of", "play_all"]

_LOG = logging.getLogger(__name__)
_LARGEST_CHUNK = 8  # cases: small enough that a killed run loses little
_LEAST_CHUNKS = 8  # a repeat, so that no worker idles at the end


@dataclass(frozen=True)
class Job:
    """One case that one repeat of one agent plays."""

    repeat: int
    place: int
    items: tuple[Item, ...]
    keys: tuple[str, ...]


@dataclass
class Hand:
    """All that playing one agent needs.

    Args:
        contender: the agent.
        selection: what is run.
        cases: the selection's cases.
        digests: of the cases, by place; filled as they are needed, shared by the run's agents.
        folder: where its checkpoints lie.
        store: its log, or None.
        workers: other processes to play in, or None for this one.
        tick: counts items for the progress bar.
        answers: item key -> what was said, from the log or from this run.
    """

    contender: Contender
    selection: Selection
    cases: Sequence[Case]
    digests: dict[int, str]
    folder: Path
    store: Store | None
    workers: Workers | None
    tick: Ticker
    answers: dict[str, Outcome] = field(default_factory=dict)

    def seed(self, repeat: int) -> int:
        """Return the agent's seed in a repeat."""
        return agent_seed(self.selection.seed, repeat)

    def table(self, repeat: int) -> Table:
        """Return what a repeat's cases are played with."""
        return Table(
            factory=self.contender.factory,
            control=self.contender.control,
            checkpoint=self.checkpoint(repeat) if self.contender.trains else None,
            seed=self.selection.seed,
            agent_seed=self.seed(repeat),
            time_limit=self.selection.time_limit,
        )

    def checkpoint(self, repeat: int) -> Path:
        """Return where a repeat's training is kept."""
        return self.folder / "checkpoints" / f"repeat-{repeat}"

    def keep(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Take a case's outcomes, and log those that weren't."""
        lines = []
        for item, key, outcome in zip(job.items, job.keys, outcomes, strict=True):
            if key in self.answers:
                continue
            self.answers[key] = outcome
            lines.append(
                {
                    "key": key,
                    "repeat": job.repeat,
                    "dossier": self.cases[job.place].dossier.id,
                    "question": item.question.id,
                    **outcome.to_dict(),
                }
            )
            if outcome.status == "failed":
                _LOG.info(
                    "%s failed on %s: %s", self.contender.name, item.question.id, outcome.error
                )
        if self.store is not None:
            self.store.append(lines)
        self.tick(len(job.items))


def jobs_of(
    selection: Selection,
    contender: Contender,
    cases: Sequence[Case],
    digests: dict[int, str],
    run: str | None = None,
) -> Iterator[Job]:
    """Yield every case that an agent plays, with its items' keys, repeat by repeat.

    Args:
        selection: what is run.
        contender: the agent.
        cases: the selection's.
        digests: of the cases, by place; filled as they are needed.
        run: the run's digest, where it is known from a log; None computes it.
    """
    run = run_digest(selection, contender) if run is None else run
    for repeat in range(selection.repeats):
        for place, case in enumerate(cases):
            items = contender.plays(case)
            if not items:
                continue
            if place not in digests:
                digests[place] = case_digest(case)
            seed = agent_seed(selection.seed, repeat)
            keys = (item_key(run, digests[place], item.question, seed) for item in items)
            yield Job(repeat, place, items, tuple(keys))


def play_all(hand: Hand) -> list[Record]:
    """Play what isn't answered yet, and score everything."""
    jobs = list(jobs_of(hand.selection, hand.contender, hand.cases, hand.digests))
    if hand.store is not None:
        hand.answers = {
            key: Outcome.from_dict(hand.store.answers[key])
            for job in jobs
            for key in job.keys
            if key in hand.store.answers
        }
    open_jobs = [job for job in jobs if not all(key in hand.answers for key in job.keys)]
    hand.tick(sum(len(job.items) for job in jobs) - sum(len(job.items) for job in open_jobs))
    if hand.contender.trains:
        open_jobs = _trained(hand, open_jobs)
    if hand.workers is not None:
        _play_apart(hand, hand.workers, open_jobs)
    else:
        for job in open_jobs:
            hand.keep(job, play(hand.cases[job.place], job.items, hand.table(job.repeat)))
    return [
        record_of(
            hand.cases[job.place],
            item,
            hand.answers[key],
            agent=hand.contender.name,
            control=hand.contender.control,
            repeat=job.repeat,
        )
        for job in jobs
        for item, key in zip(job.items, job.keys, strict=True)
    ]


def _trained(hand: Hand, jobs: list[Job]) -> list[Job]:
    """Train each repeat that has something to play; where that fails, so do its items."""
    repeats = sorted({job.repeat for job in jobs})
    selection, factory = hand.selection, hand.contender.factory
    if hand.workers is not None:
        lessons = [
            Lesson(hand.contender, selection.suite, hand.seed(repeat), hand.checkpoint(repeat))
            for repeat in repeats
        ]
        errors = dict(zip(repeats, hand.workers.train(lessons), strict=True))
    else:
        errors = {
            repeat: train(factory, selection.suite, hand.seed(repeat), hand.checkpoint(repeat))
            for repeat in repeats
        }
    for job in jobs:
        if errors[job.repeat]:
            failed = Outcome(None, "failed", error=f"train: {errors[job.repeat]}")
            hand.keep(job, [failed] * len(job.items))
    return [job for job in jobs if not errors[job.repeat]]


def _play_apart(hand: Hand, workers: Workers, jobs: Sequence[Job]) -> None:
    """Play in the workers, and keep what comes as it comes."""
    by_place = {(job.repeat, job.place): job for job in jobs}
    chunks = []
    for repeat in sorted({job.repeat for job in jobs}):
        places = [job.place for job in jobs if job.repeat == repeat]
        size = max(1, min(_LARGEST_CHUNK, len(places) // _LEAST_CHUNKS))
        chunks += [
            Chunk(
                hand.contender,
                tuple(hand.cases[place] for place in places[start : start + size]),
                tuple(places[start : start + size]),
                repeat,
                hand.table(repeat),
            )
            for start in range(0, len(places), size)
        ]
    for chunk, outcomes in workers.play(chunks):
        for place, said in zip(chunk.places, outcomes, strict=True):
            hand.keep(by_place[chunk.repeat, place], said)
