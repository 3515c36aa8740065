"""Put a world's numbers into a query's polynomial: what is settled, and what stays open.

What is left is a sum of ratios of polynomials in the laws of a few components. Parts that share no
open component can be made small or large apart, so they are split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CertificateError, ZeroProbabilityError
from causalbench.scm.couplings import couple, coupling_from_text
from causalbench.truth.bounds.expand import expand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from causalbench.query.ast import Query
    from causalbench.truth.bounds.expand import Polynomial
    from causalbench.truth.bounds.factors import Factors
    from causalbench.truth.bounds.program import Program
    from causalbench.truth.bounds.responses import Component, Event, Shape

    Vector = NDArray[np.float64]

__all__ = ["Block", "Part", "Problem", "Reduced", "evaluate"]

_ROUNDED = 1e-13  # sums of data that are no more than this are round-off

# (block, form) for each open factor -> weight; () is the constant.
Reduced = dict[tuple[tuple[int, int], ...], float]


class Block:
    """A component whose law stays open, with the data that constrain it.

    Attributes:
        component: its shape.
        program: the constraints.
        data: the numbers of its independent rows; None where they contradict each other.
        events: the open events that the query asks about.
    """

    def __init__(self, component: Component, program: Program, data: Vector | None) -> None:
        self.component = component
        self.program = program
        self.data = data
        self.events: list[Event] = []
        self._numbers: dict[Event, float | int] = {}

    @classmethod
    def of(cls, component: Component, factors: Factors) -> Block:
        """Return a component under all that the permitted laws say of it."""
        groups = component.laws
        tables = [factors.q(group) for group in groups]
        cells = [_ravelled(table) for table in tables]
        if any(not np.isfinite(each).all() for each in cells):
            # Where a context never occurs, a shorter product is still told.
            groups = (*groups, *_prefixes(groups))
            cells = [_ravelled(factors.q(group)) for group in groups]
        values = np.concatenate([*cells, np.zeros(0)])
        known = np.isfinite(values)
        if component.rows is not None:
            known &= component.covers(groups)
        program = component.program(groups, known)
        return cls(component, program, program.reduce(np.concatenate([[1.0], values[known]])))

    def form(self, event: Event) -> float | int:
        """Return an event's probability (a float), or the number of its form where it is open."""
        found = self._numbers.get(event)
        if found is None:
            weights = self.program.identified(self.component.indicator(event))
            if weights is not None and self.data is not None:
                found = min(1.0, float(weights @ self.data))
                found = found if found > _ROUNDED else 0.0
            else:
                found = len(self.events)
                self.events.append(event)
            self._numbers[event] = found
        return found

    def matrix(self) -> NDArray[np.float64]:
        """Return the open forms, float64[forms, types]."""
        return np.stack([self.component.indicator(event) for event in self.events])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """weight of a ratio; the denominator is {(): 1} where there is none."""

    above: Reduced
    below: Reduced

    @property
    def whole(self) -> bool:
        """Whether it is no ratio."""
        return not any(self.below)

    def blocks(self) -> set[int]:
        """Return the blocks that it needs."""
        return {b for side in (self.above, self.below) for key in side for b, _ in key}

    @property
    def linear(self) -> bool:
        """Whether no two open factors are multiplied."""
        return all(len(key) <= 1 for side in (self.above, self.below) for key in side)


