"""Sum up trainings: an interquartile mean with its interval, and where it stands on the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.rng import generator, integers
from causalbench.score.bootstrap import DRAWS, LEVEL, iqm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["RUNGS", "climb", "interval", "reached", "spread"]

RUNGS: Mapping[str, tuple[str, str]] = {
    "see": ("uniform", "see"),
    "do": ("see", "do"),
    "intent": ("do", "intent"),
    "replay": ("do", "replay"),
}
"""Regime of a training -> the reference that counts as 0 on its climb, and the one that is 1."""

_LADDER = ("uniform", "natural", "see", "do", "intent", "replay")
_APART = 1e-6  # references nearer than this are told as one
_ROUNDING = 1e-9
_ROOM = 0.02


def interval(
    values: NDArray[np.float64],
    seed: int,
    tag: str,
    lows: NDArray[np.float64] | None = None,
    highs: NDArray[np.float64] | None = None,
) -> tuple[float, float, float]:
    """Return an interquartile mean over repeats, and its 95% bootstrap interval.

    A repeat's value is the mean over its worlds. Repeats are resampled, and worlds too where there
    are several. Where values are known as intervals only, the ends are those of the ends.

    Args:
        values: float64[repeats, worlds].
        seed: of the resamples.
        tag: keeps the resamples of different figures apart.
        lows: the same shape; None for ``values``.
        highs: the same shape; None for ``values``.

    Returns:
        (mean, low, high); of a single value the interval is that value, and says nothing about
        other trainings.

    Reference:
        Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice"
        (2021).
    """
    repeats, worlds = values.shape
    rng = generator(seed, f"interval {tag}")
    picked = integers(rng, repeats, (DRAWS, repeats))
    chosen = integers(rng, worlds, (DRAWS, worlds))
    tail = (1.0 - LEVEL) / 2

    def end(table: NDArray[np.float64], at: float) -> float:
        drawn = table[picked[:, :, None], chosen[:, None, :]].mean(axis=2)
        return float(np.quantile(iqm(drawn), at))

    middle = float(iqm(values.mean(axis=1)))
    low = end(values if lows is None else lows, tail)
    high = end(values if highs is None else highs, 1.0 - tail)
    return middle, min(low, middle), max(high, middle)


def spread(values: NDArray[np.float64]) -> dict[str, float]:
    """Return how far single trainings lie apart: the least, the most, the standard deviation."""
    each = values.mean(axis=1)
    return {
        "least": float(each.min()),
        "most": float(each.max()),
        "sd": float(each.std(ddof=1)) if len(each) > 1 else 0.0,
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    """Puts a floor at 0, and what lies a width above it at 1."""

    floor: float
    width: float

    def __call__(self, value: float) -> float:
        return (value - self.floor) / self.width


def climb(about: Mapping[str, Mapping[str, Any]], regime: str) -> Callable[[float], float] | None:
    """Return the scale on which the rung below is 0 and the regime's own is 1.

    Where the rung below is no lower (nothing is confounded, say), 0 is uniform choice instead.
    It is not the skill of twins and carries no theorem: a learner may stand above 1 or below 0, and
    nothing but these two policies of this world fixes the scale.

    Args:
        about: the references, by name.
        regime: of the training.

    Returns:
        None where references are missing or inexact, or the regime's own is no higher than both the
        rung below and uniform choice.
    """
    rung = about.get(RUNGS[regime][1])
    for name in (RUNGS[regime][0], "uniform"):
        below = about.get(name)
        if below is None or rung is None or not (below["exact"] and rung["exact"]):
            continue
        scale = _Scale(below["value"], rung["value"] - below["value"])
        if scale.width > _APART:
            return scale
    return None


def reached(about: Mapping[str, Mapping[str, Any]], low: float) -> str:
    """Return the highest reference that an interval lies at or above: few trainings claim little.

    An exact value needs no room for error, but a policy that errs in one history of a thousand is
    as good as the best: a fiftieth of the references' range is allowed. Of references that
    are no farther apart than that the lowest rung is named, since nothing more is needed for it
    (and some are known within an interval only).

    Args:
        about: the references, by name.
        low: the interval's lower end.

    Returns:
        A name, or "" where even the lowest lies above.
    """
    best, at = "", -np.inf
    held = [about[name]["value"] for name in _LADDER if name in about]
    room = _ROOM * (max(held) - min(held)) + _ROUNDING if held else 0.0
    for name in _LADDER:
        value = about[name]["value"] if name in about else np.inf
        if value <= low + room and value > at + max(room, _APART):
            best, at = name, value
    return best
