"""Bound products of open laws from outside, by a lifted linear program.

Each product p x q(t) of a number p in [l, u] with the law of a further component gets a variable
of its own. It obeys the component's constraints times p, and l q <= p q <= u q: the first level of
the reformulation-linearization technique. No law of the components is cut off, so the ends are
sound, though they may be too wide.

Reference: McCormick (1976); Sherali and Adams (1990).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import CertificateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.truth.bounds.problem import Block, Part, Reduced

    Vector = NDArray[np.float64]
    Row = tuple[list[int], list[float], float, float]

__all__ = ["outer_ends"]

_MARGIN = 2e-10  # what the tolerances of the solver are worth, over a mass of one
_COLUMNS = 3000  # more than these take seconds


def outer_ends(blocks: Sequence[Block], parts: Sequence[Part]) -> tuple[float, float]:
    """Return ends that no laws of the blocks can pass.

    Args:
        blocks: the open components.
        parts: a group; each part is bounded by itself, and the ends are added.

    Returns:
        The ends; infinite where the lifted program is too large.
    """
    low = high = 0.0
    for part in parts:
        if _size(blocks, part) > _COLUMNS:
            return -np.inf, np.inf
        lifted = _Lifted(blocks, part)
        low += -lifted.largest(-1) - _MARGIN
        high += lifted.largest(1) + _MARGIN
    return low, high


def _size(blocks: Sequence[Block], part: Part) -> int:
    """Return how many columns the lifted program of a part has."""
    laws = {
        (key[:place], number)
        for side in (part.above, part.below)
        for key in side
        for place, (number, _) in enumerate(key)
    }
    return 1 + sum(int(blocks[number].program.columns) for _, number in laws)


class _Lifted:
    """The lifted program of one part; homogeneous in a scale, which makes a ratio linear."""

    def __init__(self, blocks: Sequence[Block], part: Part) -> None:
        self._blocks = blocks
        self._part = part
        self._columns = 1  # column 0 is the scale: 1, or 1 / below
        self._rows: list[Row] = []
        self._laws: dict[tuple[tuple[int, int], ...], dict[int, int]] = {}
        self._ranges: dict[tuple[int, int], tuple[float, float]] = {}
        self._above = self._form(part.above)
        self._below = self._form(part.below)
        self._rows.append((*self._below, 1.0, 1.0))

    def largest(self, sign: int) -> float:
        from scipy.optimize import linprog
        from scipy.sparse import csr_matrix

        cost = np.zeros(self._columns)
        np.add.at(cost, self._above[0], self._above[1])
        equal = [row for row in self._rows if row[2] == row[3]]
        less = [row for row in self._rows if row[2] != row[3]]

        def matrix(rows: list[Row]) -> Any:
            lengths = np.cumsum([0] + [len(row[0]) for row in rows])
            return csr_matrix(
                (
                    np.array([w for row in rows for w in row[1]]),
                    np.array([c for row in rows for c in row[0]], dtype=np.int32),
                    lengths,
                ),
                shape=(len(rows), self._columns),
            )

        found: Any = linprog(
            -sign * cost,
            A_ub=matrix(less) if less else None,
            b_ub=np.array([row[3] for row in less]) if less else None,
            A_eq=matrix(equal),
            b_eq=np.array([row[2] for row in equal]),
            bounds=(0, None),
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.status == 3 or (not self._part.whole and found.status != 0):  # noqa: PLR2004
            return np.inf  # the condition may be as rare as one likes
        if found.status != 0:
            raise CertificateError(f"a lifted program failed ({found.message}); please report it.")
        return -float(found.fun)

    def _form(self, reduced: Reduced) -> tuple[list[int], list[float]]:
        """Return a polynomial as a linear form of the columns."""
        columns: list[int] = []
        weights: list[float] = []
        for key, weight in reduced.items():
            where, factors = self._product(key)
            columns += where
            weights += [weight * each for each in factors]
        return columns, weights

    def _product(self, key: tuple[tuple[int, int], ...]) -> tuple[list[int], list[float]]:
        """Return a product of forms as a linear form of the columns."""
        if not key:
            return [0], [1.0]
        *rest, (number, form) = key
        start = self._law(tuple(rest), number)
        row = self._blocks[number].matrix()[form]
        own = np.flatnonzero(row)
        return (start + own).tolist(), row[own].tolist()

    def _law(self, prefix: tuple[tuple[int, int], ...], number: int) -> int:
        """Return the first column of prefix x law of a block, adding it where it is new."""
        held = self._laws.setdefault(prefix, {})
        if number in held:
            return held[number]
        block = self._blocks[number]
        data = block.data
        if data is None:
            raise CertificateError("the permitted laws contradict one another; please report it.")
        scale, factors = self._product(prefix)
        plain = self._law((), number) if prefix else -1
        start = held[number] = self._columns
        size = block.program.columns
        self._columns += size
        for row, number_ in zip(block.program.rows, data, strict=True):
            own = np.flatnonzero(row)
            self._rows.append(
                (
                    [*(start + own).tolist(), *scale],
                    [*row[own].tolist(), *(-number_ * each for each in factors)],
                    0.0,
                    0.0,
                )
            )
        if prefix:
            low, high = self._range(prefix)
            for column in range(size):
                self._rows.append(([start + column, plain + column], [1.0, -high], -np.inf, 0.0))
                self._rows.append(([start + column, plain + column], [-1.0, low], -np.inf, 0.0))
        return start

    def _range(self, prefix: tuple[tuple[int, int], ...]) -> tuple[float, float]:
        """Return the ends of a product of forms, by the ends of each."""
        low = high = 1.0
        for number, form in prefix:
            if (number, form) not in self._ranges:
                block = self._blocks[number]
                row = block.matrix()[form]
                data = block.data
                assert data is not None  # noqa: S101  (checked where the law was added)
                least, most = block.program.least(data, row), block.program.least(data, -row)
                if least is None or most is None:
                    raise CertificateError("no law meets the permitted laws; please report it.")
                self._ranges[number, form] = max(0.0, least.bound), min(1.0, -most.bound)
            one, other = self._ranges[number, form]
            low, high = low * one, high * other
        return low, high
