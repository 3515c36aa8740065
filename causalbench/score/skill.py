"""Sum losses against floors: skill, its interval, the mean over pairs, and the height reached."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import ScoreError
from causalbench.score.bootstrap import skill_interval, skill_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.score.record import Record

__all__ = ["CLIMBED", "Skill", "height", "per_pair_mean", "scored", "skill"]

CLIMBED = 0.5  # a rung is climbed when the lower end of its skill lies above this


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill with its interval.

    Args:
        value: 1 is the truth, 0 the ceiling in expectation of the rung below.
        low: lower end of the 95% interval, None with a single base world.
        high: upper end, None with a single base world.
        pairs: how many pairs it is over, >= 1.
        per_pair: the plain mean over pairs of 1 - loss / floor.
    """

    value: float
    low: float | None
    high: float | None
    pairs: int
    per_pair: float


def scored(records: Iterable[Record]) -> list[Record]:
    """Keep the records that carry skill.

    An observation on which one action is best in both twins has no floor, but its regret counts:
    the theorem bounds the sum over all observations.
    """
    return [record for record in records if record.role == "skill"]


def skill(records: Sequence[Record], *, rng: np.random.Generator) -> Skill:
    """Compute the skill of one agent over the records given.

    Skill is 1 - sum loss / sum (floor / 2): both sides of a pair carry the pair's floor, so the
    denominator is the sum of the pairs' floors.

    Args:
        records: of one agent; every repeat must hold the same items.
        rng: for the bootstrap.

    Raises:
        ScoreError: no record of a skill pair, or repeats that hold different items.
    """
    kept = scored(records)
    if not kept:
        msg = "a skill of no pairs doesn't exist; score at least one pair of twins."
        raise ScoreError(msg)
    losses, floors = _matrix(kept)
    interval = skill_interval(losses, floors, rng=rng)
    low, high = interval if interval is not None else (None, None)
    return Skill(
        value=skill_of(losses, floors),
        low=low,
        high=high,
        pairs=len({record.pair for record in kept}),
        per_pair=per_pair_mean(kept),
    )


def per_pair_mean(records: Sequence[Record]) -> float:
    """Average 1 - loss / floor over pairs, and over repeats: every pair counts alike.

    Args:
        records: of one agent.

    Raises:
        ScoreError: no record of a skill pair.
    """
    losses: dict[tuple[int, str], float] = defaultdict(float)
    floors: dict[tuple[int, str], float] = defaultdict(float)
    for record in scored(records):
        losses[record.repeat, record.pair] += record.loss
        floors[record.repeat, record.pair] += record.floor / 2
    if not losses:
        msg = "a mean over no pairs doesn't exist; score at least one pair of twins."
        raise ScoreError(msg)
    return float(np.mean([1.0 - losses[place] / floors[place] for place in losses]))


def height(rungs: Mapping[int, Skill]) -> int | None:
    """Name the highest rung k with the lower end of skill above .5 on every rung up to k.

    Args:
        rungs: rung -> skill pooled over the cells of one group; a rung not played is absent.

    Returns:
        0 to 3; None where rung 1 wasn't played, or has no interval, so nothing can be said.
    """
    climbed = 0
    for rung in (1, 2, 3):
        found = rungs.get(rung)
        if found is None or found.low is None:
            return climbed or None
        if found.low <= CLIMBED:
            return climbed
        climbed = rung
    return climbed


def _matrix(
    records: Sequence[Record],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return losses (repeats, bases) and floors (bases,), after checking that repeats agree."""
    repeats = sorted({record.repeat for record in records})
    bases = sorted({record.base for record in records})
    row = {repeat: index for index, repeat in enumerate(repeats)}
    column = {base: index for index, base in enumerate(bases)}
    losses = np.zeros((len(repeats), len(bases)))
    floors = np.zeros((len(repeats), len(bases)))
    held: list[set[tuple[str, str]]] = [set() for _ in repeats]
    for record in records:
        place = row[record.repeat], column[record.base]
        losses[place] += record.loss
        floors[place] += record.floor / 2
        item = record.dossier, record.question
        if item in held[place[0]]:
            msg = f"question '{record.question}' is scored twice in repeat {record.repeat}."
            raise ScoreError(msg)
        held[place[0]].add(item)
    if any(items != held[0] for items in held[1:]):
        msg = "the repeats hold different items; score the same items in every repeat."
        raise ScoreError(msg)
    return losses, floors[0]
