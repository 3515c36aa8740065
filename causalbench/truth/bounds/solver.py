"""Ask HiGHS for an optimal basis, warm from the last one.

Reference: Huangfu and Hall (2018), Parallelizing the dual revised simplex method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["Solver"]

_OPTIONS = {
    "output_flag": False,
    "presolve": "off",
    "threads": 1,
    "solver": "simplex",
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}


class Solver:
    """Minimise cost . q over {q >= 0: rows q = data} for one matrix, again and again.

    Args:
        rows: float64[m, n], independent.
    """

    def __init__(self, rows: NDArray[np.float64]) -> None:
        import highspy

        self._count, self._columns = rows.shape
        self._row_numbers = np.arange(self._count, dtype=np.int32)
        self._column_numbers = np.arange(self._columns, dtype=np.int32)
        self._cost: Vector | None = None
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._infeasible = highspy.HighsModelStatus.kInfeasible
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, setting in _OPTIONS.items():
            solver.setOptionValue(name, setting)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self._columns, self._count
        model.col_cost_ = model.col_lower_ = np.zeros(self._columns)
        model.col_upper_ = np.full(self._columns, highspy.kHighsInf)
        model.row_lower_ = model.row_upper_ = np.zeros(self._count)
        column, row = np.nonzero(rows.T)
        starts = np.cumsum(np.bincount(column, minlength=self._columns))
        matrix = model.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kColwise
        matrix.start_ = np.concatenate([[0], starts]).astype(np.int32)
        matrix.index_, matrix.value_ = row.astype(np.int32), rows.T[column, row]
        solver.passModel(model)
        self._solver = solver

    def basis(self, data: Vector, cost: Vector) -> NDArray[np.intp] | None:
        """Return an optimal basis, columns first and then slacks; None if nothing meets the data.

        Args:
            data: float64[m].
            cost: float64[n].
        """
        solver = self._solver
        if self._cost is not cost:
            solver.changeColsCost(self._columns, self._column_numbers, cost)
            self._cost = cost
        solver.changeRowsBounds(self._count, self._row_numbers, data, data)
        solver.run()
        status = solver.getModelStatus()
        if status not in {self._optimal, self._infeasible}:
            solver.clearSolver()  # a bad start: once more from scratch
            solver.run()
            status = solver.getModelStatus()
        if status != self._optimal:
            return None
        basic = np.asarray(solver.getBasicVariables()[1], dtype=np.intp)
        return np.where(basic >= 0, basic, self._columns - 1 - basic)  # -1 - i: the slack of row i
