"""Keep the optimal bases of one linear cost, and walk between them.

A basis that is optimal for one data vector is dual feasible for every other. So a few steps of the
dual simplex, from the basis whose prices bound the end best, find the next optimum; no solver is
asked.

Reference: Lemke (1954), The dual method of solving the linear programming problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.truth.bounds.solver import Solver

    Vector = NDArray[np.float64]

__all__ = ["Face", "Optimum"]

_FEASIBLE = 1e-12  # negative mass that is round-off, and clipped
_PIVOT = 1e-7  # a pivot smaller than this would spoil the inverse
_MET = 1e-13  # how far a walked basis may miss the data before its inverse is made anew
_KEPT = 4096
_ROOM = 2**20  # floats that the bases of one cost may take


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The end of a linear form.

    Args:
        value: the form at ``point``.
        bound: what no feasible point can beat, by weak duality; ``value`` to 1e-9.
        point: where it is attained: masses >= 0 that meet the data.
    """

    value: float
    bound: float
    point: Vector


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    columns: NDArray[np.intp]
    inverse: NDArray[np.float64]
    prices: Vector
    reduced: Vector  # the reduced costs, >= 0 but for round-off


class Face:
    """The bases that were optimal for one cost.

    Args:
        rows: float64[m, n], independent.
        cost: float64[n].
        mass: the sum of every feasible point, for the duality check.

    Attributes:
        solves: how often a solver was asked for this cost.
        solver: one that stays with this cost, or None.
    """

    def __init__(self, rows: NDArray[np.float64], cost: Vector, mass: float) -> None:
        self.cost = cost
        self.solves = 0
        self.solver: Solver | None = None
        self._rows = rows
        self._mass = mass
        self._prices = np.empty((4, len(rows)))
        self._bases: list[_Basis] = []

    def from_columns(self, columns: NDArray[np.intp], data: Vector, slack: float) -> Optimum | None:
        """Return the solution of a basis that a solver found, and keep it.

        Args:
            columns: the basis; from n on, slacks.
            data: float64[m].
            slack: how negative a mass may be.
        """
        count, n = self._rows.shape
        if (columns >= n).any():  # a degenerate vertex with rows left over: not one to walk from
            matrix = np.zeros((count, count))
            own = columns < n
            matrix[:, own] = self._rows[:, columns[own]]
            matrix[columns[~own] - n, np.flatnonzero(~own)] = 1.0
            inverse = _inverse(matrix)
            basic = np.where(own, self.cost[np.minimum(columns, n - 1)], 0.0)
            return self._solution(self._priced(columns, inverse, basic), data, slack)
        basis = self._made(columns)
        self._keep(basis)
        return self._solution(basis, data, slack)

    def walk(self, data: Vector) -> Optimum | None:
        """Return the end for some data, or None where the walk finds none."""
        if not self._bases:
            return None
        place = int((self._prices[: len(self._bases)] @ data).argmax())
        basis = self._bases[place]
        masses = basis.inverse @ data
        if masses.min() >= -_FEASIBLE:
            return self._solution(basis, data, _FEASIBLE)
        columns, inverse = basis.columns.copy(), basis.inverse.copy()
        prices, reduced = basis.prices, basis.reduced
        rows = self._rows
        for _ in range(3 * len(rows)):
            leaving = int(masses.argmin())
            if masses[leaving] >= -_FEASIBLE:
                break
            line = inverse[leaving] @ rows
            able = np.flatnonzero(line < -_PIVOT)
            if not len(able):
                return None
            entering = int(able[(reduced[able] / -line[able]).argmin()])
            step = reduced[entering] / line[entering]
            reduced = np.maximum(reduced - step * line, 0.0)
            prices = prices + step * inverse[leaving]
            pivot = inverse @ rows[:, entering]
            inverse[leaving] /= pivot[leaving]
            pivot[leaving] = 0.0
            inverse -= pivot[:, None] * inverse[leaving]
            columns[leaving] = entering
            masses = inverse @ data
        else:
            return None
        if np.abs(rows[:, columns] @ masses - data).max() > _MET:
            found = self._made(columns)
        else:
            found = _Basis(columns, inverse, prices, self.cost - prices @ rows)
        self._keep(found)
        return self._solution(found, data, _FEASIBLE)

    def _made(self, columns: NDArray[np.intp]) -> _Basis:
        return self._priced(columns, _inverse(self._rows[:, columns]), self.cost[columns])

    def _priced(
        self, columns: NDArray[np.intp], inverse: NDArray[np.float64], basic: Vector
    ) -> _Basis:
        prices = basic @ inverse
        return _Basis(columns, inverse, prices, self.cost - prices @ self._rows)

    def _keep(self, basis: _Basis) -> None:
        place = len(self._bases)
        count, n = self._rows.shape
        if place >= min(_KEPT, max(4, _ROOM // (n + count * count))):
            return
        if place == len(self._prices):
            self._prices = np.concatenate([self._prices, np.empty_like(self._prices)])
        self._prices[place] = basis.prices
        self._bases.append(basis)

    def _solution(self, basis: _Basis, data: Vector, slack: float) -> Optimum | None:
        masses = basis.inverse @ data
        if masses.min(initial=0.0) < -slack:
            return None
        n = len(self.cost)
        point = np.zeros(n + len(data))
        point[basis.columns] = np.maximum(masses, 0.0)
        if point[n:].max() > slack:
            return None  # a slack is not zero, so a row is not met
        point = point[:n]
        short = min(0.0, float(basis.reduced.min(initial=0.0)))
        bound = float(basis.prices @ data) + short * self._mass
        return Optimum(float(self.cost @ point), bound, point)


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.inv(matrix).astype(np.float64, copy=False)
