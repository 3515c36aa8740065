"""Change one mechanism of a pair of worlds, and leave the law of every single variable as it was.

P(V) is linear in one conditional table at a time, and so is the law of each variable. The changes
of a table that keep all of them, in both worlds, are the solutions of a homogeneous linear system;
one of them is drawn, and followed as far as probabilities allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.scm import Mechanism
from causalbench.scm.couplings import couple
from causalbench.truth import law

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from causalbench.scm import SCM
    from causalbench.task.construct.draft import Draft
    from causalbench.task.construct.net import Floats

__all__ = ["Bent", "bend"]

_FLOOR = 0.02  # no probability is brought below it
_SHORT = 0.95  # of the way to where the first probability meets its floor
_LEAST = 0.1  # a change of no probability by more than this is no change worth a test
_ZERO = 1e-9  # a pivot below it is rounding
_TRIES = 4
_CELLS = 128  # the largest table that is bent


@dataclass(frozen=True)
class Bent:
    """A pair with one mechanism changed, the same one in both worlds.

    Args:
        draft: the pair; its question may have lost its margin.
        name: whose mechanism.
    """

    draft: Draft
    name: str


def bend(rng: np.random.Generator, draft: Draft, focus: Sequence[str]) -> Iterator[Bent]:
    """Yield pairs with one mechanism changed, in a random order.

    Only mechanisms that both worlds share are bent. Every one-variable marginal of either world
    stays, to rounding. What else the two agree on, they still agree on where all causes of the
    variable are visible, and mostly elsewhere; dress the pair to see.

    Args:
        rng: draws the variables' order and the changes.
        draft: a pair of discrete worlds.
        focus: what the question is about; a mechanism that works on none of it is left alone.
    """
    first, second = draft.sides
    names = [
        name
        for name in sorted(set(first.names) & set(second.names))
        if _may_bend(first, second, name)
        and any(name == other or _reaches(first, name, other) for other in focus)
    ]
    for place in draws.permutation(rng, len(names)):
        name = names[int(place)]
        for table in _bent_tables(rng, draft.sides, name):
            told = draft.couplings[0].get(name, "monotone")
            made = couple(table, told, first.mechanism(name).parents)
            sides = tuple(side.replace(mechanisms={name: made}) for side in draft.sides)
            yield Bent(replace(draft, sides=(sides[0], sides[1])), name)


def _may_bend(first: SCM, second: SCM, name: str) -> bool:
    one, two = first.mechanism(name), second.mechanism(name)
    return (
        isinstance(one, Mechanism)
        and isinstance(two, Mechanism)
        and bool(one.parents)
        and one.parents == two.parents
        and one.noise.shape == two.noise.shape
        and one.table.shape == two.table.shape
        and bool((one.noise == two.noise).all())
        and bool((one.table == two.table).all())
        and first.cpt(name).size <= _CELLS
    )


def _bent_tables(rng: np.random.Generator, sides: Sequence[SCM], name: str) -> Iterator[Floats]:
    """Yield other tables of a variable that keep all marginals: some directions, both ways."""
    table: Floats = sides[0].cpt(name)
    if not (table > 0.0).all():
        return
    rows = [*_sums(table), *(row for side in sides for row in _marginals(side, name, table))]
    basis = _null_space(np.array(rows))
    for _ in range(_TRIES if basis else 0):
        weights = 2.0 * draws.uniforms(rng, len(basis)) - 1.0
        change = np.zeros(table.size)
        for weight, vector in zip(weights, basis, strict=True):
            change = change + weight * vector
        for way in (change, -change):
            made = _moved(table, way)
            if made is not None:
                yield made


def _moved(table: Floats, change: Floats) -> Floats | None:
    """Follow a change of a table as far as probabilities allow; None where that is not far."""
    flat = table.reshape(-1)
    room = [
        (value - _FLOOR) / -step if step < 0 else (1.0 - _FLOOR - value) / step
        for value, step in zip(flat.tolist(), change.tolist(), strict=True)
        if abs(step) > _ZERO
    ]
    if not room or min(room) <= 0.0:
        return None
    moved = _SHORT * min(room) * change
    if round(float(np.abs(moved).max()), 9) < _LEAST:
        return None
    result: Floats = (flat + moved).reshape(table.shape)
    return result


def _sums(table: Floats) -> Iterator[Floats]:
    """Yield one row for each setting of the parents: the changes there sum to zero."""
    for setting in product(*(range(size) for size in table.shape[:-1])):
        row = np.zeros(table.shape)
        row[setting] = 1.0
        yield row.reshape(-1)


def _marginals(side: SCM, name: str, table: Floats) -> Iterator[Floats]:
    """Yield one row for each value of each variable that the mechanism works on, near or far.

    A change of the table's entry at (setting, value) moves P(w) by P(w, setting, value) / entry.
    """
    parents = side.mechanism(name).parents
    axes = (*parents, name)
    for other in side.visible:
        if other == name:
            joint = law(side, axes)
            for code in range(joint.shape[-1]):
                row = np.zeros(table.shape)
                row[..., code] = joint[..., code] / table[..., code]
                yield row.reshape(-1)
        elif other not in parents and _reaches(side, name, other):
            joint = law(side, (other, *axes))
            for part in joint:
                yield (part / table).reshape(-1)


def _reaches(side: SCM, name: str, other: str) -> bool:
    """Say whether a variable is a cause of another, near or far."""
    seen, stack = set(), [other]
    while stack:
        for parent in side.parents(stack.pop()):
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return name in seen


def _null_space(rows: Floats) -> list[Floats]:
    """Solve ``rows @ x = 0`` by elimination, row by row, the same on every machine."""
    matrix = rows.copy()
    pivots: list[int] = []
    for column in range(matrix.shape[1]):
        done = len(pivots)
        if done == len(matrix):
            break
        best = done + int(np.abs(matrix[done:, column]).argmax())
        if abs(float(matrix[best, column])) < _ZERO:
            continue
        matrix[[done, best]] = matrix[[best, done]]
        matrix[done] = matrix[done] / matrix[done, column]
        for other in range(len(matrix)):
            if other != done:
                matrix[other] = matrix[other] - matrix[other, column] * matrix[done]
        pivots.append(column)
    found = []
    for free in (column for column in range(matrix.shape[1]) if column not in pivots):
        vector = np.zeros(matrix.shape[1])
        vector[free] = 1.0
        for place, column in enumerate(pivots):
            vector[column] = -matrix[place, free]
        found.append(vector)
    return found
