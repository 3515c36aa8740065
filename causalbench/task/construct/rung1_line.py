"""Rung 1: a line of tables along which every variable keeps its own law, and dependence changes.

The table of one variable moves along a direction that its own law does not feel. What comes after
it does not feel it either, where `bendable` says so; the rest has other causes. Two points of the
line are twins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

__all__ = ["Line", "bendable", "draw_line"]

_LEAST = 1 / 128  # no probability of a bent table falls below this
_FLAT = 0.4  # how often the direction does not mind a parent, so that the others count for more


@dataclass(frozen=True, eq=False)
class Line:
    """Nets of one shape, each with a line of tables for one variable.

    Args:
        base: the nets at step 0.
        name: the variable whose table moves.
        delta: float64[candidate, *cards of the parents, card], its direction.
        low: float64[candidate], the first step, below 0.
        high: float64[candidate], the last step, above 0.
        apart: a parent on which the table at step 0 does not depend; "" where none is singled out.
    """

    base: Batch
    name: str
    delta: Floats
    low: Floats
    high: Floats
    apart: str = ""

    def at(self, steps: Floats) -> Batch:
        """Return every candidate after its own step, float64[candidate]."""
        return self._moved(self.base, self.delta, steps)

    def along(self, place: int, steps: Floats) -> Batch:
        """Return one candidate after each of several steps."""
        places = [place] * len(steps)
        return self._moved(self.base.take(places), self.delta[places], steps)

    def _moved(self, batch: Batch, delta: Floats, steps: Floats) -> Batch:
        shape = (len(steps),) + (1,) * (delta.ndim - 1)
        return batch.replace({self.name: batch.cpts[self.name] + steps.reshape(shape) * delta})


def bendable(parents: Mapping[str, Sequence[str]], name: str) -> bool:
    """Say whether a variable's table may move, its own law kept, without any other law changing.

    Each of its descendants must have one cause among it and them, and its other causes must share
    no ancestor with that one: their joint law is then a product of laws that do not change.
    """
    above = {each: _closure(parents, each) for each in parents}
    below = {each for each in parents if name in above[each]}
    for each in below - {name}:
        inside = [cause for cause in parents[each] if cause in below]
        others = [cause for cause in parents[each] if cause not in below]
        if len(inside) != 1 or any(above[other] & above[inside[0]] for other in others):
            return False
    return bool(parents[name])


def draw_line(rng: np.random.Generator, batch: Batch, name: str, *, apart: str = "") -> Line:
    """Draw a line for the table of a variable.

    Args:
        rng: draws the direction, and how near to independence the line passes.
        batch: nets of one shape.
        name: a variable that is `bendable`.
        apart: a parent on which the table at step 0 shall not depend.
    """
    table, axes = batch.cpts[name], batch.parents[name]
    weight = batch.law(axes)[..., None]
    inner = tuple(range(1, table.ndim - 1))
    if apart:
        axis = 1 + axes.index(apart)
        mean = (weight * table).sum(axis=axis, keepdims=True) / weight.sum(axis=axis, keepdims=True)
        base = np.broadcast_to(mean, table.shape).copy()
    else:
        own = (weight * table).sum(axis=inner, keepdims=True)
        blend = draws.uniforms(rng, len(batch)).reshape((-1,) + (1,) * (table.ndim - 1))
        base = (1.0 - blend) * table + blend * own
    delta = _direction(rng, table.shape, axes, apart)
    delta = delta - delta.sum(axis=-1, keepdims=True) / table.shape[-1]
    delta = delta - (weight * delta).sum(axis=inner, keepdims=True)
    room = (base - _LEAST).clip(0.0)
    with np.errstate(divide="ignore"):
        steps = room / np.abs(delta)
    flat = tuple(range(1, table.ndim))
    low = -np.where(delta > 0.0, steps, np.inf).min(axis=flat)
    high = np.where(delta < 0.0, steps, np.inf).min(axis=flat)
    return Line(batch.replace({name: base}), name, delta, low, high, apart)


def _direction(
    rng: np.random.Generator, shape: tuple[int, ...], axes: Sequence[str], apart: str
) -> Floats:
    """Draw numbers of either sign, none near 0, alike along the parents that shall not matter."""
    flat = [each != apart and coin(rng, _FLAT) for each in axes]
    if all(flat):
        flat[int(draws.integers(rng, len(axes)))] = False
    size = [1 if same else card for same, card in zip(flat, shape[1:-1], strict=True)]
    drawn = draws.uniforms(rng, (shape[0], *size, shape[-1])) - 0.5
    return np.broadcast_to(np.sign(drawn) * (0.25 + np.abs(drawn)), shape).copy()


def _closure(parents: Mapping[str, Sequence[str]], name: str) -> set[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        each = stack.pop()
        if each not in found:
            found.add(each)
            stack.extend(parents[each])
    return found