class Problem:
    """A query in one world: a constant, and groups of parts that share no block.

    Args:
        shape: the diagram.
        query: over visible variables.
        factors: the permitted laws, read with the diagram.
        start: a block to start from; then nothing is read off the laws but by its program.

    Attributes:
        blocks: the open components.
        constant: what is settled.
        groups: lists of parts; each block is in one group at most.
        consistent: whether some law of the open components meets the permitted ones.

    Raises:
        ZeroProbabilityError: a condition of probability zero.
    """

    def __init__(
        self, shape: Shape, query: Query, factors: Factors | None, start: Block | None = None
    ) -> None:
        self.shape = shape
        self._factors = factors
        self.blocks: list[Block] = [] if start is None else [start]
        self._places: dict[Component, int] = {} if start is None else {start.component: 0}
        self.constant = query.constant
        sums: dict[tuple[object, ...], tuple[Reduced, Reduced]] = {}
        expanded = [(weight, expand(shape, quantity)) for weight, quantity in query.terms]
        self._parts = {
            home: shape.components[home].split(events)
            for home, events in _events(side for _, pair in expanded for side in pair).items()
        }
        for weight, pair in expanded:
            above, below = (self._reduced(each) for each in pair)
            if not any(below):
                whole = below.get((), 0.0)
                if not whole > _ROUNDED:
                    raise ZeroProbabilityError(
                        "the condition never happens, so nothing can be asked given it; drop or "
                        "change a part of the condition."
                    )
                above = {key: each / whole for key, each in above.items()}
                below = {(): 1.0}
            key = tuple(sorted(below.items()))
            held, _ = sums.setdefault(key, ({}, below))
            for name, each in above.items():
                held[name] = held.get(name, 0.0) + weight * each
        self.groups = self._split([Part(*each) for each in sums.values()])

    @property
    def consistent(self) -> bool:
        """Whether every open component's data meet one another."""
        return all(block.data is not None for block in self.blocks)

    def _reduced(self, polynomial: Polynomial) -> Reduced:
        found: Reduced = {}
        for monomial, weight in polynomial.items():
            key: list[tuple[int, int]] = []
            number = weight
            for home, event in monomial:
                each = self._form(home, event)
                if isinstance(each, float):
                    number *= each
                else:
                    key.append(each)
            name = tuple(key)
            if number:
                found[name] = found.get(name, 0.0) + number
        return found

    def _form(self, home: int, event: Event) -> float | tuple[int, int]:
        """Return an event's probability, or its block and form where that is open."""
        place = 0
        if self._factors is not None:
            number = self._direct(self._factors, event)
            if number is None:
                number = self._coupled(self._factors, event)
            if number is not None:
                return number
            component = self._parts[home][event]
            if component not in self._places:
                self._places[component] = len(self.blocks)
                self.blocks.append(Block.of(component, self._factors))
            place = self._places[component]
        found = self.blocks[place].form(event)
        return found if isinstance(found, float) else (place, found)

    def _coupled(self, factors: Factors, event: Event) -> float | None:
        """Return an event's probability where the coupling of its one mechanism is told."""
        structure = self.shape.structure
        member = min(event)[0]
        text = self.shape.couplings.get(member)
        table = None if text is None else factors.q((member,))
        if text is None or table is None or not np.isfinite(table).all():
            return None
        if any(other != member for other, _, _ in event) or self.shape.siblings[member]:
            return None
        parents, outer = structure.parents[member], self.shape.outer((member,))
        cpt = table.transpose(*(1 + outer.index(p) for p in parents), 0)
        mechanism = couple(
            cpt, coupling_from_text(text), tuple(structure.names[p] for p in parents)
        )
        rows = mechanism.table.reshape(len(mechanism.noise), -1)
        fits = np.ones(len(rows), dtype=bool)
        for _, row, value in event:
            fits &= rows[:, row] == value
        return float(mechanism.noise[fits].sum())

    def _direct(self, factors: Factors, event: Event) -> float | None:
        """Return the probability of an event that is one cell of a permitted Q[W], else None."""
        structure = self.shape.structure
        group = tuple(sorted(member for member, _, _ in event))
        if len(set(group)) < len(group):
            return None
        value = {member: code for member, _, code in event}
        for member, row, _ in event:
            rest = row
            for parent in reversed(structure.parents[member]):
                rest, code = divmod(rest, structure.cards[parent])
                if value.setdefault(parent, code) != code:
                    return None
        table = factors.q(group)
        if table is None:
            return None
        cell = float(table[tuple(value[p] for p in (*group, *self.shape.outer(group)))])
        return cell if np.isfinite(cell) else None

    def _split(self, parts: list[Part]) -> list[list[Part]]:
        """Split sums by block, take out constants, and group what shares a block."""
        pieces: list[Part] = []
        for part in parts:
            if not part.whole:
                pieces.append(part)
                continue
            self.constant += part.above.pop((), 0.0)
            pieces += [Part({key: each}, {(): 1.0}) for key, each in part.above.items()]
        groups: list[tuple[set[int], list[Part]]] = []
        for piece in pieces:
            touched, mine = piece.blocks(), [piece]
            apart = []
            for blocks, held in groups:
                if blocks & touched:
                    touched, mine = touched | blocks, held + mine
                else:
                    apart.append((blocks, held))
            groups = [*apart, (touched, mine)]
        return [_merged(held) for _, held in groups]


def _events(polynomials: Iterable[Polynomial]) -> dict[int, set[Event]]:
    """Return the events that polynomials ask about, by component."""
    found: dict[int, set[Event]] = {}
    for polynomial in polynomials:
        for monomial in polynomial:
            for home, event in monomial:
                found.setdefault(home, set()).add(event)
    return found


def _merged(parts: list[Part]) -> list[Part]:
    """Add up the parts that are no ratios."""
    total: Reduced = {}
    for part in parts:
        if part.whole:
            for key, each in part.above.items():
                total[key] = total.get(key, 0.0) + each
    ratios = [part for part in parts if not part.whole]
    return [*ratios, Part(total, {(): 1.0})] if total else ratios


def evaluate(reduced: Reduced, values: dict[int, Vector]) -> float:
    """Return a polynomial's value.

    Args:
        reduced: the polynomial.
        values: block -> the values of its forms.
    """
    total = 0.0
    for key, weight in reduced.items():
        for block, form in key:
            weight *= float(values[block][form])  # noqa: PLW2901
        total += weight
    return total


def _ravelled(table: Vector | None) -> Vector:
    if table is None:
        raise CertificateError("a law that was to be permitted is not; please report it.")
    return table.ravel()


def _prefixes(groups: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    found = {group[:size] for group in groups for size in range(1, len(group))}
    return tuple(sorted(found - set(groups)))
