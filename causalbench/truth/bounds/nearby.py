"""Look for witnesses near a world: move its tables along what the permitted laws leave free.

The permitted laws are polynomials in the tables P(value | parents), hidden parents too. Where the
query's slope does not lie in the row space of their Jacobian, a step along the rest changes the
query, and Newton steps of least length lead back to the laws. The diagram stays as it is. Hidden
variables of few values can leave no room; so each value is split in two if need be, and the halves
are first pulled apart, for between equal halves every slope is nought. What is reached is an inner
end: there may be worlds further off.

Reference: Nocedal and Wright (2006), Numerical optimization, chapter 15, on steps in null spaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CausalBenchError
from causalbench.query.algebra import normalise
from causalbench.query.rung import rung_of_quantity
from causalbench.rng import generator
from causalbench.scm import Variable
from causalbench.scm.couplings import couple
from causalbench.truth.bounds.witness import witness
from causalbench.truth.identify.asked import numbers_of, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from causalbench.query.ast import Quantity, Query
    from causalbench.scm import SCM
    from causalbench.truth.certificate import Witness
    from causalbench.truth.permitted import Permitted

    Vector = NDArray[np.float64]

__all__ = ["nearby_witnesses"]

_CELLS = 2**12  # of the joint law of all variables
_ENTRIES = 2**22  # of the Jacobian
_EXPERIMENTS = 32
_STEPS = 40
_NEWTON = 8
_EXACT = 1e-12  # how nearly Newton steps meet the laws
_RANK = 1e-9  # a slope this much shorter than the steepest is no slope
_STRIDE = 0.1
_LEAST = 1e-4
_GAP = 1e-6  # a query that moves by less proves little
_INTERVENTIONAL = 2


def nearby_witnesses(
    permitted: Permitted, world: SCM, query: Query
) -> tuple[Witness, Witness] | None:
    """Return two checked worlds of the world's own diagram that differ in a query, or None.

    Args:
        permitted: the laws; the diagram is shown.
        world: the world to start from.
        query: over visible variables; only what rung 2 can say is moved.
    """
    asked = normalise(query)
    if permitted.knowledge.assumptions or any(
        rung_of_quantity(quantity) > _INTERVENTIONAL for _, quantity in asked.terms
    ):
        return None
    for copies in (1, 2):
        pair = _pair(permitted, _Tables(world, copies), asked)
        if pair is not None:
            return pair
    return None


def _pair(permitted: Permitted, tables: _Tables, asked: Query) -> tuple[Witness, Witness] | None:
    """Return two checked worlds with tables of one shape, or None."""
    settable = [name for name in tables.names if name in permitted.manipulable]
    groups = [
        forced for size in range(len(settable) + 1) for forced in combinations(settable, size)
    ]
    cells = len(tables.visible) * len(groups)
    if len(groups) > _EXPERIMENTS or tables.count > _CELLS or cells * len(tables.start) > _ENTRIES:
        return None
    search = _Search(tables, groups, [_Asked.of(permitted, tables, *term) for term in asked.terms])
    ends = [search.climb(sign) for sign in (-1, 1)]
    if not search.value(ends[1]) - search.value(ends[0]) > _GAP:
        return None
    try:
        low, high = (witness(permitted, tables.world, tables.into(end), asked) for end in ends)
    except CausalBenchError:
        return None  # at the edge of rounding, so it proves nothing
    return low, high


class _Tables:
    """A world's tables in one vector, and the joint law of all variables, cell by cell.

    Args:
        world: the world.
        copies: into how many equal parts each hidden value is split.

    Attributes:
        world: the world.
        names: the visible variables.
        start: the world's own entries.
        count: how many cells the joint law has.
        visible: the codes of each visible cell, int[cells, visible variables].
        cell: for each cell of the joint law its visible cell.
    """

    def __init__(self, world: SCM, copies: int) -> None:
        self.world = world
        self.copies = copies
        names = list(world.names)
        own = [self._split(name) for name in names]
        cards = [table.shape[-1] for table in own]
        self.count = int(np.prod(cards, dtype=float))
        self.names = world.visible
        self._shapes = {name: table.shape for name, table in zip(names, own, strict=True)}
        self.start = np.concatenate([table.ravel() for table in own])
        self.visible = np.zeros((0, 0), dtype=np.intp)
        if self.count > _CELLS:
            return
        grid = np.indices(cards).reshape(len(names), -1)
        seen = [world.variable(name).cardinality for name in self.names]
        self.visible = np.indices(seen).reshape(len(seen), -1).T
        at = {name: grid[place] for place, name in enumerate(names)}
        self.cell = np.ravel_multi_index([at[name] for name in self.names], seen)
        self.entry: dict[str, NDArray[np.intp]] = {}
        self.row = np.zeros(len(self.start), dtype=np.intp)
        first = rows = 0
        for name, table in zip(names, own, strict=True):
            axes = [at[each] for each in (*world.parents(name), name)]
            self.entry[name] = first + np.ravel_multi_index(axes, table.shape)
            number = table.size // table.shape[-1]
            self.row[first : first + table.size] = rows + np.repeat(
                np.arange(number), table.shape[-1]
            )
            first, rows = first + table.size, rows + number
        self.free = self.start > 0.0  # what never happens is left so

    def _split(self, name: str) -> NDArray[np.float64]:
        """Return P(name | parents), each hidden value in equal parts."""
        table: NDArray[np.float64] = np.asarray(self.world.cpt(name))
        unseen = set(self.world.hidden)
        for axis, each in enumerate((*self.world.parents(name), name)):
            if each in unseen:
                table = np.repeat(table, self.copies, axis=axis)
        whole: NDArray[np.float64] = table / table.sum(axis=-1, keepdims=True)
        return whole

    def law(self, entries: Vector, forced: tuple[str, ...]) -> tuple[Vector, Vector]:
        """Return P(the rest | do(forced)) at every visible cell, and its Jacobian."""
        factors = [entries[place] for name, place in self.entry.items() if name not in forced]
        places = [place for name, place in self.entry.items() if name not in forced]
        cells, slopes = len(self.visible), np.zeros((len(self.visible), len(entries)))
        before = [np.ones(self.count)]
        for factor in factors:
            before.append(before[-1] * factor)
        after = np.ones(self.count)
        for factor, place, above in zip(
            reversed(factors), reversed(places), reversed(before[:-1]), strict=True
        ):
            np.add.at(slopes, (self.cell, place), above * after)
            after = after * factor
        law = np.bincount(self.cell, weights=before[-1], minlength=cells).astype(np.float64)
        return law, self.tangent(slopes)

    def tangent(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take out what would change the sum of a row of a table, or a zero."""
        counts = np.bincount(self.row, weights=self.free)
        kept = slopes * self.free
        sums = np.zeros((*slopes.shape[:-1], len(counts)))
        np.add.at(sums.T, self.row, kept.T)
        means = sums / np.maximum(counts, 1.0)
        found: NDArray[np.float64] = (kept - means[..., self.row]) * self.free
        return found

    def into(self, entries: Vector) -> SCM:
        """Return the world with other tables."""
        mechanisms, variables, first = {}, {}, 0
        for name, shape in self._shapes.items():
            size = int(np.prod(shape))
            part = np.maximum(entries[first : first + size].reshape(shape), 0.0)
            first += size
            cpt = part / part.sum(axis=-1, keepdims=True)
            mechanisms[name] = couple(cpt, "monotone", self.world.parents(name))
            if name not in self.names:
                labels = tuple(f"t{code}" for code in range(shape[-1]))
                variables[name] = Variable(name, labels, hidden=True)
        return self.world.replace(variables=variables, mechanisms=mechanisms)


