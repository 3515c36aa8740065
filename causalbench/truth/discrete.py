"""Evaluate quantities in a discrete world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import ZeroProbabilityError
from causalbench.query.ast import Probability, Term
from causalbench.truth.engine import solve
from causalbench.truth.readings import enumerate_nested
from causalbench.truth.structure import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Expectation, Quantity, Subscript
    from causalbench.scm import SCM
    from causalbench.truth.readings import Goal

__all__ = ["Discrete", "no_such_case"]

_RARE = 1e-290  # below this, floats lose digits and then vanish: look again, rescaled


def no_such_case(given: tuple[Atom, ...]) -> ZeroProbabilityError:
    """Return the error for a condition of probability zero."""
    from causalbench.query.render import render_quantity

    what = render_quantity(Probability(given))
    return ZeroProbabilityError(
        f"the condition never happens in this world, {what} = 0, so nothing can be asked given "
        "it; drop or change a part of the condition."
    )


class Discrete:
    """A discrete world as the readings and `truth` see it.

    Args:
        scm: a discrete world.

    Raises:
        QueryError: the world is not discrete.
    """

    def __init__(self, scm: SCM) -> None:
        self.world = compiled(scm)
        self.structure = self.world.structure

    def quantity(self, quantity: Quantity) -> tuple[float, float]:
        """Return the value and the error (0) of one quantity.

        Raises:
            ZeroProbabilityError: its condition has probability zero.
        """
        if isinstance(quantity, Probability):
            return self.probability(quantity.event, quantity.given), 0.0
        return self.expectation(quantity), 0.0

    def number(self, quantity: Quantity) -> float:
        """Return the value of one quantity alone."""
        return self.quantity(quantity)[0]

    def probability(self, event: tuple[Atom, ...], given: tuple[Atom, ...]) -> float:
        """Return P(event | given) in [0, 1].

        Raises:
            ZeroProbabilityError: the condition has probability zero.
        """
        if not given:
            return min(1.0, float(solve(self.world, (), event)))
        terms = tuple(dict.fromkeys(atom.term for atom in event))
        if len(terms) == 1:
            cells = self._cells(terms, given)
        else:
            whole = float(solve(self.world, (), given))
            if whole > _RARE:
                return min(1.0, float(solve(self.world, (), event + given)) / whole)
            cells = self._cells(terms, given)
        chosen = []
        for term in terms:
            codes = [self.structure.allowed(atom) for atom in event if atom.term == term]
            chosen.append(sorted(frozenset.intersection(*codes)))
        if len(terms) == 1:  # plain floats are faster than small arrays
            column: list[float] = cells.tolist()
            return min(1.0, sum(column[code] for code in chosen[0]) / sum(column))
        return min(1.0, float(cells[np.ix_(*chosen)].sum() / cells.sum()))

    def _cells(self, terms: tuple[Term, ...], given: tuple[Atom, ...]) -> NDArray[np.float64]:
        """Return P(terms, given), up to one factor where that is too small for a float.

        Raises:
            ZeroProbabilityError: the condition has probability zero.
        """
        cells = solve(self.world, terms, given)
        whole = cells.sum()
        if not whole > _RARE:
            cells = solve(self.world, terms, given, scaled=True)
            whole = cells.sum()
        if not whole > 0.0:
            raise no_such_case(given)
        return cells

    def expectation(self, quantity: Expectation) -> float:
        """Return E[term | given].

        Raises:
            QueryError: the term's values have no numbers.
            ZeroProbabilityError: the condition has probability zero.
        """
        term, given = quantity.term, quantity.given
        position = self.structure.position(term.variable)
        numbers = self.structure.numbers_of(position, "E[...]")
        cells = self._cells((term,), given)
        return float(np.dot(numbers, cells) / cells.sum())

    def possible(self, given: tuple[Atom, ...]) -> bool:
        """Tell whether a condition has probability above zero."""
        return not given or bool(solve(self.world, (), given, scaled=True) > 0.0)

    def affected(self, variable: str, by: frozenset[str]) -> bool:
        """Tell whether a variable is among some variables or a descendant of one."""
        mask = 0
        for name in by:
            mask |= 1 << self.structure.position(name)
        return bool(self.structure.ancestors[self.structure.position(variable)] & mask)

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the values of a variable."""
        return self.structure.values[self.structure.position(name)]

    def nested(self, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str) -> float:
        """Return the reading of a goal in a world with nested values, by enumeration."""
        labels = {name: self.labels(name) for name, value in world if isinstance(value, Term)}
        return enumerate_nested(self, labels, goal, world, given, kind)
