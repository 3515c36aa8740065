"""Choose among the questions of a pattern: how far the answers lie apart, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.asks import EVIDENCE, GAP
from causalbench.task.construct.payoff import CLEAR

if TYPE_CHECKING:
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.rung3_scene import Cell, Pattern

__all__ = ["Wanted", "choose"]

_GOLDEN = 0.6180339887498949  # its multiples, less their whole parts, fill [0, 1] evenly
_WIDEST = 0.9
_CLEARLY = 0.42  # a pair with a wider gap is one on which guessing may do well by luck
_NEAR = ((0.7, 0.04), (0.9, 0.1), (1.0, 1.0))  # how near to the gap wanted, and how often
_LOOKED_AT = 64


@dataclass(frozen=True)
class Wanted:
    """Which questions are wanted.

    Args:
        gap: how far the answers should lie apart.
        near: how near to that they must.
        place: where their middle should lie between the ends, in [0, 1].
    """

    gap: float
    near: float
    place: float

    @classmethod
    def of(cls, rng: np.random.Generator, index: int, widest: float = _WIDEST) -> Wanted:
        """Draw what is wanted of a pair; gaps turn by its index, and narrow ones are commoner."""
        spread, near, place = draws.uniforms(rng, (3,)).tolist()
        turn = (index * _GOLDEN + spread / 8) % 1.0
        return cls(
            gap=GAP + (widest - GAP) * turn**2,
            near=next(size for chance, size in _NEAR if near < chance),
            place=place,
        )


def choose(
    rng: np.random.Generator,
    pattern: Pattern,
    laws: tuple[Floats, Floats],
    batch: Batch,
    wanted: Wanted,
) -> tuple[int, Cell] | None:
    """Return a candidate and a cell of a pattern whose answers lie apart as wanted, or None.

    Args:
        rng: draws among those that fit.
        pattern: the questions.
        laws: the joint laws of what it asks for, in both worlds of each candidate.
        batch: the candidates, or either side of them: for what both sides share.
        wanted: what to look for.
    """
    (first, mass), (second, _) = (pattern.read(law, batch) for law in laws)
    gap = np.round(np.abs(first - second), 9)
    fits = (
        (gap >= GAP)
        & (gap <= _WIDEST)
        & (np.round(mass, 9) >= EVIDENCE)
        & (np.abs(gap - wanted.gap) <= wanted.near)
    )
    low = -1.0 if pattern.signed else 0.0
    if wanted.near < 1.0 and wanted.gap <= _CLEARLY:
        fits &= _clear(first, second, low)
    found = np.flatnonzero(fits)
    if not len(found):
        return None
    some = found[draws.permutation(rng, len(found))[:_LOOKED_AT]]
    middle = (first.reshape(-1)[some] + second.reshape(-1)[some]) / 2
    half = gap.reshape(-1)[some] / 2
    place = (middle - low - half) / np.maximum(1.0 - low - 2 * half, EVIDENCE)
    best = some[int(np.argmin(np.round(np.abs(place - wanted.place), 9)))]
    candidate, *cell = (int(code) for code in np.unravel_index(int(best), gap.shape))
    return candidate, tuple(cell)


def _clear(first: Floats, second: Floats, low: float) -> np.ndarray:
    """Say where guessing evenly among all legal answers loses clearly more than the floor."""
    mean, variance = (
        sum(each) for each in zip(*(_guess(value, low) for value in (first, second)), strict=True)
    )
    spread = np.round(mean - np.abs(first - second), 9)
    clear: np.ndarray = spread >= np.round(CLEAR * np.sqrt(variance), 9)
    return clear


def _guess(truth: Floats, low: float) -> tuple[Floats, Floats]:
    """Return mean and variance of |u - truth| for u uniform in [low, 1]."""
    up, down, width = 1.0 - truth, truth - low, 1.0 - low
    mean = (up**2 + down**2) / (2 * width)
    return mean, (up**3 + down**3) / (3 * width) - mean**2