@dataclass(frozen=True, eq=False)
class _Asked:
    """weight x (above . law) / (below . law), the law being that of one experiment."""

    weight: float
    forced: tuple[str, ...]
    above: Vector
    below: Vector

    @classmethod
    def of(cls, permitted: Permitted, tables: _Tables, weight: float, quantity: Quantity) -> _Asked:
        asked = read(permitted.ground, quantity)
        setting = {name: (label,) for name, label in asked.forced.items()}
        below = _holds(permitted, tables, {**asked.given, **setting})
        above = np.zeros(len(below))
        if asked.mean is not None:
            numbers = np.array(numbers_of(permitted.ground, asked.mean, "E[...]"))
            above = below * numbers[tables.visible[:, tables.names.index(asked.mean)]]
        elif asked.event is not None:
            above = below * _holds(permitted, tables, asked.event)
        return cls(weight, tuple(asked.forced), above, below)


def _holds(permitted: Permitted, tables: _Tables, labels: Mapping[str, tuple[str, ...]]) -> Vector:
    """Return 1 at each visible cell that has one of the labels of each variable."""
    found = np.ones(len(tables.visible))
    for name, some in labels.items():
        codes = [permitted.labels[name].index(label) for label in some]
        found *= np.isin(tables.visible[:, tables.names.index(name)], codes)
    return found


