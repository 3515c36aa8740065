"""Write counterfactual probabilities as polynomials in the laws of response types.

Each joint value of the counterfactual variables that a conjunction needs asks every component for
certain response types; components are independent, so its probability is a product.

Reference: Sachs and others (2022), A general method for deriving tight symbolic bounds on causal
effects; Shpitser and Pearl (2007) for the merging of counterfactual variables, which `Worlds` does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causalbench.errors import TooWideError
from causalbench.query.ast import Expectation
from causalbench.truth.worlds import Worlds

if TYPE_CHECKING:
    from causalbench.query.ast import Atom, Quantity, Term
    from causalbench.truth.bounds.responses import Event, Shape

__all__ = ["Monomial", "Polynomial", "expand"]

# The components asked, each with what its types must do.
Monomial = tuple[tuple[int, "Event"], ...]
Polynomial = dict[Monomial, float]

_LIMIT = 2**18


def expand(shape: Shape, quantity: Quantity) -> tuple[Polynomial, Polynomial]:
    """Return a quantity's numerator and denominator; without a condition the latter is {(): 1}.

    Args:
        shape: the diagram.
        quantity: over visible variables.

    Raises:
        UnknownNameError: a name or value that the shape does not have.
        QueryError: a comparison or mean of values without numbers.
        TooWideError: too many joint values of counterfactual variables.
    """
    found: tuple[Polynomial, Polynomial] | None = shape.expanded.get(quantity)
    if found is not None:
        return found
    if isinstance(quantity, Expectation):
        above = _polynomial(shape, quantity.given, quantity.term)
    else:
        above = _polynomial(shape, quantity.event + quantity.given, None)
    below: Polynomial = {(): 1.0}
    if quantity.given:
        below = _polynomial(shape, quantity.given, None)
    shape.expanded[quantity] = above, below
    return above, below


def _polynomial(shape: Shape, atoms: tuple[Atom, ...], target: Term | None) -> Polynomial:
    """Expand P(atoms), or E[target; atoms]."""
    structure = shape.structure
    worlds = Worlds(structure)
    aim = None if target is None else worlds.reference(target)
    worlds.observe([(worlds.reference(atom.term), structure.allowed(atom)) for atom in atoms])
    if worlds.impossible:
        return {}
    numbers: tuple[float, ...] = ()
    if target is not None and aim is not None:
        numbers = structure.numbers_of(structure.position(target.variable), "E[...]")
        aim = worlds.settle(aim)
    nodes = worlds.needed([] if aim is None else [aim])
    choices = [_choices(worlds, node) for node in nodes]
    size = math.prod(len(each) for each in choices)
    if size > _LIMIT:
        msg = (
            f"the query needs {len(nodes)} counterfactual variables with {size} joint values and "
            f"the limit is {_LIMIT}; ask of fewer worlds or values at once."
        )
        raise TooWideError(msg)
    total: Polynomial = {}
    codes: dict[int, int] = {}
    asked: dict[tuple[int, int], int] = {}  # (variable, row) -> the one value of its function there

    def descend(depth: int) -> None:
        if depth == len(nodes):
            weight = 1.0
            if aim is not None:
                weight = numbers[codes[aim] if aim >= 0 else ~aim]
            key = _monomial(shape, asked)
            total[key] = total.get(key, 0.0) + weight
            return
        node = nodes[depth]
        at = _row(worlds, node, codes)
        held = asked.get(at)
        for code in choices[depth]:
            if held is None or held == code:
                codes[node] = asked[at] = code
                descend(depth + 1)
        if held is None:
            asked.pop(at, None)

    descend(0)
    return {key: weight for key, weight in total.items() if weight}


def _row(worlds: Worlds, node: int, codes: dict[int, int]) -> tuple[int, int]:
    """Return a node's variable, and the row that its parents' values are."""
    member, row = worlds.variables[node], 0
    parents = worlds.structure.parents[member]
    for parent, reference in zip(parents, worlds.references[node], strict=True):
        code = codes[reference] if reference >= 0 else ~reference
        row = row * worlds.structure.cards[parent] + code
    return member, row


def _choices(worlds: Worlds, node: int) -> tuple[int, ...]:
    if node in worlds.fixed:
        return (worlds.fixed[node],)
    if node in worlds.masks:
        return tuple(sorted(worlds.masks[node]))
    return tuple(range(worlds.structure.cards[worlds.variables[node]]))


def _monomial(shape: Shape, asked: dict[tuple[int, int], int]) -> Monomial:
    """Split what is asked of all variables by component."""
    parts: dict[int, set[tuple[int, int, int]]] = {}
    for (member, row), code in asked.items():
        parts.setdefault(shape.home[member], set()).add((member, row, code))
    return tuple(sorted(((home, frozenset(event)) for home, event in parts.items()), key=_first))


def _first(part: tuple[int, Event]) -> int:
    return part[0]
