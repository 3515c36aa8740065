"""Bound what shortcuts score, all of them at once: bootstrap by base world, adjusted by Holm.

A shortcut passes where "its skill is above `LIMIT`" is refused, and Holm's steps keep the chance
that any true one of these hypotheses is refused, among all shortcuts and types of question, to
`LEVEL`. Skill is a ratio of sums, and its being at least d is the same as (1 - d) F - L having a
mean of at least 0, with a base world's floors F and losses L; so each d is tested by Student's
statistic of a plain mean, and the bound is the d at which the test turns. The statistic's
quantiles come from the bootstrap, since losses are skewed and a normal's would be too narrow. No
bootstrap sees what no pair shows: a shortcut that wins whole pairs, but fewer than about one in
twenty of them, needs more than a hundred base worlds to be seen at all.

Holm's procedure has simultaneous bounds that agree with what it refuses: where it refuses all, the
lesser of the limit and the Bonferroni bound of each; else the limit where it refuses, and bounds at
the level shared out among those that are left.

Reference:
    Holm, A simple sequentially rejective multiple test procedure (Scandinavian Journal of
    Statistics 1979); Fieller (JRSS B 1954) on ratios; Hall, The bootstrap and Edgeworth expansion
    (1992), chapter 3, on the studentised bootstrap; Strassburger and Bretz, Compatible simultaneous
    lower confidence bounds for the Holm procedure (Statistics in Medicine 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import ScoreError
from causalbench.rng import integers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LEAST", "LEVEL", "LIMIT", "Bound", "bounds_of", "compatible_bounds", "draws_for"]

LIMIT = 0.05  # the most skill that a shortcut may have
LEVEL = 0.05  # the chance of passing any shortcut that has more, all together
LEAST = 10  # base worlds: fewer give the studentised bootstrap nothing to resample
_TAIL = 20  # resamples beyond the farthest quantile that is asked for
_KEPT = 0.1  # of the resamples, the lowest: no test is made at a higher level
_CHUNK = 1 << 21  # picks at a time
_STEPS = 50  # of bisection: as many as a float has digits
_ROUNDING = 1e-6  # of a spread, in units of what is summed: resamples are summed in short floats


def draws_for(hypotheses: int, level: float = LEVEL) -> int:
    """Return how many resamples show the quantile that the strictest of Holm's tests needs."""
    return max(2000, math.ceil(_TAIL * hypotheses / level))


@dataclass(frozen=True, eq=False)
class Bound:
    """A skill, and how far above it the truth may lie.

    Args:
        skill: 1 - sum loss / sum floor.
        losses: each base world's losses.
        floors: each base world's floors.
        tail: the lowest of the resampled statistics, in order; None with too few base worlds.
        draws: how many resamples there were; 0 where all base worlds have the same skill.
    """

    skill: float
    losses: NDArray[np.float64]
    floors: NDArray[np.float64]
    tail: NDArray[np.float32] | None
    draws: int

    @property
    def bases(self) -> int:
        """How many base worlds it is over."""
        return len(self.floors)

    def chance(self, limit: float) -> float:
        """Return the p value of "the skill is at least the limit"; small speaks against it.

        It is 1 where it is above a tenth, and with too few base worlds.
        """
        if self.tail is None:
            return 1.0
        statistic = self._statistic(limit)
        if not self.draws:
            return float(statistic >= 0.0)
        below = int(np.searchsorted(self.tail, statistic, side="right"))
        return (1 + below) / (1 + self.draws) if below < len(self.tail) else 1.0

    def upper(self, level: float) -> float:
        """Return the skill above which the truth lies with a chance of at most ``level``.

        It is 1, the most that can be, with too few base worlds.

        Args:
            level: at most a tenth.
        """
        low, high = min(self.skill, 1.0), 1.0
        if self.chance(high) > level:
            return 1.0
        for _ in range(_STEPS):
            middle = (low + high) / 2
            if self.chance(middle) > level:
                low = middle
            else:
                high = middle
        return high

    def _statistic(self, limit: float) -> float:
        rest = (1.0 - limit) * self.floors - self.losses
        mean, spread = float(rest.mean()), float(rest.std())
        if spread <= _ROUNDING * float(np.abs(rest).max()):
            return math.copysign(math.inf, mean) if abs(mean) > _ROUNDING else 0.0
        return mean / spread


