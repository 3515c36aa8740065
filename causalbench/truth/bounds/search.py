"""Climb to laws that make a product of open laws large: inner ends, each attained by a world.

The value is linear in each block alone (or a ratio of linear forms), so one block at a time is
moved to its best vertex, the others held, from several fixed starts, until nothing moves. That
finds a local optimum, so an inner end is attained but need not be the last one.

A block is a component's law; or, where the diagram draws no hidden cause of all members of a
component, the law of one member's types given the values of the hidden causes that the world has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from causalbench.errors import ZeroProbabilityError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.truth.bounds.ends import Open
    from causalbench.truth.bounds.problem import Part, Reduced

    Vector = NDArray[np.float64]

__all__ = ["Free", "State", "climb"]

_ROUNDS = 12
_GAIN = 1e-12
_STARTS = 4
_DINKELBACH = 12
_CORNERS = 8
_RARE = 1e-9  # a condition rarer than this is no place to stop: its ratio is round-off


class State(Protocol):
    """The present laws of one problem block, and the moves they allow."""

    def values(self) -> Vector:
        """Return the values of the block's forms."""

    def moves(self) -> int:
        """Return how many blocks may move apart."""

    def gradient(self, move: int) -> NDArray[np.float64]:
        """Return the forms as linear forms of what moves, float64[forms, columns]."""

    def best(self, move: int, cost: Vector) -> Vector | None:
        """Return the law that makes a form of what moves smallest; None where that fails."""

    def put(self, move: int, law: Vector) -> None:
        """Take over a law."""

    def get(self, move: int) -> Vector:
        """Return the present law."""


class Free:
    """A law that its program's constraints alone hold, such as that of a component.

    Where one hidden cause of all members is drawn, that is a component's law.
    """

    def __init__(self, block: Open) -> None:
        self._block = block
        self._matrix = block.matrix()
        self._law = self._middle()

    def _middle(self) -> Vector:
        """Return a law that gives a chance to each form that can have one."""
        found: list[Vector] = []
        left = self._matrix
        for _ in range(_CORNERS):
            corner = self.best(0, -left.sum(axis=0))
            if corner is None:
                break
            found.append(corner)
            left = left[left @ corner <= _RARE]
            if not len(left):
                break
        return np.mean(found, axis=0) if found else np.zeros(self._matrix.shape[1])

    def values(self) -> Vector:
        """Return the values of the forms."""
        return np.asarray(self._matrix @ self._law)

    def moves(self) -> int:
        """Return 1."""
        return 1

    def gradient(self, move: int) -> NDArray[np.float64]:
        """Return the forms themselves."""
        del move
        return self._matrix

    def best(self, move: int, cost: Vector) -> Vector | None:
        """Return the vertex where a form is smallest."""
        del move
        if self._block.data is None:
            return None
        found = self._block.program.least(self._block.data, cost)
        return None if found is None else found.point

    def put(self, move: int, law: Vector) -> None:
        """Take over a law."""
        del move
        self._law = law

    def get(self, move: int) -> Vector:
        """Return the present law."""
        del move
        return self._law


def climb(
    states: dict[int, State], parts: Sequence[Part], sign: int
) -> tuple[float, dict[int, list[Vector]]]:
    """Return the best value found and the laws that attain it, block by block.

    Args:
        states: block -> its state; they are moved.
        parts: the group.
        sign: 1 for the largest value, -1 for the smallest.

    Raises:
        ZeroProbabilityError: no start gives every condition a chance.
    """
    best, kept = -np.inf, {}
    origin = _laws(states)
    for start in range(_STARTS):
        _restore(states, origin)
        if not _begin(states, start):
            continue
        found = _ascend(states, parts, sign)
        if found > best + _GAIN:
            best, kept = found, _laws(states)
    if not kept:
        raise ZeroProbabilityError(
            "no world was found that agrees with what is permitted and gives the condition a "
            "chance; drop or change a part of it."
        )
    _restore(states, kept)
    return sign * best, kept


def _begin(states: dict[int, State], start: int) -> bool:
    """Move to a fixed start: where it is, then vertices for forms up, down, and in turn."""
    if start == 0:
        return True
    for number, state in states.items():
        for move in range(state.moves()):
            slope = state.gradient(move)
            signs = np.ones(len(slope)) if start == 1 else -np.ones(len(slope))
            if start > 2:  # noqa: PLR2004
                signs = np.where(np.arange(len(slope)) % 2 == number % 2, 1.0, -1.0)
            law = state.best(move, signs @ slope)
            if law is not None:
                state.put(move, law)
    return True


def _ascend(states: dict[int, State], parts: Sequence[Part], sign: int) -> float:
    present = _total(parts, states, sign)
    for _ in range(_ROUNDS):
        before = present
        for number, state in states.items():
            for move in range(state.moves()):
                present = _step(states, parts, sign, (number, move), present)
        if present <= before + _GAIN:
            break
    return present


def _step(
    states: dict[int, State],
    parts: Sequence[Part],
    sign: int,
    at: tuple[int, int],
    present: float,
) -> float:
    """Move one block to where the value, linearised, is best; keep the move if it gains."""
    number, move = at
    state = states[number]
    for _ in range(_DINKELBACH):
        values = {each: other.values() for each, other in states.items()}
        slope = state.gradient(move)
        weights = np.zeros(len(slope))
        for part in parts:
            below = _value(part.below, values)
            if not below > _RARE:
                return present
            ratio = _value(part.above, values) / below
            up, down = (
                _slope(side, values, number, len(slope)) for side in (part.above, part.below)
            )
            weights += (up - ratio * down) / below
        law = state.best(move, -sign * (weights @ slope))
        if law is None:
            return present
        old = state.get(move)
        state.put(move, law)
        found = _total(parts, states, sign)
        if not found > present + _GAIN:
            state.put(move, old)
            return present
        present = found
        if all(part.whole for part in parts):
            return present
    return present


def _slope(
    reduced: Reduced, values: dict[int, Vector], number: int, size: int
) -> NDArray[np.float64]:
    """Return the derivative of a polynomial by the forms of one block."""
    found = np.zeros(size)
    for key, weight in reduced.items():
        place, product = -1, weight
        for block, form in key:
            if block == number:
                place = form
            else:
                product *= float(values[block][form])
        if place >= 0:
            found[place] += product
    return found


def _value(reduced: Reduced, values: dict[int, Vector]) -> float:
    from causalbench.truth.bounds.problem import evaluate

    return evaluate(reduced, values)


def _total(parts: Sequence[Part], states: dict[int, State], sign: int) -> float:
    """Return sign x the group's value; -inf where a condition has no chance."""
    values = {number: state.values() for number, state in states.items()}
    total = 0.0
    for part in parts:
        below = _value(part.below, values)
        if not below > _RARE:
            return -np.inf
        total += _value(part.above, values) / below
    return sign * total


def _laws(states: dict[int, State]) -> dict[int, list[Vector]]:
    return {
        number: [state.get(move) for move in range(state.moves())]
        for number, state in states.items()
    }


def _restore(states: dict[int, State], laws: dict[int, list[Vector]]) -> None:
    for number, each in laws.items():
        for move, law in enumerate(each):
            states[number].put(move, law)
