"""Read a quantity of rung 1 or 2: which variables are forced, asked about and given, and how.

Effectiveness is used up here: a forced variable has its value, so it drops out of events and
conditions, or makes them impossible.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.errors import (
    AccessError,
    QueryError,
    UnknownNameError,
    ZeroProbabilityError,
    suggest,
)
from causalbench.query.algebra import is_nested, normalise, terms
from causalbench.query.ast import Expectation, Query
from causalbench.query.render import render_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causalbench.query.ast import Atom, Quantity
    from causalbench.truth.permitted import Ground

__all__ = ["Asked", "allowed", "numbers_of", "read"]

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


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
            raise _no_label(ground, name, value)
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
    if atom.op in {"=", "!="}:
        if atom.value not in labels:
            raise _no_label(ground, name, atom.value)
        equal = atom.op == "="
        return tuple([label for label in labels if (label == atom.value) == equal])
    numbers = numbers_of(ground, name, f"'{atom.op}'")
    bound = atom.value if isinstance(atom.value, float | int) else None
    if bound is None:
        if atom.value not in labels:
            raise _no_label(ground, name, atom.value)
        bound = numbers[labels.index(str(atom.value))]
    holds = _HOLDS[atom.op]
    pairs = zip(labels, numbers, strict=True)
    return tuple([label for label, number in pairs if holds(number, bound)])


def numbers_of(ground: Ground, name: str, purpose: str) -> tuple[float, ...]:
    """Return the numbers of a variable's values, wanted for a stated purpose.

    Raises:
        QueryError: its values have none.
    """
    numbers = ground.numbers[name]
    if numbers is None:
        msg = f"{purpose} needs numbers, and the values of '{name}' have none; give it 'numbers'."
        raise QueryError(msg)
    return numbers


def _one_world(quantity: Quantity) -> Quantity:
    """Return the quantity with one constant subscript for all."""
    simple = quantity
    found = terms(simple)
    if any(term.subscript != found[0].subscript or is_nested(term) for term in found):
        ((_, simple),) = normalise(Query(((1.0, quantity),))).terms
        found = terms(simple)
    if any(term.subscript != found[0].subscript or is_nested(term) for term in found):
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
        hint = suggest(name, ground.labels)
        msg = f"'{name}' is hidden or does not exist; certificates use visible variables.{hint}"
        raise AccessError(msg)
    return labels


def _no_label(ground: Ground, name: str, value: object) -> UnknownNameError:
    hint = suggest(str(value), ground.labels[name])
    known = ", ".join(ground.labels[name])
    return UnknownNameError(f"'{name}' has no value '{value}'; it has {known}.{hint}")
