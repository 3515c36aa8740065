"""Turn a query into a program for every family of one layout, made once and kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.query.ast import Expectation
from causalbench.truth.family_kernels import kernel_rows
from causalbench.truth.family_program import Writer
from causalbench.truth.plan import plan
from causalbench.truth.structure import structure_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Quantity, Query, Term
    from causalbench.truth.family import Family
    from causalbench.truth.family_program import Program
    from causalbench.truth.plan import Plan
    from causalbench.truth.structure import Structure

__all__ = ["Answer", "Work", "work_of"]

_KEPT = 1024
_CELLS = 2**16  # beyond this a program takes longer to write than the sets to answer one by one


@dataclass(frozen=True, slots=True)
class Answer:
    """One quantity: weight x outputs[over] / outputs[under], or without ``under`` as it is.

    Args:
        weight: in the query.
        over: position among the program's outputs.
        under: the same, the probability of the condition; None where there is none.
        bounded: whether it is a probability, which rounding must not lift over 1.
    """

    weight: float
    over: int
    under: int | None
    bounded: bool


@dataclass(frozen=True, slots=True)
class Work:
    """A query as a program.

    Args:
        program: its lines.
        answers: what to make of the outputs.
        constant: of the query.
        depth: how many of the family's numbers are multiplied at most.
    """

    program: Program
    answers: tuple[Answer, ...]
    constant: float
    depth: int


_works: dict[object, Work | None] = {}


def work_of(family: Family, query: Query) -> Work | None:
    """Return the work for a query, or None where its tables are too large for a program.

    Raises:
        QueryError: as `causalbench.truth.truth`.
        TooWideError: every order of elimination found needs too large a table.
    """
    structure = structure_of(family.template)
    key = (id(structure), family.layout, query)
    if key not in _works:
        if len(_works) >= _KEPT:
            _works.clear()
        _works[key] = _make(family, structure, query)
    return _works[key]


def _make(family: Family, structure: Structure, query: Query) -> Work | None:
    maker = _Maker(family, structure)
    outputs: list[int] = []
    answers = []
    for weight, quantity in query.terms:
        rows = maker.quantity(quantity)
        if rows is None:
            return None
        over, under = rows
        outputs.append(over)
        if under is not None:
            outputs.append(under)
        place = len(outputs) - 1
        bounded = not isinstance(quantity, Expectation)
        answers.append(
            Answer(weight, place, None, bounded)
            if under is None
            else Answer(weight, place - 1, place, bounded)
        )
    program = maker.writer.finish(outputs)
    return Work(program, tuple(answers), query.constant, maker.depth)


class _Maker:
    """Write the program of one query."""

    def __init__(self, family: Family, structure: Structure) -> None:
        self.family, self.structure, self.writer = family, structure, Writer()
        self.depth = 0

    def quantity(self, quantity: Quantity) -> tuple[int, int | None] | None:
        """Return the rows of numerator and condition, or None where a table is too large."""
        writer = self.writer
        if isinstance(quantity, Expectation):
            position = self.structure.position(quantity.term.variable)
            numbers = self.structure.numbers_of(position, "E[...]")
            cells = self.solve((quantity.term,), quantity.given)
            if cells is None:
                return None
            scale = [writer.constant(number) for number in numbers]
            return self.total(cells, np.array(scale)), self.total(cells)
        event, given = quantity.event, quantity.given
        terms = tuple(dict.fromkeys(atom.term for atom in event))
        if given and len(terms) == 1:
            codes = [self.structure.allowed(atom) for atom in event]
            chosen = sorted(frozenset.intersection(*codes))
            cells = self.solve(terms, given)
            return None if cells is None else (self.total(cells[chosen]), self.total(cells))
        whole = self.solve((), event + given)
        part = self.solve((), given) if given else None
        if whole is None or (given and part is None):
            return None
        return self.total(whole), None if part is None else self.total(part)

    def total(self, rows: NDArray[np.int64], scale: NDArray[np.int64] | None = None) -> int:
        """Return the row of a sum, each part multiplied by a row of ``scale``."""
        flat = rows.reshape(-1)
        if not flat.size:
            return self.writer.zero
        if scale is None:
            return int(self.writer.products([flat], "a->")[()])
        return int(self.writer.products([flat, scale], "a,a->")[()])

    def solve(
        self, terms: tuple[Term, ...], evidence: tuple[Atom, ...]
    ) -> NDArray[np.int64] | None:
        """Return the rows of P(terms = ..., evidence), or None where a table is too large."""
        work = plan(self.structure, terms, evidence)
        if work.impossible:
            return np.full(work.shape, self.writer.zero)
        if _size(self.structure, work) > _CELLS:
            return None
        self.depth = max(self.depth, sum(len(copies) for _, copies in work.kernels))
        factors: list[NDArray[np.int64] | None] = [
            kernel_rows(self.writer, self.family, self.structure, spec) for spec in work.kernels
        ]
        constant = self.writer.constant
        factors += [np.array([constant(each) for each in mask]) for mask in work.masks]
        for numbers, text in work.steps:
            taken: list[NDArray[np.int64]] = [factors[number] for number in numbers]  # type: ignore[misc]
            factors.append(self.writer.products(taken, text))
            for number, rows in zip(numbers, taken, strict=True):
                self.writer.release(rows)
                factors[number] = None
        result = factors[-1] if factors else np.array(self.writer.one)
        if work.place is None:
            assert result is not None  # noqa: S101  (the last result is never used up)
            return result
        answer = np.full(work.shape, self.writer.zero)
        answer[work.place] = result
        return answer


def _size(structure: Structure, work: Plan) -> int:
    """Return how many cells the kernels and products have, before any is written."""
    shapes: list[Sequence[int]] = []
    total = 0
    for variable, copies in work.kernels:
        sizes: dict[int, int] = {}
        for _, references in copies:
            for parent, reference in zip(structure.parents[variable], references, strict=True):
                if reference >= 0:
                    sizes[reference] = structure.cards[parent]
        free = sum(1 for fixed, _ in copies if fixed < 0)
        shape = [sizes[axis] for axis in range(len(sizes))] + [structure.cards[variable]] * free
        shapes.append(shape)
        total += math.prod(shape)
    shapes += [mask.shape for mask in work.masks]
    for numbers, text in work.steps:
        left, keep = text.split("->")
        cards = {
            letter: size
            for number, scope in zip(numbers, left.split(","), strict=True)
            for letter, size in zip(scope, shapes[number], strict=True)
        }
        shapes.append([cards[letter] for letter in keep])
        total += math.prod(cards.values())
    return total