def bounds_of(
    losses: NDArray[np.float64],
    floors: NDArray[np.float64],
    *,
    draws: int,
    rng: np.random.Generator,
) -> list[Bound]:
    """Resample base worlds, for all who answered on them alike.

    Args:
        losses: float64[shortcuts, bases], each base world's summed losses.
        floors: float64[bases], each base world's summed pair floors, > 0.
        draws: how many resamples, see `draws_for`.
        rng: where they come from; the same stream gives the same bounds.

    Returns:
        One bound a shortcut.

    Raises:
        ScoreError: shapes that don't fit, a number that isn't finite, or a floor of 0.
    """
    fit = losses.ndim == 2 and losses.shape[1:] == floors.shape  # noqa: PLR2004  (a matrix)
    if not fit or not np.isfinite(losses).all() or not (floors > 0).all():
        msg = "give finite losses (shortcuts, bases) and as many floors (bases,) above 0."
        raise ScoreError(msg)
    count, bases = losses.shape
    skills = [1.0 - math.fsum(row) / math.fsum(floors) for row in losses]
    if bases < LEAST:
        return [Bound(s, row, floors, None, 0) for s, row in zip(skills, losses, strict=True)]
    # Taken at the estimate itself: the statistic hardly changes with the skill that is tested.
    rest = (1.0 - np.array(skills))[:, None] * floors - losses
    scale = np.abs(rest).max(axis=1)
    flat = scale <= _ROUNDING * float(floors.max())
    rest = rest / np.where(flat, 1.0, scale)[:, None]
    parts = np.concatenate([rest, rest * rest]).T.astype(np.float32) / np.float32(bases)
    found = np.empty((count, draws), dtype=np.float32)
    step = max(1, _CHUNK // bases)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        picked = integers(rng, bases, (size, bases)) + np.arange(size)[:, None] * bases
        counts = np.bincount(picked.ravel(), minlength=size * bases).reshape(size, bases)
        sums = counts.astype(np.float32) @ parts
        mean, spread = sums[:, :count], sums[:, count:] - sums[:, :count] ** 2
        # A resample of one value says nothing of the spread: it is as far out as can be.
        alone = spread <= _ROUNDING
        ratio = mean / np.sqrt(np.where(alone, 1.0, spread))
        far = np.where(np.abs(mean) > _ROUNDING, np.copysign(np.inf, mean), 0.0)
        found[:, start : start + size] = np.where(alone, far, ratio).T
    kept = math.ceil(_KEPT * draws)
    return [
        Bound(skill, row, floors, np.sort(own)[:kept], 0 if same else draws)
        for skill, row, own, same in zip(skills, losses, found, flat, strict=True)
    ]


def compatible_bounds(
    rivals: Sequence[Sequence[Bound]], *, limit: float = LIMIT, level: float = LEVEL
) -> list[tuple[float, bool]]:
    """Bound all skills at once, in agreement with Holm's procedure at the limit.

    Args:
        rivals: for each hypothesis the ways in which its shortcut was built; it is refused only
            where each of them is, and the greatest bound counts, so taking the best of several
            needs no further adjustment.
        limit: the skill that is tested.
        level: the familywise error.

    Returns:
        For each hypothesis its simultaneous upper bound, and whether the shortcut passes.
    """
    count = len(rivals)
    chances = [max(bound.chance(limit) for bound in ways) for ways in rivals]
    order = sorted(range(count), key=lambda place: chances[place])
    passed: set[int] = set()
    for turn, place in enumerate(order):
        if chances[place] > level / (count - turn):
            break
        passed.add(place)
    shared = level / (count - len(passed)) if len(passed) < count else level / count
    result = []
    for place, ways in enumerate(rivals):
        own = max(bound.upper(shared) for bound in ways)
        if place in passed:
            own = min(limit, own) if len(passed) == count else limit
        result.append((own, place in passed))
    return result