class _Search:
    """Steps along the free part of a query's slope."""

    def __init__(self, tables: _Tables, groups: list[tuple[str, ...]], asked: list[_Asked]) -> None:
        self.tables = tables
        self.groups = groups
        self.asked = asked
        self.target, jacobian = self.laws(tables.start)
        self.start = tables.start
        if tables.copies > 1:
            away = generator(0, "nearby").normal(size=len(tables.start)) * tables.start
            self.start = self._stepped(_outside(jacobian, tables.tangent(away)))

    def laws(self, entries: Vector) -> tuple[Vector, NDArray[np.float64]]:
        """Return all permitted laws, and their Jacobian."""
        values, slopes = zip(*(self.tables.law(entries, g) for g in self.groups), strict=True)
        return np.concatenate(values), np.concatenate(slopes)

    def query(self, entries: Vector) -> tuple[float, Vector]:
        """Return the query without its constant, and its slope."""
        total, slope = 0.0, np.zeros(len(entries))
        for part in self.asked:
            law, slopes = self.tables.law(entries, part.forced)
            below = float(part.below @ law)
            ratio = float(part.above @ law) / below
            total += part.weight * ratio
            slope += part.weight / below * ((part.above - ratio * part.below) @ slopes)
        return total, slope

    def value(self, entries: Vector) -> float:
        """Return the query without its constant."""
        return self.query(entries)[0]

    def climb(self, sign: int) -> Vector:
        """Return the entries where steps up (or down) lead to."""
        here, stride = self.start, _STRIDE
        value, slope = self.query(here)
        _, jacobian = self.laws(here)
        for _ in range(_STEPS):
            free = _outside(jacobian, slope)
            length = float(np.linalg.norm(free))
            if length <= 1e-7 * max(1.0, float(np.linalg.norm(slope))):
                break
            while stride > _LEAST:
                moved = self._corrected(here + sign * stride * free / length)
                if moved is not None and sign * (self.value(moved) - value) > 0.0:
                    break
                stride /= 2
            else:
                break
            here, stride = moved, min(2 * stride, _STRIDE)
            value, slope = self.query(here)
            _, jacobian = self.laws(here)
        return here

    def _stepped(self, free: Vector) -> Vector:
        """Return the first entries along a direction that can be led back to the laws."""
        stride = 4 * _STRIDE
        while stride > _LEAST:
            moved = self._corrected(self.start + stride * free / np.linalg.norm(free))
            if moved is not None:
                return moved
            stride /= 2
        return self.start

    def _corrected(self, entries: Vector) -> Vector | None:
        """Go back to the permitted laws; None where that fails or leaves the simplex."""
        for _ in range(_NEWTON):
            values, jacobian = self.laws(entries)
            off = self.target - values
            if np.abs(off).max() <= _EXACT:
                return entries if entries[self.tables.free].min() > 0.0 else None
            if np.abs(off).max() > 1.0:
                return None
            entries = entries + np.linalg.lstsq(jacobian, off, rcond=_RANK)[0]
        return None


def _outside(jacobian: NDArray[np.float64], slope: Vector) -> Vector:
    """Return the part of a slope that lies outside the row space."""
    _, sizes, rows = np.linalg.svd(jacobian, full_matrices=False)
    rows = rows[sizes > _RANK * max(1.0, float(sizes[0]))]
    free = slope - rows.T @ (rows @ slope)
    again: Vector = free - rows.T @ (rows @ free)
    return again
