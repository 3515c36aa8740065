"""Turn the atoms of a query into plain counterfactual events.

The counterfactual unnesting theorem: P(Y[x, m=M[w]] = y, ...) is the sum over m of
P(Y[x, m=m] = y, M[w] = m, ...). An atom that several values satisfy becomes an event at an index
that runs over those values, so that P(conjunction) is a sum over indices of one conjunction.

Reference: Correa, Lee, Bareinboim, Nested counterfactual identification from arbitrary surrogate
experiments (2021).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causalbench.query.ast import Atom, Term
from causalbench.truth.identify.asked import allowed
from causalbench.truth.identify.estimand import Index, Setting, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from causalbench.truth.permitted import Ground

__all__ = ["Event", "Unnester"]


@dataclass(frozen=True, slots=True)
class Event:
    """A variable, in the world where a setting is forced, has a value.

    Args:
        variable: its name.
        setting: (name, value) pairs, sorted by name; no nesting.
        value: a label, or an index: then some outer sum runs over it.
    """

    variable: str
    setting: tuple[Setting, ...]
    value: Value


@dataclass
class Unnester:
    """Make events, with indices that are fresh, and the same for the same nested term.

    Args:
        ground: has the variables' labels and numbers.
    """

    ground: Ground
    _nested: dict[Term, Index] = field(default_factory=dict)
    _marks: dict[str, int] = field(default_factory=dict)

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of every variable."""
        return self.ground.labels

    def fresh(self, variable: str, among: tuple[str, ...] | None = None) -> Index:
        """Return an index that was not used before."""
        mark = self._marks.get(variable, 0)
        self._marks[variable] = mark + 1
        return Index(variable, mark, among)

    def value(self, variable: str, labels: tuple[str, ...]) -> Value:
        """Return the one label, or a fresh index that runs over several."""
        if len(labels) == 1:
            return labels[0]
        return self.fresh(variable, None if labels == self.labels[variable] else labels)

    def events(self, atoms: Iterable[Atom]) -> tuple[Event, ...] | None:
        """Return the events whose conjunction, summed over its indices, is that of the atoms.

        Returns:
            None where an atom holds for no value at all.

        Raises:
            AccessError: a hidden variable.
            QueryError: a label that does not exist, or a comparison of values without numbers.
        """
        found: list[Event] = []
        for atom in atoms:
            labels = allowed(self.ground, atom)
            if not labels:
                return None
            self._add(atom.term, self.value(atom.term.variable, labels), found)
        return tuple(dict.fromkeys(found))

    def _add(self, term: Term, value: Value, found: list[Event]) -> None:
        """Append the event that a term has a value, behind those of the terms nested in it."""
        setting: list[Setting] = []
        for name, inner in term.subscript:
            if not isinstance(inner, Term):
                (label,) = allowed(self.ground, Atom(Term(name), "=", inner))
                setting.append((name, label))
                continue
            index = self._nested.get(inner)
            if index is None:
                index = self._nested[inner] = self.fresh(name)
            self._add(inner, index, found)
            setting.append((name, index))
        found.append(Event(term.variable, tuple(setting), value))
