"""Plan the elimination that fills a joint table, once for every world of one shape.

Numbers are answered by `causalbench.truth.compiled`, which plans for itself; these plans serve what
has several axes or many worlds of one shape: `table`, laws and families.

A plan lists kernels (tables with the noise summed out), masks (evidence that leaves several
values) and steps (which factors to multiply, which node to sum out), as einsum strings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.truth.structure import LIMIT
from causalbench.truth.worlds import Worlds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Term
    from causalbench.truth.structure import KernelSpec, Structure

__all__ = ["Plan", "plan", "too_wide"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KEPT = 4096
_AXES = 64  # of a numpy array
_FEW = 6  # einsum slows down, and in the end refuses, with many factors at once
_CAREFUL = 2**12  # below this many cells one einsum over all factors is the fastest
_SECOND_TRY = 2**16  # above this many cells a second order of elimination is tried


@dataclass(frozen=True, slots=True)
class Plan:
    """How to answer one request in any world of one shape.

    Attributes:
        shape: the answer's shape, one axis per target.
        impossible: whether the answer is zero by the request's form alone.
        kernels: the kernels to start from.
        masks: 0/1 vectors, numbered after the kernels.
        steps: (factors, einsum text); each step's result gets the next number.
        place: where the last result goes in the answer, or None where it is the answer.
    """

    shape: tuple[int, ...]
    impossible: bool
    kernels: tuple[KernelSpec, ...] = ()
    masks: tuple[NDArray[np.float64], ...] = ()
    steps: tuple[tuple[tuple[int, ...], str], ...] = ()
    place: tuple[NDArray[np.intp], ...] | None = None


def plan(structure: Structure, targets: tuple[Term, ...], evidence: tuple[Atom, ...]) -> Plan:
    """Return the plan for P(targets, evidence), from the shape's memory where it is known.

    Raises:
        UnknownNameError: a variable or value that the world does not have.
        QueryError: a comparison that the values do not allow.
        TooWideError: every order found needs a table of more than `LIMIT` cells.
    """
    key = (targets, evidence)
    found = structure.plans.get(key)
    if found is None:
        if len(structure.plans) >= _KEPT:
            structure.plans.clear()
        found = structure.plans[key] = _make(structure, targets, evidence)
    return found


def _make(structure: Structure, targets: tuple[Term, ...], evidence: tuple[Atom, ...]) -> Plan:
    worlds = Worlds(structure)
    references = [worlds.reference(term) for term in targets]
    observed = [(worlds.reference(atom.term), structure.allowed(atom)) for atom in evidence]
    worlds.observe(observed)
    shape = tuple(structure.cards[structure.position(term.variable)] for term in targets)
    if math.prod(shape) > LIMIT:
        raise TooWideError(too_wide(math.prod(shape)))
    if len(shape) > _AXES:  # possible where most of them have one value
        msg = (
            f"a table of {len(shape)} variables is asked for and arrays have {_AXES} axes at most; "
            "ask of fewer variables at once, or use a smaller world."
        )
        raise TooWideError(msg)
    if worlds.impossible:
        return Plan(shape, impossible=True)
    references = [worlds.settle(ref) for ref in references]
    kernels, scopes = _kernels(worlds, worlds.needed(references))
    masks = []
    for node, codes in worlds.masks.items():
        vector = np.zeros(structure.cards[worlds.variables[node]])
        vector[list(codes)] = 1.0
        masks.append(vector)
        scopes.append((node,))
    cards = {node: structure.cards[position] for node, position in enumerate(worlds.variables)}
    output = tuple(dict.fromkeys(ref for ref in references if ref >= 0))
    steps = _eliminate(scopes, cards, output)
    place = _place(references, output, cards)
    return Plan(shape, False, kernels, tuple(masks), steps, place)  # noqa: FBT003


def _kernels(
    worlds: Worlds, needed: list[int]
) -> tuple[tuple[KernelSpec, ...], list[tuple[int, ...]]]:
    """Gather the copies of each variable into one kernel; return specs and scopes."""
    copies: dict[int, list[int]] = {}
    for node in needed:
        copies.setdefault(worlds.variables[node], []).append(node)
    specs: list[KernelSpec] = []
    scopes: list[tuple[int, ...]] = []
    for variable, nodes in copies.items():
        axes: dict[int, int] = {}
        spec = []
        for node in nodes:
            local = tuple(
                ref if ref < 0 else axes.setdefault(ref, len(axes))
                for ref in worlds.references[node]
            )
            spec.append((worlds.fixed.get(node, -1), local))
        specs.append((variable, tuple(spec)))
        scopes.append((*axes, *(node for node in nodes if node not in worlds.fixed)))
    return tuple(specs), scopes


def _place(
    references: list[int], output: tuple[int, ...], cards: dict[int, int]
) -> tuple[NDArray[np.intp], ...] | None:
    """Say where the result goes when targets repeat a node or are constants."""
    if tuple(references) == output:
        return None
    rank = len(output)
    index = []
    for ref in references:
        if ref < 0:
            index.append(np.full((1,) * rank, ~ref, dtype=np.intp))
        else:
            axis = output.index(ref)
            ones = [1] * rank
            ones[axis] = cards[ref]
            index.append(np.arange(cards[ref], dtype=np.intp).reshape(ones))
    return tuple(index)


def _eliminate(
    scopes: Sequence[tuple[int, ...]], cards: dict[int, int], output: tuple[int, ...]
) -> tuple[tuple[tuple[int, ...], str], ...]:
    """Return the steps that sum out every node but the outputs."""
    order, widest = _order(scopes, cards, output, fill=False)
    if widest > _SECOND_TRY:
        other, width = _order(scopes, cards, output, fill=True)
        if width < widest:
            order, widest = other, width
    if widest > LIMIT:
        raise TooWideError(too_wide(widest))
    live = dict(enumerate(scopes))
    steps: list[tuple[tuple[int, ...], str]] = []
    count = len(scopes)

    def multiply(numbers: list[int], keep: tuple[int, ...]) -> None:
        nonlocal count
        steps.append((tuple(numbers), _einsum([live.pop(n) for n in numbers], keep)))
        live[count] = keep
        count += 1

    def contract(numbers: list[int], keep: tuple[int, ...]) -> None:
        """Multiply large or many factors two at a time, smallest first, then sum."""
        large = _cells({node for number in numbers for node in live[number]}, cards) > _CAREFUL
        most = 2 if large else _FEW
        while len(numbers) > most:
            numbers = sorted(numbers, key=lambda number: _cells(live[number], cards))
            pair, numbers = numbers[:2], numbers[2:]
            multiply(pair, tuple(dict.fromkeys(live[pair[0]] + live[pair[1]])))
            numbers.append(count - 1)
        multiply(numbers, keep)

    for node in order:
        numbers = [number for number, scope in live.items() if node in scope]
        union = dict.fromkeys(n for number in numbers for n in live[number])
        contract(numbers, tuple(n for n in union if n != node))
    if live and list(live.values()) != [output]:
        contract(list(live), output)
    return tuple(steps)


def _order(
    scopes: Sequence[tuple[int, ...]],
    cards: dict[int, int],
    output: tuple[int, ...],
    *,
    fill: bool,
) -> tuple[list[int], int]:
    """Order the nodes greedily, by least weight or least fill; also the widest table met.

    The order ends where a table is wider than `LIMIT`.

    Reference: Koller and Friedman (2009), Probabilistic Graphical Models.
    """
    near: dict[int, set[int]] = {}
    for scope in scopes:
        for node in scope:
            near.setdefault(node, set()).update(scope)
    left = set(near) - set(output)
    order = []
    widest = max((_cells(scope, cards) for scope in scopes), default=1)

    def cost(node: int) -> tuple[int, int]:
        weight = _cells(near[node], cards)
        if not fill:
            return weight, node
        around = near[node] - {node}
        missing = sum(len(around - near[other]) for other in around)
        return missing, weight

    while left:
        node = min(left, key=cost)
        widest = max(widest, _cells(near[node], cards))
        around = near.pop(node) - {node}
        for other in around:
            near[other] |= around
            near[other].discard(node)
        left.discard(node)
        order.append(node)
        if widest > LIMIT:  # this order is of no use, however it goes on
            break
    return order, max(widest, _cells(output, cards))


def _cells(nodes: Sequence[int] | set[int], cards: dict[int, int]) -> int:
    total = 1
    for node in nodes:
        total *= cards[node]
    return total


def _einsum(scopes: list[tuple[int, ...]], keep: tuple[int, ...]) -> str:
    nodes = dict.fromkeys(node for scope in scopes for node in scope)
    names = {node: _LETTERS[number] for number, node in enumerate(nodes)}
    sides = ["".join(names[node] for node in scope) for scope in (*scopes, keep)]
    return f"{','.join(sides[:-1])}->{sides[-1]}"


def too_wide(cells: int) -> str:
    """Return the line that refuses a table, or tables together, of so many cells."""
    return (
        f"the answer needs a table of {cells} cells and the limit is {LIMIT}; ask of fewer "
        "variables or worlds at once, or use a smaller world."
    )
