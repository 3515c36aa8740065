"""Tell by numbers alone whether laws settle a query, and find two models where they do not.

At a generic point of a `Family` a query is settled by the permitted laws iff its gradient lies in
the row space of their Jacobian, along what keeps the sums at 1. If it does not, `Search.witness`
moves along the null direction and corrects by Newton steps, to a second model with equal laws and
another value; that is a proof, whatever the tolerance of the rank was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd
from witness_family import Family

__all__ = ["Family", "Query", "Search", "effect_query", "settles"]

EPS = np.finfo(float).eps
Query = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Search:
    """Does what is permitted settle a query in a family?

    Args:
        family: the models.
        experiments: the sets of variables that may be forced; () alone for what is seen.
        query: parameters -> (value, gradient).
    """

    family: Family
    experiments: Sequence[Sequence[str]]
    query: Query

    def laws(self, theta):
        """Return all permitted laws, and their Jacobian along what keeps the sums at 1."""
        values, jacobians = zip(
            *(self.family.law(theta, forced) for forced in self.experiments), strict=True
        )
        return np.concatenate(values), self.family.tangent(np.concatenate(jacobians))

    def leeway(self, theta):
        """Return the part of the query's gradient that the laws leave free.

        Returns:
            The null component of the gradient; its length relative to the gradient's; and the
            length that rounding may give to zero: eps times the number of rows or columns times
            the condition number of what counts as row space.
        """
        _, jacobian = self.laws(theta)
        slope = self.family.tangent(self.query(theta)[1])
        # The slower driver converges on these, which have many equal rows.
        _, sizes, rows = svd(jacobian, full_matrices=False, lapack_driver="gesvd")
        unit = max(jacobian.shape) * EPS
        rank = int((sizes > sizes[0] * unit).sum())
        rows = rows[:rank]
        null = slope - rows.T @ (rows @ slope)
        null -= rows.T @ (rows @ null)
        length = np.linalg.norm(slope)
        free = float(np.linalg.norm(null) / length) if length > EPS else 0.0
        return null, free, float(unit * sizes[0] / sizes[rank - 1])

    def settled(self, rng, *, tries=10):
        """Tell whether the laws settle the query at generic parameters.

        A draw whose Jacobian is so ill-conditioned that rounding might have made the leeway is
        put aside, and another is taken.
        """
        for _ in range(tries):
            _, free, rounding = self.leeway(self.family.draw(rng))
            if free > 10 * rounding:
                return False
            if free < 1e-9:
                return True
        msg = "no draw was well-conditioned"
        raise ArithmeticError(msg)

    def witness(self, theta, *, gap=1e-3, exact=1e-12, steps=200):
        """Return parameters with the same laws and a query off by more than a gap, else None."""
        target, _ = self.laws(theta)
        start, _ = self.query(theta)
        here, stride = theta, 0.05
        for _ in range(steps):
            null, free, _ = self.leeway(here)
            if not free:
                return None
            moved = here + stride * null / np.linalg.norm(null)
            moved = self._corrected(moved, target, exact)
            if moved is None or moved.min() <= 0.0:
                stride /= 2
                if stride < EPS**0.5:
                    return None
                continue
            here = moved
            if abs(self.query(here)[0] - start) > gap:
                return here
        return None

    def _corrected(self, theta, target, exact):
        """Go back to the models with the target's laws, by Newton steps of least length."""
        for _ in range(12):
            values, jacobian = self.laws(theta)
            error = target - values
            if np.abs(error).max() <= exact:
                return theta
            if np.abs(error).max() > 1.0:
                return None
            theta = theta + np.linalg.lstsq(jacobian, error, rcond=1e-11)[0]
        return None


def settles(diagram, experiments, quantity, rng, *, states=(2, 4, 6), responses=False):
    """Tell whether laws settle a query: in no family tried is any leeway.

    Few states are tried first: leeway in a small family is leeway in all. But where hidden
    variables have few states, what is seen under several experiments may give them away, so a small
    family alone proves nothing else.
    """
    for number in states:
        family = Family(diagram, states=number, responses=responses)
        if number > states[0] and number ** len(family.latents) * 2 ** len(diagram.nodes) > 2**19:
            break
        if not Search(family, experiments, effect_query(family, quantity)).settled(rng):
            return False
    return True


def effect_query(family, quantity):
    """Return the query functional of P(... | do(...), ...) with labels that are codes."""

    def events(atoms):
        return [
            (a.term.variable, {n: int(v) for n, v in a.term.subscript}, int(a.value)) for a in atoms
        ]

    event, given = events(quantity.event), events(quantity.given)
    return lambda theta: family.conditional(theta, event, given)
