"""Hold mechanisms: how one variable is made from its parents and its own noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MAX_CELLS",
    "SUM_TOLERANCE",
    "LinearMechanism",
    "Mechanism",
    "as_distribution",
    "distinct",
]

MAX_CELLS = 10**7
SUM_TOLERANCE = 1e-9


def as_distribution(values: ArrayLike, place: str) -> NDArray[np.float64]:
    """Return probabilities along the last axis, read-only, once they are checked.

    Sums off by more than 1e-9 are refused; smaller errors than that, beyond rounding, are
    divided out, so that exact engines see a law.

    Args:
        values: float[..., k].
        place: where they stand, for the message.

    Raises:
        WorldError: an entry that is not a probability, or a sum that is not 1.
    """
    try:
        if np.iscomplexobj(values):
            raise TypeError  # noqa: TRY301  (else the imaginary parts would be dropped)
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        shown = " ".join(str(values).split())[:60]
        raise WorldError(f"{place}: {shown} are no probabilities") from None
    bad = ~(np.isfinite(array) & (array >= 0) & (array <= 1 + SUM_TOLERANCE))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise WorldError(
            f"{place}{_index(at)}: {array[at]} is no probability; it must be in [0, 1]"
        )
    if array.shape[-1] == 0:
        raise WorldError(f"{place}: no probabilities are given; give at least one")
    sums = array.sum(axis=-1)
    off = np.abs(sums - 1)
    if (off > SUM_TOLERANCE).any():
        at = tuple(int(i) for i in np.argwhere(off > SUM_TOLERANCE)[0])
        raise WorldError(
            f"{place}{_index(at)}: the probabilities sum to {float(sums[at])!r}, not 1;"
            " correct them (1e-9 is allowed)"
        )
    rough = off > array.shape[-1] * 2.0**-52
    if rough.any():
        array = np.where(rough[..., None], array / sums[..., None], array)
    array += 0.0  # turns -0.0 into 0.0, which JSON would keep apart
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Mechanism:
    """A distribution over functions of the parents: ``value = table[noise][parents...]``.

    Args:
        parents: names, in the order of the table's axes.
        noise: float64[S], the probability of each noise value.
        table: int[S, *cards], the code of the value.

    Raises:
        WorldError: the arrays do not fit, noise is no distribution, or over 1e7 cells.
    """

    parents: tuple[str, ...]
    noise: NDArray[np.float64]
    table: NDArray[np.int64]

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "parents", distinct(self.parents))
        if np.ndim(self.noise) != 1:
            raise WorldError(f"noise has {np.ndim(self.noise)} axes; give one list of numbers")
        put(self, "noise", as_distribution(self.noise, "noise"))
        table = np.array(self.table)
        if table.size > MAX_CELLS:
            raise WorldError(f"table has {table.size} cells, over 1e7; use fewer parents or noise")
        if table.dtype.kind not in "iu":
            raise WorldError("table holds entries that are not whole numbers; give codes 0, 1, ...")
        if table.ndim != 1 + len(self.parents):
            raise WorldError(
                f"table has {table.ndim} axes for noise and {len(self.parents)} parents;"
                f" give it {1 + len(self.parents)}"
            )
        if table.shape[0] != len(self.noise):
            raise WorldError(
                f"table has {table.shape[0]} rows for {len(self.noise)} noise values;"
                " give one row for each"
            )
        if table.size and table.min() < 0:
            at = tuple(int(i) for i in np.argwhere(table < 0)[0])
            raise WorldError(f"table{_index(at)}: {table[at]} is no code; codes start at 0")
        table = np.ascontiguousarray(table, dtype=np.int64)
        table.setflags(write=False)
        put(self, "table", table)

    @property
    def shape(self) -> tuple[int, ...]:
        """The cardinalities of the parents, in their order."""
        return self.table.shape[1:]

    def cpt(self, card: int) -> NDArray[np.float64]:
        """Return P(value | parents), the noise summed out.

        Args:
            card: how many values the variable has.

        Returns:
            float64[*cards, card].
        """
        if card not in self._cpts:
            self._cpts[card] = self._summed(card)
        return self._cpts[card].copy()

    @cached_property
    def _cpts(self) -> dict[int, NDArray[np.float64]]:
        return {}

    def _summed(self, card: int) -> NDArray[np.float64]:
        rows = np.ascontiguousarray(self.table.reshape(len(self.noise), -1).T)
        # Summing along the contiguous axis is pairwise, which keeps the error near one rounding.
        columns = [np.where(rows == code, self.noise, 0.0).sum(axis=-1) for code in range(card)]
        return np.stack(columns, axis=-1).reshape(*self.shape, card)

    def forced(self, code: int) -> Mechanism:
        """Return the mechanism under an intervention: the same noise, and a constant table."""
        return Mechanism((), self.noise, np.full(len(self.noise), code))

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """Cumulative noise probabilities: u in [0, 1) draws the number of thresholds <= u.

        From the last possible noise value on they are infinite, so rounding in the sum can never
        draw a value of probability zero.
        """
        sums = np.cumsum(self.noise)
        sums[np.flatnonzero(self.noise)[-1] :] = np.inf
        return sums[:-1]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mechanism):
            return NotImplemented
        return (
            self.parents == other.parents
            and np.array_equal(self.noise, other.noise)
            and np.array_equal(self.table, other.table)
        )

    def __hash__(self) -> int:
        return hash((self.parents, self.noise.tobytes(), self.table.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:  # unpickled arrays would be writable
        return (Mechanism, (self.parents, self.noise, self.table))


@dataclass(frozen=True, eq=False)
class LinearMechanism:
    """``value = intercept + weights . parents + std * z`` with z standard normal.

    Args:
        parents: names.
        weights: float64[k], one for each parent.
        intercept: finite.
        std: finite, at least 0.

    Raises:
        WorldError: a number that is not finite, a negative std, or weights that do not fit.
    """

    parents: tuple[str, ...]
    weights: NDArray[np.float64]
    intercept: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "parents", distinct(self.parents))
        weights = np.array(self.weights, dtype=np.float64) + 0.0
        if weights.shape != (len(self.parents),):
            raise WorldError(f"{weights.size} weights for {len(self.parents)} parents; match them")
        for name, weight in zip(self.parents, weights, strict=True):
            if not math.isfinite(weight):
                raise WorldError(f"linear['{name}']: {weight} is not finite")
        for field in ("intercept", "std"):
            value = float(getattr(self, field)) + 0.0
            if not math.isfinite(value):
                raise WorldError(f"{field}: {value} is not finite")
            put(self, field, value)
        if self.std < 0:
            raise WorldError(f"std: {self.std} is negative; give 0 or more")
        weights.setflags(write=False)
        put(self, "weights", weights)

    def forced(self, value: float) -> LinearMechanism:
        """Return the mechanism under an intervention: the constant."""
        return LinearMechanism((), np.zeros(0), value, 0.0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LinearMechanism):
            return NotImplemented
        mine = (self.parents, self.intercept, self.std)
        return mine == (other.parents, other.intercept, other.std) and np.array_equal(
            self.weights, other.weights
        )

    def __hash__(self) -> int:
        return hash((self.parents, self.weights.tobytes(), self.intercept, self.std))

    def __reduce__(self) -> tuple[Any, ...]:
        return (LinearMechanism, (self.parents, self.weights, self.intercept, self.std))


def _index(at: tuple[int, ...]) -> str:
    return "".join(f"[{i}]" for i in at)


def distinct(parents: Sequence[str]) -> tuple[str, ...]:
    """Return the parents as a tuple, refusing one that is named twice."""
    twice = [name for i, name in enumerate(parents) if name in parents[:i]]
    if twice:
        raise WorldError(f"parents: '{twice[0]}' is a duplicate; name each parent once")
    return tuple(parents)
