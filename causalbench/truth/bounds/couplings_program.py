"""Bound a query exactly where one mechanism alone lacks a coupling that matters.

A unit's answers at the rows that the query reads are a function from rows to values. The table
fixes each row's law, nothing else binds the law of the functions, and the probability of any event
is linear in it. Its coefficients, P(event | function), come from one elimination, in a world where
a hidden root chooses the function. A ratio of two such forms takes a few linear programs.

Reference: Balke and Pearl (1994), Counterfactual probabilities: computational methods, bounds and
applications; Dinkelbach (1967), On nonlinear fractional programming.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import TooWideError
from causalbench.query.ast import Expectation, Query, Term
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.mechanism import MAX_CELLS
from causalbench.truth.bounds.program import Program
from causalbench.truth.engine import table
from causalbench.truth.exact import value
from causalbench.truth.structure import compiled
from causalbench.truth.worlds import Worlds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Quantity
    from causalbench.truth.bounds.program import Optimum

    Vector = NDArray[np.float64]

__all__ = ["End", "demands", "merged", "program_ends"]

_FUNCTIONS = 4096  # as many as a named coupling may have noise values
_ROUNDS = 50  # Dinkelbach's method needs a handful
_STILL = 1e-13  # a ratio that moves by less stands still
_RARE = 1e-9  # a condition that may be rarer than this leaves the ratio open

Demand = tuple[tuple[Term, ...], tuple["Atom", ...]]  # a joint law: its terms, and what holds


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """One end of a query's range.

    Args:
        value: the query's value in ``scm``.
        bound: what no coupling can beat.
        scm: the world with a coupling that attains the end.
    """

    value: float
    bound: float
    scm: SCM


def demands(quantity: Quantity) -> tuple[Demand, Demand]:
    """Return the joint laws that a quantity needs: of what is asked, and of its condition."""
    if isinstance(quantity, Expectation):
        return ((quantity.term,), quantity.given), ((), quantity.given)
    return ((), quantity.event + quantity.given), ((), quantity.given)


def merged(scm: SCM, demand: Demand) -> tuple[Worlds, list[int]]:
    """Return the parallel worlds of a joint law, merged, and the nodes that it needs."""
    structure = compiled(scm).structure
    worlds = Worlds(structure)
    references = [worlds.reference(term) for term in demand[0]]
    observed = [(worlds.reference(atom.term), structure.allowed(atom)) for atom in demand[1]]
    worlds.observe(observed)
    if worlds.impossible:
        return worlds, []
    return worlds, worlds.needed([worlds.settle(reference) for reference in references])


def program_ends(scm: SCM, query: Query, name: str) -> tuple[End, End] | None:
    """Return both ends of a query's range over the couplings of one variable.

    Args:
        scm: a discrete world.
        query: reads no other variable without a coupling at several rows.
        name: the variable.

    Returns:
        The smaller end first; None where the program would be too large, or where several
        conditions depend on the coupling.
    """
    try:
        program = _Functions(scm, query, name)
        return program.ends()
    except TooWideError:
        return None


class _Functions:
    """The functions from the rows that are read to values, and the query as a form in their law."""

    def __init__(self, scm: SCM, query: Query, name: str) -> None:
        self.scm, self.query, self.name = scm, query, name
        self.open = [
            (weight, quantity)
            for weight, quantity in query.terms
            if any(self._copies(demand) > 1 for demand in demands(quantity))
        ]
        self.closed = tuple(term for term in query.terms if term not in self.open)
        rows: dict[tuple[int, ...], None] = {}
        for _, quantity in self.open:
            whole, condition = demands(quantity)
            rows.update(dict.fromkeys(self._rows(whole)))
            if self._copies(condition) > 1:
                rows.update(dict.fromkeys(self._rows(condition)))
        self.rows = list(rows)
        cpt = scm.cpt(name)
        support = [np.flatnonzero(cpt[row]).tolist() for row in self.rows]
        count = math.prod(len(values) for values in support)
        if count > _FUNCTIONS or cpt.size // cpt.shape[-1] * count > MAX_CELLS:
            raise TooWideError(f"{count} functions of '{name}' are too many for a linear program")
        self.functions = np.array(list(itertools.product(*support)), dtype=np.int64)
        pairs = [(j, code) for j, values in enumerate(support) for code in values]
        self.margins = np.array([self.functions[:, j] == code for j, code in pairs], dtype=float)
        self.data = np.array([cpt[(*self.rows[j], code)] for j, code in pairs])
        self.chosen, self.selector = self._chosen(cpt.shape[:-1])

    def _copies(self, demand: Demand) -> int:
        worlds, nodes = merged(self.scm, demand)
        position = worlds.structure.position(self.name)
        return sum(worlds.variables[node] == position for node in nodes)

    def _rows(self, demand: Demand) -> list[tuple[int, ...]]:
        """Return the rows of the table that a joint law reads."""
        worlds, nodes = merged(self.scm, demand)
        structure = worlds.structure
        position = structure.position(self.name)
        found: list[tuple[int, ...]] = []
        for node in nodes:
            if worlds.variables[node] == position:
                parents = zip(worlds.references[node], structure.parents[position], strict=True)
                sides = [[~ref] if ref < 0 else range(structure.cards[p]) for ref, p in parents]
                if math.prod(map(len, sides)) > _FUNCTIONS:
                    raise TooWideError(f"the query reads too many rows of '{self.name}'")
                found += itertools.product(*sides)
        return found

    def _chosen(self, cards: tuple[int, ...]) -> tuple[SCM, str]:
        """Return the world in which a root chooses the variable's function, and the root."""
        scm, count = self.scm, len(self.functions)
        selector = "function"
        while selector in scm.names:
            selector += "_"
        codes = np.zeros((1, *cards, count), dtype=np.int64)
        for j, row in enumerate(self.rows):
            codes[(0, *row)] = self.functions[:, j]
        labels = tuple(str(number) for number in range(count))
        root = Mechanism((), np.full(count, 1 / count), np.arange(count))
        parents = (*scm.parents(self.name), selector)
        return scm.replace(
            variables={selector: Variable(selector, labels)},
            mechanisms={selector: root, self.name: Mechanism(parents, np.ones(1), codes)},
        ), selector

    def _form(self, quantity: Quantity, demand: Demand) -> Vector:
        """Return P(demand | function) for each function; of a mean, weighted by the numbers."""
        terms, atoms = demand
        found = table(self.chosen, (Term(self.selector), *terms), atoms) * len(self.functions)
        if terms and isinstance(quantity, Expectation):
            structure = compiled(self.scm).structure
            position = structure.position(quantity.term.variable)
            return np.asarray(found @ np.array(structure.numbers_of(position, "E[...]")))
        return found

    def ends(self) -> tuple[End, End] | None:
        """Solve both ends."""
        rest = value(self.scm, Query(self.closed, self.query.constant))
        program = Program(self.margins)
        cost = np.zeros(len(self.functions))
        for weight, quantity in self.open:
            whole, condition = demands(quantity)
            if self._copies(condition) > 1:
                return self._ratio(program, rest) if len(self.open) == 1 else None
            chance = float(table(self.scm, (), condition[1]))
            if chance <= 0.0:
                return None  # `value` says what is wrong
            cost += weight * self._form(quantity, whole) / chance
        found = program.solve(self.data, cost)
        if found is None:
            return None
        least, most = found
        return self._end(least, rest + least.bound), self._end(most, rest + most.bound)

    def _ratio(self, program: Program, rest: float) -> tuple[End, End] | None:
        ((weight, quantity),) = self.open
        above, below = (self._form(quantity, demand) for demand in demands(quantity))
        chances = program.solve(self.data, below)
        if chances is None or chances[0].bound <= _RARE:
            return None
        found = [
            self._extreme(program, sign * above, below, chances[0].bound) for sign in (1.0, -1.0)
        ]
        ends = [
            self._end(best, rest + weight * sign * bound)
            for sign, (best, bound) in zip((1.0, -1.0), found, strict=True)
        ]
        return (ends[0], ends[1]) if weight >= 0 else (ends[1], ends[0])

    def _extreme(
        self, program: Program, above: Vector, below: Vector, rarest: float
    ) -> tuple[Optimum, float]:
        """Minimise above . q / below . q; return the best law and a bound on the ratio."""
        kept = program.reduce(self.data)
        assert kept is not None  # noqa: S101  (the chances were solved)
        best = program.least(kept, above)
        for _ in range(_ROUNDS):
            assert best is not None  # noqa: S101
            ratio = float(above @ best.point) / float(below @ best.point)
            following = program.least(kept, above - ratio * below)
            assert following is not None  # noqa: S101
            if following.value >= -_STILL:
                return best, ratio + min(0.0, following.bound) / rarest
            best = following
        raise TooWideError("a ratio did not settle")

    def _end(self, best: Optimum, bound: float) -> End:
        world = self.scm.replace(mechanisms={self.name: self._mechanism(best.point)})
        return End(value(world, self.query), bound, world)

    def _mechanism(self, point: Vector) -> Mechanism:
        """Return a mechanism with the table and the given law of functions.

        The rows that are not read follow the quantile of the same number that picks the function.
        """
        scm, used = self.scm, np.flatnonzero(point > 0)
        other = Mechanism(scm.parents(self.name), np.ones(1), np.zeros((1, *self._cards()), int))
        if len(self.rows) < math.prod(self._cards()):
            other = scm.mechanism(self.name).coupled("monotone")  # type: ignore[union-attr]
        picks = np.cumsum(point[used] / point[used].sum())
        levels = np.cumsum(other.noise)
        edges = np.unique(np.clip(np.concatenate([picks[:-1], levels[:-1], [1.0]]), 0.0, 1.0))
        edges = edges[np.diff(edges, prepend=0.0) > 0.0]
        middles = edges - np.diff(edges, prepend=0.0) / 2
        codes = other.table[np.searchsorted(levels[:-1], middles)].copy()
        which = used[np.searchsorted(picks[:-1], middles)]
        for j, row in enumerate(self.rows):
            at: tuple[Any, ...] = (slice(None), *row)
            codes[at] = self.functions[which, j]
        return Mechanism(other.parents, np.diff(edges, prepend=0.0), codes)

    def _cards(self) -> Sequence[int]:
        return self.scm.cpt(self.name).shape[:-1]
