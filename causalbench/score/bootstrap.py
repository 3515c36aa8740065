"""Put an interval round a skill: resample base worlds, and training repeats, with replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import ScoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DRAWS", "LEVEL", "iqm", "skill_interval", "skill_of"]

DRAWS = 2000
LEVEL = 0.95


def iqm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the interquartile mean along the last axis.

    A quarter of the values, rounded down, is dropped at either end; with three or fewer it is the
    plain mean.

    Args:
        values: shape (..., n), n >= 1.

    Returns:
        Shape (...).

    Raises:
        ScoreError: no values.

    Reference:
        Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice
        (NeurIPS 2021).
    """
    count = values.shape[-1] if values.ndim else 0
    if count == 0:
        msg = "an interquartile mean of no values doesn't exist; give at least one."
        raise ScoreError(msg)
    cut = count // 4
    middle: NDArray[np.float64] = np.sort(values, axis=-1)[..., cut : count - cut].mean(axis=-1)
    return middle


def skill_of(losses: NDArray[np.float64], floors: NDArray[np.float64]) -> float:
    """Compute skill = 1 - sum loss / sum floor for each repeat, and their interquartile mean.

    Args:
        losses: shape (repeats, bases), each base world's summed losses.
        floors: shape (bases,), each base world's summed pair floors, > 0.

    Raises:
        ScoreError: shapes that don't fit, a number that isn't finite, or nothing to score.
    """
    _check(losses, floors)
    return float(iqm(1.0 - losses.sum(axis=1) / floors.sum()))


def skill_interval(
    losses: NDArray[np.float64],
    floors: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> tuple[float, float] | None:
    """Bootstrap the interval of a skill by base world and by training repeat.

    Args:
        losses: shape (repeats, bases), each base world's summed losses.
        floors: shape (bases,), each base world's summed pair floors, > 0.
        rng: where the resamples come from; the same stream gives the same interval.
        draws: how many resamples, >= 1.
        level: coverage, in (0, 1).

    Returns:
        (low, high), or None for a single base world, which says nothing about others.

    Raises:
        ScoreError: shapes that don't fit, a number that isn't finite, or nothing to score.
    """
    from causalbench.rng import integers

    _check(losses, floors)
    repeats, bases = losses.shape
    if bases == 1:
        return None
    picked = integers(rng, bases, (draws, bases)) + np.arange(draws)[:, None] * bases
    counts = np.bincount(picked.ravel(), minlength=draws * bases).reshape(draws, bases)
    skills = 1.0 - (counts @ losses.T) / (counts @ floors)[:, None]
    if repeats > 1:
        skills = np.take_along_axis(skills, integers(rng, repeats, (draws, repeats)), axis=1)
    tail = (1.0 - level) / 2
    low, high = np.quantile(iqm(skills), [tail, 1.0 - tail])
    return float(low), float(high)


def _check(losses: NDArray[np.float64], floors: NDArray[np.float64]) -> None:
    """Refuse arrays that can't be losses of (repeats, bases) with floors of (bases,)."""
    if losses.ndim != 2 or floors.shape != losses.shape[1:]:  # noqa: PLR2004  (a matrix)
        msg = (
            f"losses of shape {losses.shape} don't fit floors of shape {floors.shape}; "
            "give losses (repeats, bases) and floors (bases,)."
        )
        raise ScoreError(msg)
    if losses.size == 0:
        msg = "a skill of no pairs doesn't exist; score at least one pair with a floor."
        raise ScoreError(msg)
    if not (np.isfinite(losses).all() and np.isfinite(floors).all()):
        msg = "losses and floors must be finite; one is infinite or not a number."
        raise ScoreError(msg)
    if (floors <= 0).any() or (losses < 0).any():
        msg = "floors must be above 0 and losses at least 0; check the keys they come from."
        raise ScoreError(msg)
