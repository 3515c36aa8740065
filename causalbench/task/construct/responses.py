"""Rung 3: keep every law under intervention, and move what a hidden cause has two variables share.

The hidden cause says of each unit how the later of the two answers to its other causes: its
response type. The earlier one goes with the type, its own chance apart. A *kind* of unit is a
response type of each; experiments fix sums of probabilities of kinds and no more, and what they
leave open is a linear program.

References:
    Balke and Pearl (1994), Counterfactual probabilities: computational methods, bounds and
    applications; Balke and Pearl (1997), Bounds on treatment effects from studies with imperfect
    compliance: response types, and the program. Dikin (1967), Iterative solution of problems of
    linear and quadratic programming: the steps, which stay inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from causalbench import rng as draws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.net import Floats

__all__ = ["Kinds", "apart", "kinds_of", "margins", "walk"]

Codes = NDArray[np.int64]
_STEPS = 4
_SHARE = 0.7  # how much of the way to the edge a step goes


@dataclass(frozen=True, eq=False)
class Kinds:
    """How units answer: for each kind, a function of its visible causes for each of two variables.

    Args:
        cards: variable -> number of values, visible causes from outside included.
        parents: the two with the hidden cause, the earlier one first -> their visible causes.
        functions: the two -> int64[kind, *cards of the causes], the value; kinds that differ in the
            later one alone are neighbours.
        types: how many response types of the later one there are.
    """

    cards: Mapping[str, int]
    parents: Mapping[str, tuple[str, ...]]
    functions: Mapping[str, Codes]
    types: int

    def __len__(self) -> int:
        """Count the kinds."""
        return len(next(iter(self.functions.values())))

    def values(self, do: Mapping[str, int | Codes]) -> dict[str, Codes]:
        """Return the value of each variable in each kind.

        Args:
            do: what is set, to one value or to one for each kind; causes from outside that are not
                given leave out the variables that need them.
        """
        every = np.arange(len(self))
        found = {name: np.broadcast_to(code, every.shape) for name, code in do.items()}
        for name, above in self.parents.items():
            if name not in found and all(cause in found for cause in above):
                found[name] = self.functions[name][(every, *(found[cause] for cause in above))]
        return found

    def tables(self, weights: Floats) -> tuple[Floats, dict[str, Floats]]:
        """Return the tables of a world in which the kinds have given probabilities.

        Args:
            weights: float64[kind].

        Returns:
            P(type), the law of the hidden cause; and for each of the two P(value | type, visible
            causes): of the later one 0 or 1, of the earlier one anything, its kind being chance
            that only the type goes with.
        """
        first, last = self.parents
        each = weights.reshape(-1, self.types)
        share = _sum(each)
        ways = _one_hot(self.functions[first][:: self.types], self.cards[first])
        parts = each.reshape(*each.shape, *[1] * (ways.ndim - 1)) * ways[:, None]
        own = _sum(parts) / share.reshape(-1, *[1] * (ways.ndim - 1))
        return share, {
            first: own,
            last: _one_hot(self.functions[last][: self.types], self.cards[last]),
        }


def kinds_of(
    rng: np.random.Generator,
    cards: Mapping[str, int],
    parents: Mapping[str, tuple[str, ...]],
    types: int,
) -> Kinds:
    """Draw response types of the later of two variables, with each of the earlier one's.

    Args:
        rng: draws them.
        cards: variable -> number of values.
        parents: the two with the hidden cause, the earlier one first -> their visible causes.
        types: how many of the later one's, at most as many as there are.
    """
    first, last = parents
    rows = {name: [cards[cause] for cause in above] for name, above in parents.items()}
    ways = {name: cards[name] ** math.prod(rows[name]) for name in parents}
    chosen = draws.permutation(rng, ways[last])[:types]
    numbers = {first: np.repeat(np.arange(ways[first]), types), last: np.tile(chosen, ways[first])}
    functions = {}
    for name in parents:
        # The digits of a function's number are its values.
        power = cards[name] ** np.arange(math.prod(rows[name]), dtype=np.int64)
        digits = numbers[name][:, None] // power % cards[name]
        functions[name] = digits.reshape(-1, *rows[name])
    return Kinds(cards, parents, functions, types)


def margins(kinds: Kinds) -> Floats:
    """Return what experiments fix, as sums over kinds: float64[sum, kind], 0 or 1.

    These are P(w | do(the other visible causes of W)) for every set W of the variables: the
    factors of which every law under every intervention is a product (Tian and Pearl 2002).
    """
    rows: dict[bytes, Floats] = {}
    names = list(kinds.parents)
    for group in chain.from_iterable(combinations(names, n + 1) for n in range(len(names))):
        above = sorted({cause for name in group for cause in kinds.parents[name]} - {*group})
        for codes in product(*(range(kinds.cards[cause]) for cause in above)):
            values = kinds.values(dict(zip(above, codes, strict=True)))
            for row in product(*(range(kinds.cards[name]) for name in group)):
                fits = [values[name] == code for name, code in zip(group, row, strict=True)]
                sums = np.logical_and.reduce(fits).astype(np.float64)
                rows[sums.tobytes()] = sums
    return np.stack(list(rows.values()))


def apart(base: Floats, fixed: Floats, wanted: Floats, least: float) -> tuple[Floats, Floats]:
    """Return two mixtures of kinds with a base's sums, of which one has more of what is wanted.

    Args:
        base: float64[kind], probabilities above ``least``.
        fixed: float64[sum, kind]: what both keep.
        wanted: float64[kind]: what one has more of than the base, the other less.
        least: all probabilities stay above this.
    """
    return walk(base, fixed, wanted, least), walk(base, fixed, -wanted, least)


def walk(base: Floats, fixed: Floats, wanted: Floats, least: float) -> Floats:
    """Take some steps of affine scaling towards the most of what is wanted, from within.

    Args:
        base: float64[kind], probabilities above ``least``.
        fixed: float64[sum, kind]: what is kept.
        wanted: float64[kind], what is to grow.
        least: all probabilities stay above this.
    """
    weights = base
    for _ in range(_STEPS):
        room = weights - least
        # In units of the room left, the steepest way that keeps the sums.
        way = room * _within(fixed * room, wanted * room)
        falls = way < 0.0
        if not falls.any():
            break
        weights = weights + _SHARE * float((room[falls] / -way[falls]).min()) * way
    return weights


def _within(rows: Floats, vector: Floats) -> Floats:
    """Return the part of a vector at right angles to all rows."""
    # Rows are made orthogonal one by one, and twice over, for what rounding leaves; products are
    # added in one order, so that the same seed gives the same bytes.
    basis: list[Floats] = []
    tiny = rows.size * np.finfo(np.float64).eps
    for row in rows:
        left = _without(_without(row, basis), basis)
        length = math.sqrt(_dot(left, left))
        if length > tiny * math.sqrt(_dot(row, row)):
            basis.append(left / length)
    left = _without(vector, basis)
    length = math.sqrt(_dot(left, left))
    if length <= tiny * math.sqrt(_dot(vector, vector)):
        return np.zeros_like(vector)
    # Once more at length 1, so that a short part is as clean as a long one.
    return _without(left / length, basis)


def _without(vector: Floats, basis: Sequence[Floats]) -> Floats:
    for each in basis:
        vector = vector - _dot(vector, each) * each
    return vector


def _one_hot(codes: Codes, card: int) -> Floats:
    result: Floats = (codes[..., None] == np.arange(card)).astype(np.float64)
    return result


def _sum(rows: Floats) -> Floats:
    """Add along the first axis in order: the same bytes on every machine."""
    total = np.zeros(rows.shape[1:])
    for row in rows:
        total = total + row
    return total


def _dot(first: Floats, second: Floats) -> float:
    return math.fsum((first * second).tolist())
