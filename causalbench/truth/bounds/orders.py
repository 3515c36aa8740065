"""Bound a query without a diagram by trying every causal order of a few variables.

Every SCM has a causal order, and with one hidden cause of everything a complete diagram in that
order leaves nothing out. So the union over orders of the programs over response types is what the
permitted laws leave open; an order that cannot meet them is dropped.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CertificateError, TooWideError, ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.truth.bounds.ends import End, exact_end
from causalbench.truth.bounds.problem import Block, Problem
from causalbench.truth.bounds.program import Program
from causalbench.truth.bounds.responses import LIMIT, power, shape_of
from causalbench.truth.bounds.search import Free, climb
from causalbench.truth.unit_laws import unit_laws, unit_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query.ast import Query, Term
    from causalbench.truth.bounds.responses import Shape
    from causalbench.truth.permitted import Permitted

    Vector = NDArray[np.float64]

__all__ = ["few_orders", "order_ends"]

_VARIABLES = 3
_CELLS = 2 * 10**5  # response types times rows of one order


def few_orders(permitted: Permitted) -> bool:
    """Tell whether the world is small enough: 3 visible variables at most, with few values."""
    return len(permitted.names) <= _VARIABLES and all(
        _size(permitted, order) <= _CELLS for order in permutations(permitted.names)
    )


def _size(permitted: Permitted, order: tuple[str, ...]) -> float:
    """Return the response types of a complete diagram times the cells of all permitted laws."""
    types = rows = above = 1.0
    for name in order:
        card = len(permitted.labels[name])
        types *= power(card, above)
        above *= card
        rows *= 2 * card if name in permitted.manipulable else card
    return types * rows


def order_ends(permitted: Permitted, query: Query) -> tuple[tuple[End, Shape], tuple[End, Shape]]:
    """Return both ends over all orders, each with the diagram that attains it.

    Args:
        permitted: the laws; their world satisfies `few_orders`.
        query: over visible variables.

    Raises:
        ZeroProbabilityError: no order gives the condition a chance.
    """
    lows, highs = [], []
    units = _units(permitted)
    regime = "do" if units is None else permitted.knowledge.regime
    for order in permutations(permitted.names):
        shape = _complete(permitted, order)
        program, forced = _program(shape, permitted.manipulable, regime)
        data = _data(permitted, shape, forced, units)
        block = Block(shape.components[0], program, program.reduce(data))
        if block.data is None or program.least(block.data, np.zeros(program.columns)) is None:
            continue
        try:
            problem = Problem(shape, query, None, block)
            lows.append((_end(problem, -1), shape))
            highs.append((_end(problem, 1), shape))
        except ZeroProbabilityError:
            continue
    if not lows:
        raise ZeroProbabilityError(
            "no causal order meets the permitted laws and gives the condition a chance; drop or "
            "change a part of the condition."
        )
    low = min(lows, key=lambda found: found[0].inner)
    high = max(highs, key=lambda found: found[0].inner)
    least = min(end.outer for end, _ in lows)
    most = max(end.outer for end, _ in highs)
    return (replace(low[0], outer=least), low[1]), (replace(high[0], outer=most), high[1])


def _end(problem: Problem, sign: int) -> End:
    """Return an end of a query whose only block is the whole diagram."""
    block = problem.blocks[0]
    constant = problem.constant
    if not problem.groups:
        law = Free(block).get(0) if block.events else _any_law(block)
        return End(constant, constant, {0: law})
    (group,) = problem.groups
    if len(group) == 1:
        end = exact_end(problem.blocks, group, sign)
        return End(constant + end.outer, constant + end.inner, end.points)
    ends = [exact_end(problem.blocks, [part], sign) for part in group]
    state = Free(block)
    found, _ = climb({0: state}, group, sign)
    return End(constant + sum(end.outer for end in ends), constant + found, {0: state.get(0)})


def _any_law(block: Block) -> Vector:
    found = None
    if block.data is not None:
        found = block.program.least(block.data, np.zeros(block.program.columns))
    if found is None:
        raise CertificateError("no law of response types meets the permitted laws.")
    return found.point


def _complete(permitted: Permitted, order: tuple[str, ...]) -> Shape:
    diagram = Diagram(order, combinations(order, 2), combinations(order, 2))
    return shape_of(
        diagram,
        permitted.labels,
        permitted.numbers,
        permitted.manipulable,
        permitted.knowledge.assumptions,
    )


@lru_cache(maxsize=64)
def _program(
    shape: Shape, manipulable: frozenset[str], regime: str
) -> tuple[Program, tuple[tuple[tuple[int, int], ...], ...]]:
    """Return the program of one order, and the experiments whose cells are its rows, in order.

    The cells of `unit_terms` follow, where the regime tells of them.
    """
    component, structure = shape.components[0], shape.structure
    settable = sorted(structure.index[name] for name in manipulable)
    rows = [np.ones(component.count)]
    forced = []
    for size in range(len(settable) + 1):
        for group in combinations(settable, size):
            for codes in product(*(range(structure.cards[p]) for p in group)):
                setting = dict(zip(group, codes, strict=True))
                forced.append(tuple(setting.items()))
                free = [p for p in range(len(structure.names)) if p not in setting]
                for values in product(*(range(structure.cards[p]) for p in free)):
                    at = {**setting, **dict(zip(free, values, strict=True))}
                    event = frozenset((p, _row(shape, p, at), at[p]) for p in free)
                    rows.append(component.indicator(event))
    # Names are sorted, so that all orders list the same terms.
    labels = {name: structure.values[structure.index[name]] for name in sorted(structure.index)}
    for terms in unit_terms(regime, labels, manipulable):
        cell, size = np.zeros(component.count, dtype=np.intp), 1
        for term in terms:
            card = len(labels[term.variable])
            cell, size = cell * card + _values(shape, term), size * card
        rows += list((cell == np.arange(size)[:, None]).astype(np.float64))
    return Program(np.stack(rows)), tuple(forced)


def _values(shape: Shape, term: Term) -> NDArray[np.intp]:
    """Return the value of a counterfactual variable under each joint type."""
    component, structure = shape.components[0], shape.structure
    types = component.types(np.arange(component.count))
    forced = {
        structure.index[name]: structure.code(structure.index[name], label)
        for name, label in term.subscript
        if isinstance(label, str)
    }
    found: list[NDArray[np.intp]] = []
    for member, (functions, own) in enumerate(zip(component.functions, types, strict=True)):
        if member in forced:
            found.append(np.full(component.count, forced[member]))
            continue
        row = np.zeros(component.count, dtype=np.intp)
        for parent in structure.parents[member]:
            row = row * structure.cards[parent] + found[parent]
        found.append(functions[own, row])
    return found[structure.index[term.variable]]


def _units(permitted: Permitted) -> Vector | None:
    """Return the cells of all `unit_laws`; None where there are none, or too many."""
    try:
        laws = [law.ravel() for law in unit_laws(permitted, permitted.scm)]
    except TooWideError:
        return None
    cells = sum(len(law) for law in laws)
    wide = max(_size(permitted, order) for order in permutations(permitted.names))
    if not laws or cells * wide > LIMIT:
        return None
    return np.concatenate(laws)


def _row(shape: Shape, member: int, at: dict[int, int]) -> int:
    row = 0
    for parent in shape.structure.parents[member]:
        row = row * shape.structure.cards[parent] + at[parent]
    return row


def _data(
    permitted: Permitted,
    shape: Shape,
    forced: tuple[tuple[tuple[int, int], ...], ...],
    units: Vector | None,
) -> Vector:
    """Return the numbers of `_program`'s rows in one world."""
    structure = shape.structure
    parts = [np.ones(1)]
    for setting in forced:
        held = dict(setting)
        do = {structure.names[p]: structure.values[p][code] for p, code in setting}
        free = [name for p, name in enumerate(structure.names) if p not in held]
        parts.append(np.ravel(permitted.law(free, do)))
    if units is not None:
        parts.append(units)
    return np.concatenate(parts)
