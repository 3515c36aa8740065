"""Find the ends of a query: exactly where it is linear or a ratio of linear forms.

A ratio of linear forms is made large by Dinkelbach's iteration (1967): the sign of
max(above - t below) says on which side of t its maximum lies, and each step is a linear program
from the last one's basis; it ends at a vertex after finitely many steps, like the program of
Charnes and Cooper (1962), to which it is equivalent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from causalbench.errors import CertificateError, ZeroProbabilityError
from causalbench.truth.bounds.problem import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized

    from numpy.typing import NDArray

    from causalbench.truth.bounds.problem import Part, Reduced
    from causalbench.truth.bounds.program import Program

    Vector = NDArray[np.float64]

__all__ = ["End", "Open", "exact_end", "point_values"]

_STEPS = 60
_SETTLED = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """One end of a group of parts.

    Args:
        outer: what no law can pass.
        inner: what ``points`` attain.
        points: block -> a law of its types.
    """

    outer: float
    inner: float
    points: dict[int, Vector]


class Open(Protocol):
    """What is known of a law: constraints with their data, and the forms asked of it."""

    @property
    def program(self) -> Program:
        """The constraints."""

    @property
    def data(self) -> Vector | None:
        """The numbers of the program's independent rows."""

    @property
    def events(self) -> Sized:
        """One entry a form."""

    def matrix(self) -> NDArray[np.float64]:
        """Return the forms, float64[forms, columns]."""


def point_values(blocks: Sequence[Open], points: dict[int, Vector]) -> dict[int, Vector]:
    """Return the values of each block's forms at its law."""
    return {number: blocks[number].matrix() @ point for number, point in points.items()}


def exact_end(blocks: Sequence[Open], parts: list[Part], sign: int) -> End:
    """Return the largest (sign 1) or smallest (sign -1) value of one linear part or ratio.

    Args:
        blocks: the open components.
        parts: one part, `Part.linear`.
        sign: which end.
    """
    (part,) = parts
    if part.whole:
        value, bound, points = _largest(blocks, part.above, part.blocks(), sign)
        return End(sign * bound, sign * value, points)
    needed = part.blocks()
    below, _, points = _largest(blocks, part.below, needed, 1)
    if not below > _SETTLED:
        raise ZeroProbabilityError(
            "the condition never happens in any world that agrees with what is permitted; drop or "
            "change a part of it."
        )
    ratio = _ratio(blocks, part, points)
    for _ in range(_STEPS):
        reduced = _minus(part.above, part.below, ratio)
        gain, bound, better = _largest(blocks, reduced, needed, sign)
        if gain <= _SETTLED:
            break
        following = _ratio(blocks, part, better)
        if sign * (following - ratio) <= _SETTLED:
            break
        ratio, points = following, better
    else:
        raise CertificateError("a ratio of linear forms did not settle; please report it.")
    at = evaluate(part.below, point_values(blocks, points))
    # At the end, above - t below <= bound for every law; a law's own below only sharpens this.
    return End(ratio + sign * max(0.0, bound) / max(at, 1e-6), ratio, points)


def _ratio(blocks: Sequence[Open], part: Part, points: dict[int, Vector]) -> float:
    values = point_values(blocks, points)
    return evaluate(part.above, values) / evaluate(part.below, values)


def _minus(above: Reduced, below: Reduced, ratio: float) -> Reduced:
    found = dict(above)
    for key, weight in below.items():
        found[key] = found.get(key, 0.0) - ratio * weight
    return found


def _largest(
    blocks: Sequence[Open], reduced: Reduced, needed: set[int], sign: int
) -> tuple[float, float, dict[int, Vector]]:
    """Return the largest value of sign x a linear form, its dual bound, and where it is."""
    value = bound = sign * reduced.get((), 0.0)
    points: dict[int, Vector] = {}
    for number in sorted(needed):
        block = blocks[number]
        weights = np.zeros(len(block.events))
        for key, weight in reduced.items():
            if key and key[0][0] == number:
                weights[key[0][1]] += weight
        assert block.data is not None  # noqa: S101  (inconsistent problems stop before)
        found = block.program.least(block.data, -sign * (weights @ block.matrix()))
        if found is None:
            raise CertificateError(
                "no law of response types meets the permitted laws, so the diagram or an "
                "assumption does not fit them; check them."
            )
        value -= found.value
        bound -= found.bound
        points[number] = found.point
    return value, bound, points
