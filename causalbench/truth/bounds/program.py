"""Solve linear programs over probability laws: one shape, many data vectors, certified ends.

The rows are fixed, so what was worked out for one data vector helps with the next: `Face` walks to
the new optimum from bases it knows, and HiGHS is asked where it knows none. Every answer is
computed from its basis in double precision and checked by weak duality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CertificateError
from causalbench.truth.bounds.face import Face, Optimum
from causalbench.truth.bounds.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

__all__ = ["AGREES", "Optimum", "Program"]

AGREES = 1e-9
"""How far a consistent set of data may be off, and an end from its dual bound."""
_DEPENDENT = 1e-10  # a row this close to the span of others is one of them
_FACES = 256
_ROOM = 2**22  # floats that the costs seen may take
_OFTEN = 3  # solves of one cost after which it gets a solver of its own


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
        self.columns = int(rows.shape[1])
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
        self._faces: dict[bytes, Face] = {}
        self._common: Solver | None = None

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
        face = self._faces.get(key)
        if face is None:
            if len(self._faces) >= min(_FACES, max(4, _ROOM // self.rows.size)):
                self._faces.clear()
            face = self._faces[key] = Face(self.rows, cost.copy(), self.mass)
        found = face.walk(kept)
        if found is None or not _proved(found):
            columns = self._solver(face).basis(kept, face.cost)
            if columns is None:
                return None
            found = face.from_columns(columns, kept, AGREES)
        if found is None or not _proved(found):
            msg = (
                "a linear program was not solved to 1e-9; its numbers are at the edge of rounding. "
                "Use a world whose probabilities are further from 0, and report it."
            )
            raise CertificateError(msg)
        return found

    def _solver(self, face: Face) -> Solver:
        """Return the common solver, or for a cost that is asked often one that stays with it."""
        face.solves += 1
        if face.solver is None and face.solves >= _OFTEN:
            face.solver = Solver(self.rows)
        if face.solver is not None:
            return face.solver
        if self._common is None:
            self._common = Solver(self.rows)
        return self._common


def _proved(found: Optimum) -> bool:
    return abs(found.value - found.bound) <= AGREES * max(1.0, abs(found.value))
