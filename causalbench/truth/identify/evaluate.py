"""Evaluate estimands on permitted laws: tables for laws, array axes for indices.

Zeros. A conditional law whose condition has probability zero is undefined, and so is a ratio whose
denominator is zero. Undefined times exactly zero is zero; any other use of it makes the whole
estimand undefined, which is an error. This is right for every estimand that is correct in worlds
without zeros and whose conditional laws and ratios are bounded there. For the world at hand is a
limit of such worlds with the same diagram (mix every mechanism with a little of the uniform law),
along which the query tends to its value, laws tend to theirs, and undefined parts stay bounded; so
a product with a factor that tends to zero tends to zero, whatever the undefined part does.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import PositivityError, QueryError, TooWideError
from causalbench.truth.identify.estimand import (
    Estimand,
    Index,
    Law,
    Linear,
    Product,
    Ratio,
    Setting,
    Sum,
)
from causalbench.truth.identify.tables import tables_of
from causalbench.truth.structure import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.truth.permitted import Permitted

__all__ = ["evaluate"]

Array = Any  # a float64 array, or the scalar that stands for a constant one
_BLOCK = 1 << 14  # multiply out a product of at most so many cells; else sum index by index
_AXES = 64  # of a numpy array


def evaluate(estimand: Estimand, permitted: Permitted) -> float:
    """Return the number that the permitted laws give.

    Args:
        estimand: without free indices.
        permitted: the laws.

    Raises:
        AccessError: it uses a law that is not permitted.
        PositivityError: its value hangs on a condition of probability zero.
        QueryError: a value of a law is an index that no sum runs over.
        TooWideError: a table of more than 2^26 cells, or more than 64 indices.
    """
    axes: dict[Index, int] = {}
    _collect(estimand, axes)
    if len(axes) > _AXES:
        msg = (
            f"the estimand sums over {len(axes)} variables and arrays have {_AXES} axes at most; "
            "permit an experiment nearer to the query, or ask about a smaller world."
        )
        raise TooWideError(msg)
    try:
        with np.errstate(divide="raise", invalid="ignore", under="ignore"):
            number = _number(estimand, _Evaluator(permitted, axes).value(estimand))
    except FloatingPointError:
        number = math.nan
    if math.isnan(number):  # something undefined was met on the way; see whether it matters
        with np.errstate(all="ignore"):
            number = _number(estimand, _Careful(permitted, axes).value(estimand))
    if math.isnan(number):
        msg = (
            "the estimand divides by a probability that is zero in this world, so it says nothing "
            f"about it: {estimand}; ask about a world, or given a condition, without that zero."
        )
        raise PositivityError(msg)
    return number


def _number(estimand: Estimand, result: Array) -> float:
    """Return a constant array's number."""
    if isinstance(result, np.ndarray):
        if result.size > 1:
            raise QueryError(f"estimand: an index of '{estimand}' has no sum; add one, or fix it.")
        return float(result.item())
    return float(result)


def _collect(node: Estimand, axes: dict[Index, int]) -> None:
    """Number the indices of all sums; sums side by side share the axis of an equal index."""
    match node:
        case Sum(over, body):
            for index in over:
                axes.setdefault(index, len(axes))
            _collect(body, axes)
        case Product(factors):
            for factor in factors:
                _collect(factor, axes)
        case Ratio(above, below):
            _collect(above, axes)
            _collect(below, axes)
        case Linear(terms):
            for _, term in terms:
                _collect(term, axes)


def _shape(factors: Sequence[Array]) -> tuple[int, ...]:
    """Return the shape that arrays broadcast to; constants have none."""
    shapes = [factor.shape for factor in factors if isinstance(factor, np.ndarray) and factor.ndim]
    return tuple(map(max, *shapes)) if len(shapes) > 1 else shapes[0] if shapes else ()


def _depends(factor: Array, place: int) -> bool:
    """Tell whether an array varies along an axis."""
    return isinstance(factor, np.ndarray) and factor.ndim > 0 and factor.shape[place] > 1


