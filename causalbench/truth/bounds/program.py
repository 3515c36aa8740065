"""Solve linear programs over probability laws: one shape, many data vectors, certified ends.

The rows are fixed, so the basis that is optimal for one data vector stays dual feasible for every
other: it is optimal again as soon as it is primal feasible. Bases are therefore kept with their
inverses, tried first, and HiGHS (Huangfu and Hall 2018) is asked only where none fits; it starts
from its last basis. Every answer is computed from its basis in double precision, and its end is
checked by weak duality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import CertificateError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["AGREES", "Optimum", "Program"]

AGREES = 1e-9
"""How far a consistent set of data may be off, and an end from its dual bound."""
_FEASIBLE = 1e-12  # negative mass that is round-off, and clipped
_DEPENDENT = 1e-10  # a row this close to the span of others is one of them
_OPTIONS = {
    "output_flag": False,
    "presolve": "off",
    "threads": 1,
    "solver": "simplex",
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}


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
    """A dual feasible basis of one cost."""

    columns: NDArray[np.intp]  # positions among columns and then slacks
    inverse: NDArray[np.float64]
    prices: Vector
    slack: float  # the most negative reduced cost, 0 without round-off


class Program:
    """Minimise linear forms over {q >= 0: rows q = data}.

    Args:
        rows: float64[m, n]; they may depend on each other. The data must bound the sum of q.
        mass: the sum of q over any feasible q, for the duality check.
    """

    def __init__(self, rows: NDArray[np.float64], mass: float = 1.0) -> None:
        from scipy.linalg import qr

        rows = np.asarray(rows, dtype=np.float64)
        self.mass = mass
        self.columns = rows.shape[1]
        basis, triangle, order = qr(rows.T, mode="economic", pivoting=True)
        size = np.abs(np.diag(triangle))
        rank = int((size > _DEPENDENT * max(1.0, size[0] if len(size) else 1.0)).sum())
        self._keep = np.sort(order[:rank])
        self.rows = np.ascontiguousarray(rows[self._keep])
        place = np.argsort(order[:rank])
        self._span = basis[:, :rank]
        self._triangle = triangle[:rank, :rank]
        self._place = place
        self._rest = np.sort(order[rank:])
        self._combine = self._coefficients(rows[self._rest]) if len(self._rest) else None
        self._bases: dict[bytes, list[_Basis]] = {}
        self._solver: Any = None

    def _coefficients(self, forms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the combination of kept rows nearest to each form."""
        from scipy.linalg import solve_triangular

        solved = solve_triangular(self._triangle, self._span.T @ forms.T)
        return np.asarray(solved.T[:, self._place])

    def reduce(self, data: Vector) -> Vector | None:
        """Return the data of the independent rows, or None where the rows contradict each other."""
        kept = np.asarray(data, dtype=np.float64)[self._keep]
        if self._combine is not None:
            off = self._combine @ kept - data[self._rest]
            if np.abs(off).max() > AGREES:
                return None
        return kept

    def identified(self, form: Vector) -> Vector | None:
        """Return the weights on the reduced data that give a form in every law, or None."""
        weights: Vector = self._coefficients(form[None, :])[0]
        return weights if np.abs(weights @ self.rows - form).max() < _DEPENDENT else None

    def solve(self, data: Vector, cost: Vector) -> tuple[Optimum, Optimum] | None:
        """Return the least and the largest value of a form, or None if no law meets the data.

        Args:
            data: float64[m], one number for each row.
            cost: float64[n].
        """
        kept = self.reduce(data)
        if kept is None:
            return None
        least = self.least(kept, cost)
        if least is None:
            return None
        most = self.least(kept, -cost)
        if most is None:
            return None
        return least, Optimum(-most.value, -most.bound, most.point)

    def least(self, kept: Vector, cost: Vector) -> Optimum | None:
        """Return the least value of a form, or None if no law meets the reduced data."""
        key = cost.tobytes()
        known = self._bases.setdefault(key, [])
        for basis in known:
            found = self._at(basis, kept, cost)
            if found is not None:
                return found
        columns = self._run(kept, cost)
        if columns is None:
            return None
        basis = self._basis(columns, cost)
        known.append(basis)
        found = self._at(basis, kept, cost, slack=AGREES)
        if found is None or abs(found.value - found.bound) > AGREES * max(1.0, abs(found.value)):
            msg = (
                "a linear program was not solved to 1e-9; its numbers are at the edge of rounding. "
                "Use a world whose probabilities are further from 0, and report it."
            )
            raise CertificateError(msg)
        return found

    def _basis(self, columns: NDArray[np.intp], cost: Vector) -> _Basis:
        count, n = len(self.rows), self.columns
        matrix = np.zeros((count, count))
        own = columns < n
        matrix[:, own] = self.rows[:, columns[own]]
        matrix[columns[~own] - n, np.flatnonzero(~own)] = 1.0
        inverse: NDArray[np.float64] = np.linalg.inv(matrix).astype(np.float64, copy=False)
        basic = np.zeros(count)
        basic[own] = cost[columns[own]]
        prices = basic @ inverse
        reduced = cost - prices @ self.rows
        return _Basis(columns, inverse, prices, min(0.0, float(reduced.min(initial=0.0))))

    def _at(
        self, basis: _Basis, kept: Vector, cost: Vector, slack: float = _FEASIBLE
    ) -> Optimum | None:
        """Return the basis's solution for the data, or None where it is not feasible."""
        masses = basis.inverse @ kept
        if masses.min(initial=0.0) < -slack:
            return None
        point = np.zeros(self.columns)
        own = basis.columns < self.columns
        if not own.all():
            if np.abs(masses[~own]).max() > slack:
                return None
            masses = masses[own]
        point[basis.columns[own]] = np.maximum(masses, 0.0)
        value = float(cost @ point)
        return Optimum(value, float(basis.prices @ kept) + basis.slack * self.mass, point)

    def _run(self, kept: Vector, cost: Vector) -> NDArray[np.intp] | None:
        """Ask HiGHS; return the optimal basis, columns first and then slacks."""
        import highspy

        solver = self._ready()
        count, n = len(self.rows), self.columns
        solver.changeColsCost(n, np.arange(n, dtype=np.int32), cost)
        solver.changeRowsBounds(count, np.arange(count, dtype=np.int32), kept, kept)
        solver.run()
        status = solver.getModelStatus()
        if status not in {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible}:
            solver.clearSolver()  # a bad start: once more from scratch
            solver.run()
            status = solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        basic = np.asarray(solver.getBasicVariables()[1], dtype=np.intp)
        return np.where(basic >= 0, basic, n - 1 - basic)  # -1 - i is the slack of row i

    def _ready(self) -> Any:
        """Return the solver with the rows passed, made once."""
        if self._solver is not None:
            return self._solver
        import highspy

        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, setting in _OPTIONS.items():
            solver.setOptionValue(name, setting)
        count, n = self.rows.shape
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = n, count
        model.col_cost_ = np.zeros(n)
        model.col_lower_, model.col_upper_ = np.zeros(n), np.full(n, highspy.kHighsInf)
        model.row_lower_ = model.row_upper_ = np.zeros(count)
        column, row = np.nonzero(self.rows.T)
        matrix = model.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kColwise
        matrix.start_ = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=n))]).astype(
            np.int32
        )
        matrix.index_, matrix.value_ = row.astype(np.int32), self.rows.T[column, row]
        solver.passModel(model)
        self._solver = solver
        return solver
