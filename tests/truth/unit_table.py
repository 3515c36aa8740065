"""All units of a world at once: a second opinion on queries and laws, by adding up noise."""

from __future__ import annotations

import math

import numpy as np

from causalbench.query import Term, parse

__all__ = ["MOST", "AllUnits", "unit_count"]

MOST = 2**17


def unit_count(scm):
    """Return how many combinations of noise values a world has."""
    return math.prod(len(scm.mechanism(name).noise) for name in scm.names)


class AllUnits:
    """Every combination of noise values, blind to the engine and to every construction."""

    def __init__(self, scm):
        self.scm = scm
        sizes = [len(scm.mechanism(name).noise) for name in scm.names]
        grid = np.indices(sizes).reshape(len(sizes), -1)
        self.noise = dict(zip(scm.names, grid, strict=True))
        self.weights = np.ones(grid.shape[1])
        for name, codes in self.noise.items():
            self.weights = self.weights * scm.mechanism(name).noise[codes]

    def solve(self, do):
        """Return every variable's code in every unit; a setting is one code, or one for each."""
        found = {}
        for name in self.scm.order:
            if name in do:
                found[name] = np.broadcast_to(do[name], self.weights.shape)
            else:
                mechanism = self.scm.mechanism(name)
                above = (found[parent] for parent in mechanism.parents)
                found[name] = mechanism.table[(self.noise[name], *above)]
        return found

    def joint(self, names, do):
        """Return P(names | do)."""
        solved = self.solve(do)
        shape = tuple(self.scm.variable(name).cardinality for name in names)
        place = np.ravel_multi_index(tuple(solved[name] for name in names), shape)
        return np.bincount(place, weights=self.weights, minlength=math.prod(shape)).reshape(shape)

    def value(self, text):
        """Return a query's value."""
        query = parse(text, self.scm.vocabulary)
        total = query.constant
        for weight, quantity in query.terms:
            given, event = self._all(quantity.given), self._all(quantity.event)
            total += weight * self.weights[given & event].sum() / self.weights[given].sum()
        return float(total)

    def evidence(self, text):
        """Return the least probability among the query's conditions."""
        query = parse(text, self.scm.vocabulary)
        return min(self.weights[self._all(part.given)].sum() for _, part in query.terms)

    def _all(self, atoms):
        holds = np.ones(self.weights.shape, dtype=bool)
        for atom in atoms:
            same = self._codes(atom.term) == self.scm.variable(atom.term.variable).code(atom.value)
            holds &= same if atom.op == "=" else ~same
        return holds

    def _codes(self, term):
        do = {
            name: self._codes(setting)
            if isinstance(setting, Term)
            else self.scm.variable(name).code(setting)
            for name, setting in term.subscript
        }
        return self.solve(do)[term.variable]
