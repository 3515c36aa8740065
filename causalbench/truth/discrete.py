"""Evaluate quantities in a discrete world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import ZeroProbabilityError
from causalbench.query.ast import Probability, Term
from causalbench.truth.engine import solve
from causalbench.truth.readings import enumerate_nested
from causalbench.truth.structure import compiled

if TYPE_CHECKING:
    from causalbench.query.ast import Atom, Expectation, Quantity, Subscript
    from causalbench.scm import SCM
    from causalbench.truth.readings import Goal

__all__ = ["Discrete", "no_such_case"]


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
        term = event[0].term
        if any(atom.term != term for atom in event[1:]):
            whole = float(solve(self.world, (), given))
            part = float(solve(self.world, (), event + given)) if whole > 0.0 else 0.0
        else:
            cells = solve(self.world, (term,), given).tolist()
            codes = self.structure.allowed(event[0])
            for atom in event[1:]:
                codes &= self.structure.allowed(atom)
            whole, part = sum(cells), sum(cells[code] for code in codes)
        if not whole > 0.0:
            raise no_such_case(given)
        return min(1.0, part / whole)

    def expectation(self, quantity: Expectation) -> float:
        """Return E[term | given].

        Raises:
            QueryError: the term's values have no numbers.
            ZeroProbabilityError: the condition has probability zero.
        """
        term, given = quantity.term, quantity.given
        position = self.structure.position(term.variable)
        numbers = self.structure.numbers_of(position, "E[...]")
        cells = solve(self.world, (term,), given).tolist()
        whole = sum(cells)
        if not whole > 0.0:
            raise no_such_case(given)
        return float(sum(n * cell for n, cell in zip(numbers, cells, strict=True)) / whole)

    def possible(self, given: tuple[Atom, ...]) -> bool:
        """Tell whether a condition has probability above zero."""
        return not given or float(solve(self.world, (), given)) > 0.0

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
