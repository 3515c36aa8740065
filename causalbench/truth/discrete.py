"""Evaluate quantities in a discrete world, by the compiled engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query.ast import Term
from causalbench.truth.compiled.doors import answer, no_such_case, packed, refusal
from causalbench.truth.compiled.layout import OK
from causalbench.truth.readings import enumerate_nested

if TYPE_CHECKING:
    from causalbench.query.ast import Atom, Quantity, Subscript
    from causalbench.scm import SCM
    from causalbench.truth.readings import Goal

__all__ = ["Discrete", "no_such_case"]


class Discrete:
    """A discrete world as the readings and `truth` see it.

    Args:
        scm: a discrete world.

    Raises:
        QueryError: the world is not discrete.
    """

    def __init__(self, scm: SCM) -> None:
        self._scm = scm
        self._packed = packed(scm)
        self._known: dict[int, tuple[Quantity, float]] = {}  # by id; the quantity is kept with it

    def quantity(self, quantity: Quantity) -> tuple[float, float]:
        """Return the value and the error (0) of one quantity.

        Raises:
            UnknownNameError: a variable or value that the world does not have.
            QueryError: a comparison that the values do not allow, or E[...] without numbers.
            ZeroProbabilityError: its condition has probability zero.
            CouplingError: the answer hangs on a coupling that the world does not give.
            TooWideError: the answer would need too large a table.
        """
        return self.number(quantity), 0.0

    def number(self, quantity: Quantity) -> float:
        """Return the value of one quantity alone; errors as `quantity`."""
        known = self._known.get(id(quantity))
        if known is not None:
            return known[1]
        value, state, detail = answer(
            self._packed, self._packed.names.quantity(quantity, self._scm)
        )
        if state != OK:
            raise refusal(self._scm, state, detail, quantity.given)
        self._known[id(quantity)] = (quantity, value)
        return value

    def possible(self, given: tuple[Atom, ...]) -> bool:
        """Tell whether a condition has probability above zero; other errors as `quantity`."""
        value, state, detail = answer(self._packed, self._packed.names.possible(given, self._scm))
        if state != OK:
            raise refusal(self._scm, state, detail, given)
        return value > 0.0

    def affected(self, variable: str, by: frozenset[str]) -> bool:
        """Tell whether a variable is among some variables or a descendant of one."""
        for name in (variable, *by):
            self._packed.names.position(name, self._scm)
        seen, stack = {variable}, [variable]
        while stack:
            name = stack.pop()
            if name in by:
                return True
            fresh = [p for p in self._scm.mechanisms[name].parents if p not in seen]
            seen.update(fresh)
            stack += fresh
        return False

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the values of a variable."""
        self._packed.names.position(name, self._scm)
        return self._scm.variables[name].labels

    def nested(self, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str) -> float:
        """Return the reading of a goal in a world with nested values, by enumeration."""
        labels = {name: self.labels(name) for name, value in world if isinstance(value, Term)}
        return enumerate_nested(self, labels, goal, world, given, kind)
