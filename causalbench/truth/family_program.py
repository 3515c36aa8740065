"""Write a query's plan as a program over rows: one row holds one number of every set.

The first rows are constants, then come numbers of the family as they are needed, kernels worked out
from them, and the results of the elimination steps. A line is (kind, row, ...):

    SELECT row, p, table's row, code: p where the set's table has the code, else 0
    ADD, MULTIPLY, MINIMUM, MAXIMUM row, p, q
    GAP row, p, q: p - q, or 0 where that is not positive
    PRODUCTS first row, cells, terms, factors, at: sums of products of the operands from ``at`` on
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "ADD",
    "GAP",
    "MAXIMUM",
    "MINIMUM",
    "MULTIPLY",
    "PRODUCTS",
    "ROUGH",
    "SELECT",
    "Program",
    "Writer",
]

SELECT, ADD, MULTIPLY, MINIMUM, MAXIMUM, GAP, PRODUCTS = range(7)

ROUGH = 1e-15
"""As `couple`: thresholds nearer than this differ by rounding, not by intent."""

_FACTORS = 3  # the loops multiply up to three rows at once


@dataclass(frozen=True, slots=True)
class Program:
    """What to compute, for any family of one layout.

    Attributes:
        loads: int64[k, 2]: a row, and which of the family's numbers it holds.
        code: int64[lines, 6].
        operands: int64, the rows that PRODUCTS takes.
        constants: float64, the values of the first rows.
        outputs: int64, the rows that are the answer.
        height: how many rows there are.
    """

    loads: NDArray[np.int64]
    code: NDArray[np.int64]
    operands: NDArray[np.int64]
    constants: NDArray[np.float64]
    outputs: NDArray[np.int64]
    height: int


class Writer:
    """Write lines; equal lines are written once. Until `finish`, row ~k is constant k."""

    def __init__(self) -> None:
        self._constants: dict[float, int] = {}
        self._lines: list[tuple[int, ...]] = []
        self._loads: dict[int, int] = {}
        self._known: dict[tuple[int, ...], int] = {}
        self._operands: list[NDArray[np.int64]] = []
        self._taken = 0
        self._height = 0
        self._blocks: dict[int, int] = {}
        self._free: dict[int, list[int]] = {}
        self.zero = self.constant(0.0)
        self.one = self.constant(1.0)

    def constant(self, value: float) -> int:
        """Return the row of a constant."""
        return ~self._constants.setdefault(float(value), len(self._constants))

    def load(self, number: int) -> int:
        """Return the row of one of the family's numbers."""
        row = self._loads.get(number)
        if row is None:
            row = self._loads[number] = self._height
            self._height += 1
        return row

    def select(self, row: int, table: int, code: int) -> int:
        """Return a row that is kept where a set's table has the code, else 0."""
        return self._line((SELECT, row, table, code))

    def add(self, rows: Iterable[int]) -> int:
        """Return the sum of some rows."""
        return reduce(self._add, rows, self.zero)

    def multiply(self, rows: Iterable[int]) -> int:
        """Return the product of some rows."""
        return reduce(self._multiply, rows, self.one)

    def gap(self, tops: Sequence[int], bottoms: Sequence[int]) -> int:
        """Return how far the least top lies above the greatest bottom, or 0."""
        top = reduce(lambda p, q: self._extreme(MINIMUM, p, q), tops)
        bottom = reduce(lambda p, q: self._extreme(MAXIMUM, p, q), bottoms)
        if bottom == self.zero:
            return top
        return self._line((GAP, top, bottom))

    def products(self, factors: list[NDArray[np.int64]], text: str) -> NDArray[np.int64]:
        """Return the rows of one einsum over factors, ``text`` as `numpy.einsum` takes it."""
        left, keep = text.split("->")
        scopes = left.split(",")
        between: list[NDArray[np.int64]] = []
        while len(factors) > _FACTORS:
            order = sorted(range(len(factors)), key=lambda k: factors[k].size)
            pair, rest = order[:2], order[2:]
            union = "".join(dict.fromkeys(scopes[pair[0]] + scopes[pair[1]]))
            joined = self._sum([factors[k] for k in pair], [scopes[k] for k in pair], union)
            between.append(joined)
            factors = [*(factors[k] for k in rest), joined]
            scopes = [*(scopes[k] for k in rest), union]
        result = self._sum(factors, scopes, keep)
        for part in between:
            self.release(part)
        return result

    def release(self, rows: NDArray[np.int64]) -> None:
        """Let the rows be used again, if they are a result of `products`."""
        first = int(rows.min())
        if self._blocks.get(first) == rows.size:
            self._free.setdefault(rows.size, []).append(first)

    def finish(self, outputs: Sequence[int]) -> Program:
        """Return the program that hands out some rows."""
        shift = len(self._constants)
        code = np.zeros((len(self._lines), 6), dtype=np.int64)
        for number, (kind, row, *others) in enumerate(self._lines):
            rows = {SELECT: 1, PRODUCTS: 0}.get(kind, 2)
            shifted = [other + shift if other >= 0 else ~other for other in others[:rows]]
            code[number, : 2 + len(others)] = [kind, row + shift, *shifted, *others[rows:]]
        operands = np.concatenate([np.zeros(0, dtype=np.int64), *self._operands])
        loads = [(row + shift, number) for number, row in sorted(self._loads.items())]
        return Program(
            np.array(loads, dtype=np.int64).reshape(-1, 2),
            code,
            np.where(operands >= 0, operands + shift, ~operands),
            np.array(list(self._constants)),
            np.array([row + shift if row >= 0 else ~row for row in outputs], dtype=np.int64),
            self._height + shift,
        )

    def _line(self, content: tuple[int, ...]) -> int:
        row = self._known.get(content)
        if row is None:
            row = self._known[content] = self._height
            self._height += 1
            self._lines.append((content[0], row, *content[1:]))
        return row

    def _add(self, p: int, q: int) -> int:
        if self.zero in (p, q):
            return q if p == self.zero else p
        return self._line((ADD, min(p, q), max(p, q)))

    def _multiply(self, p: int, q: int) -> int:
        if self.zero in (p, q):
            return self.zero
        if self.one in (p, q):
            return q if p == self.one else p
        return self._line((MULTIPLY, min(p, q), max(p, q)))

    def _extreme(self, kind: int, p: int, q: int) -> int:
        """Return the minimum or maximum of rows that lie between 0 and 1."""
        weak, strong = (self.one, self.zero) if kind == MINIMUM else (self.zero, self.one)
        if p in {q, strong} or q == weak:
            return p
        if p == weak or q == strong:
            return q
        return self._line((kind, min(p, q), max(p, q)))

    def _sum(
        self, factors: list[NDArray[np.int64]], scopes: list[str], keep: str
    ) -> NDArray[np.int64]:
        """Write one sum of products; a mere transposition needs no line."""
        letters = keep + "".join(
            dict.fromkeys("".join(scopes).translate({ord(c): "" for c in keep}))
        )
        sizes = {
            c: n
            for s, f in zip(scopes, factors, strict=True)
            for c, n in zip(s, f.shape, strict=True)
        }
        if len(factors) == 1 and len(letters) == len(keep):
            return factors[0].transpose([scopes[0].index(c) for c in keep])
        shape = tuple(sizes[c] for c in letters)
        spread = []
        for scope, factor in zip(scopes, factors, strict=True):
            order = sorted(range(len(scope)), key=lambda axis: letters.index(scope[axis]))
            turned = factor.transpose(order)
            spread.append(
                np.broadcast_to(
                    turned.reshape([sizes[c] if c in scope else 1 for c in letters]), shape
                )
            )
        kept = shape[: len(keep)]
        cells = int(np.prod(kept, dtype=np.int64))
        terms = int(np.prod(shape[len(keep) :], dtype=np.int64))
        first = self._block(cells)
        self._lines.append((PRODUCTS, first, cells, terms, len(factors), self._taken))
        operands = np.stack(spread, axis=-1).ravel()
        self._operands.append(operands)
        self._taken += operands.size
        return np.arange(first, first + cells, dtype=np.int64).reshape(kept)

    def _block(self, cells: int) -> int:
        free = self._free.get(cells)
        if free:
            return free.pop()
        first = self._height
        self._height += cells
        self._blocks[first] = cells
        return first
