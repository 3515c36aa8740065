"""Read a quantity of rung 1 or 2: which variables are forced, asked about and given, and how.

Effectiveness is used up here: a forced variable has its value, so it drops out of events and
conditions, or makes them impossible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.errors import QueryError, ZeroProbabilityError
from causalbench.query.algebra import is_nested, normalise, terms
from causalbench.query.ast import Expectation, Query
from causalbench.query.render import render_quantity
from causalbench.truth import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.query.ast import Atom, Quantity
    from causalbench.truth.permitted import Ground

__all__ = ["Asked", "allowed", "in_one_world", "numbers_of", "read"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A quantity of rung 1 or 2, taken apart.

    Args:
        forced: variable -> its label.
        event: variable -> the labels that the event allows; all of them for the variable of an
            expectation. None where the event is impossible.
        given: variable -> the labels that the condition allows.
        mean: the variable of an expectation, or None.
    """

    forced: Mapping[str, str]
    event: Mapping[str, tuple[str, ...]] | None
    given: Mapping[str, tuple[str, ...]]
    mean: str | None = None


def read(ground: Ground, quantity: Quantity) -> Asked:
    """Take a quantity apart.

    Raises:
        AccessError: a variable that is hidden or does not exist.
        QueryError: a quantity of rung 3, an unknown label, or a comparison without numbers.
        ZeroProbabilityError: a condition that contradicts the intervention.
    """
    simple = _one_world(quantity)
    first = terms(simple)[0]
    forced: dict[str, str] = {}
    for name, value in first.subscript:
        _known(ground, name)
        if value not in ground.labels[name]:
            raise values.no_value(name, value, ground.labels[name])
        forced[name] = str(value)
    given = _labels(ground, simple.given)
    if not _settle(given, forced):
        msg = f"the condition contradicts the intervention in {render_quantity(quantity)}; drop one"
        raise ZeroProbabilityError(msg)
    if isinstance(simple, Expectation):
        _known(ground, first.variable)
        return Asked(forced, {first.variable: ground.labels[first.variable]}, given, first.variable)
    event = _labels(ground, simple.event)
    possible = _settle(event, forced)
    return Asked(forced, event if possible else None, given)


def allowed(ground: Ground, atom: Atom) -> tuple[str, ...]:
    """Return the labels of a variable for which an atom holds, in declared order.

    Raises:
        AccessError: a variable that is hidden or does not exist.
        QueryError: an unknown label, or an order comparison of values without numbers.
    """
    name, labels = atom.term.variable, _known(ground, atom.term.variable)
    numbers = ground.numbers.get(name)
    return tuple([labels[code] for code in values.allowed(atom, labels, numbers)])


def numbers_of(ground: Ground, name: str, purpose: str) -> tuple[float, ...]:
    """Return the numbers of a variable's values, wanted for a stated purpose.

    Raises:
        QueryError: its values have none.
    """
    return values.numbers_of(name, ground.labels[name], ground.numbers[name], purpose)


def in_one_world(quantity: Quantity) -> Quantity | None:
    """Return the quantity with one constant subscript for all; None where it has none.

    That can be so on rungs 1 and 2 as well: in P(x=1 | y[x=1]=0) the event and the condition
    together say P(x=1, y=0), of rung 1, and the condition alone is of rung 2.
    """
    simple = quantity
    found = terms(simple)
    if any(term.subscript != found[0].subscript or is_nested(term) for term in found):
        ((_, simple),) = normalise(Query(((1.0, quantity),))).terms
        found = terms(simple)
    if any(term.subscript != found[0].subscript or is_nested(term) for term in found):
        return None
    return simple


def _one_world(quantity: Quantity) -> Quantity:
    """Return the quantity with one constant subscript for all, or refuse it."""
    simple = in_one_world(quantity)
    if simple is None:
        msg = (
            f"{render_quantity(quantity)} is a question of rung 3; interventional identification "
            "answers rungs 1 and 2, so use identify_counterfactual."
        )
        raise QueryError(msg)
    return simple


def _labels(ground: Ground, atoms: tuple[Atom, ...]) -> dict[str, tuple[str, ...]]:
    """Return variable -> the labels that a conjunction allows, in stated order."""
    found: dict[str, tuple[str, ...]] = {}
    for atom in atoms:
        here, name = allowed(ground, atom), atom.term.variable
        before = found.get(name)
        found[name] = here if before is None else tuple([x for x in before if x in here])
    return found


def _settle(labels: dict[str, tuple[str, ...]], forced: Mapping[str, str]) -> bool:
    """Drop forced variables; return False where the conjunction is impossible."""
    possible = all(labels.values())
    for name in [name for name in labels if name in forced]:
        possible = possible and forced[name] in labels.pop(name)
    return possible


def _known(ground: Ground, name: str) -> tuple[str, ...]:
    labels = ground.labels.get(name)
    if labels is None:
        raise values.not_visible(name, ground.labels)
    return labels