class _Evaluator:
    """Values of nodes, as arrays with one axis (of length 1 where constant) for every index.

    Undefined parts are NaN, and NaN they stay.
    """

    def __init__(self, permitted: Permitted, axes: dict[Index, int]) -> None:
        self.permitted = permitted
        self.axes = axes
        self.tables = tables_of(permitted)

    def value(self, node: Estimand) -> Array:
        """Return the value of a node."""
        match node:
            case Law():
                return self.law(node)
            case Product(factors):
                return self.product([self.value(factor) for factor in factors])
            case Sum(over, body):
                parts = body.factors if isinstance(body, Product) else (body,)
                return self.sum(over, [self.value(part) for part in parts])
            case Ratio(above, below):
                return self.ratio(self.value(above), self.value(below))
            case Linear(terms, constant):
                return sum((weight * self.value(term) for weight, term in terms), constant)
        return node.evaluate(self.permitted)

    def product(self, factors: Sequence[Array]) -> Array:
        """Return the product of arrays."""
        result: Array = 1.0
        for factor in factors:
            result = result * factor
        return result

    def ratio(self, above: Array, below: Array) -> Array:
        """Return a quotient; raises FloatingPointError at a division by zero, but 0 / 0 is NaN."""
        return np.divide(above, below)

    def sum(self, over: tuple[Index, ...], factors: list[Array]) -> Array:
        """Return the product of arrays, summed over indices."""
        shape = _shape(factors)
        places = []
        for index in over:
            place = self.axes[index]
            if shape and shape[place] > 1:
                places.append(place)
            else:  # nothing depends on it
                factors.append(float(len(self.codes(index))))
        if math.prod(shape) <= _BLOCK or not places:
            whole = self.product(factors)
            return whole.sum(axis=tuple(places), keepdims=True) if places else whole
        while places:
            near = {place: [f for f in factors if _depends(f, place)] for place in places}
            cells = {place: math.prod(_shape(near[place])) for place in places}
            place = min(places, key=cells.__getitem__)
            if cells[place] > LIMIT:
                msg = (
                    f"the estimand needs a table of {cells[place]} cells and the limit is {LIMIT}; "
                    "ask about fewer variables."
                )
                raise TooWideError(msg)
            places.remove(place)
            factors = [factor for factor in factors if not _depends(factor, place)]
            factors.append(self.product(near[place]).sum(axis=place, keepdims=True))
        return self.product(factors)

    def law(self, node: Law) -> Array:
        """Return the value of a law, from a table."""
        if not node.outcome:
            return 1.0
        outcome = tuple([name for name, _ in node.outcome])
        given = tuple([name for name, _ in node.given])
        free = tuple([setting for setting in node.do if isinstance(setting[1], Index)])
        table = self.stack(outcome, given, node.do, free)
        places: list[int] = []
        chosen: list[Any] = []
        narrow: list[tuple[int, list[int]]] = []
        for name, value in free + node.outcome + node.given:
            if isinstance(value, Index):
                if value.among is not None:
                    narrow.append((len(places), self.codes(value)))
                places.append(self.place(name, value))
                chosen.append(slice(None))
            else:
                chosen.append(self.tables.code(name, value))
        cells = table[tuple(chosen)]
        for axis, codes in narrow:
            cells = np.take(cells, codes, axis=axis)
        if not places:
            return cells
        order = sorted(range(len(places)), key=places.__getitem__)
        shape = [1] * len(self.axes)
        for axis, place in enumerate(places):
            shape[place] = cells.shape[axis]
        return cells.transpose(order).reshape(shape)

    def stack(
        self,
        outcome: tuple[str, ...],
        given: tuple[str, ...],
        do: tuple[Setting, ...],
        free: tuple[Setting, ...],
    ) -> Array:
        """Return a table; each forced variable whose value is an index has an axis in front."""
        if not free:
            return self.tables.table(self.permitted, outcome, given, do)  # type: ignore[arg-type]
        sizes = [self.permitted.labels[name] for name, _ in free]
        fixed = [setting for setting in do if not isinstance(setting[1], Index)]
        parts = []
        for labels in product(*sizes):
            forced = (*fixed, *zip((name for name, _ in free), labels, strict=True))
            parts.append(self.tables.table(self.permitted, outcome, given, forced))  # type: ignore[arg-type]
        return np.reshape(parts, [*map(len, sizes), *parts[0].shape])

    def place(self, name: str, index: Index) -> int:
        """Return the axis of an index."""
        place = self.axes.get(index)
        if place is None or index.variable != name:
            msg = f"estimand: no sum runs over the value of '{name}'; add one, or fix the value."
            raise QueryError(msg)
        return place

    def codes(self, index: Index) -> list[int]:
        """Return the codes that an index runs over."""
        if index.among is None:
            return list(range(len(self.permitted.labels[index.variable])))
        return [self.tables.code(index.variable, label) for label in index.among]


class _Careful(_Evaluator):
    """The same, where something is undefined: zero times undefined is zero."""

    def value(self, node: Estimand) -> Array:
        if isinstance(node, Linear):
            node = Linear(tuple(term for term in node.terms if term[0]), node.constant)
        return super().value(node)

    def product(self, factors: Sequence[Array]) -> Array:
        result: Array = 1.0
        for factor in factors:
            zero = (np.equal(result, 0.0)) | (np.equal(factor, 0.0))
            result = np.where(zero, 0.0, result * factor)
        return result

    def ratio(self, above: Array, below: Array) -> Array:
        return np.where(np.equal(below, 0.0), np.nan, np.divide(above, below))
