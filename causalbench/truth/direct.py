"""Estimands that read a quantity of rung 1 or 2 off one permitted law; no diagram is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.graph import Diagram
from causalbench.query.algebra import terms
from causalbench.truth.identify.asked import numbers_of, read
from causalbench.truth.identify.estimand import Index, Law, Linear, Ratio, Setting, Sum
from causalbench.truth.permitted import Ground

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.query.ast import Quantity
    from causalbench.truth.identify.estimand import Estimand
    from causalbench.truth.permitted import Permitted

__all__ = ["direct_law", "methods_of"]


def direct_law(permitted: Permitted, quantity: Quantity) -> Estimand | None:
    """Return the law of one experiment, or of what is seen, that is the quantity; else None.

    Args:
        permitted: what may be used; whether a diagram is shown does not matter.
        quantity: of rung 1 or 2, over visible variables.

    Raises:
        AccessError: a variable that is hidden or does not exist.
        QueryError: a quantity of rung 3, an unknown label, or a mean without numbers.
        ZeroProbabilityError: a condition that contradicts the intervention.
    """
    names = Ground(Diagram(permitted.names), permitted.labels, permitted.numbers)
    asked = read(names, quantity)
    if not permitted.allows(asked.forced):
        return None
    if asked.event is None:
        return Linear(())
    do = tuple(asked.forced.items())
    if asked.mean is not None:
        numbers = numbers_of(names, asked.mean, "E[...]")
        labels = permitted.labels[asked.mean]
        return Linear(
            tuple(
                (number, _conditional({asked.mean: (label,)}, asked.given, do))
                for number, label in zip(numbers, labels, strict=True)
                if number
            )
        )
    return _conditional(asked.event, asked.given, do)


def methods_of(quantity: Quantity) -> tuple[str, str]:
    """Say how such a law is had, and where that is described."""
    acts = any(term.subscript for term in terms(quantity))
    how = "read off an experiment" if acts else "read off what is seen"
    return how, "Bareinboim and others (2022)"


def _conditional(
    event: Mapping[str, tuple[str, ...]],
    given: Mapping[str, tuple[str, ...]],
    do: tuple[Setting, ...],
) -> Estimand:
    """Return P(event | given, do(...)), where each variable may have several labels."""
    if all(len(labels) == 1 for labels in given.values()):
        facts = tuple((name, labels[0]) for name, labels in given.items())
        agree = {n: _also(labels, given.get(n, labels)) for n, labels in event.items()}
        if not all(agree.values()):
            return Linear(())
        rest = {name: labels for name, labels in agree.items() if name not in given}
        return _law(rest, facts, do) if rest else Linear((), 1.0)
    both = dict(given)
    for name, labels in event.items():
        both[name] = _also(labels, given.get(name, labels))
        if not both[name]:
            return Linear(())
    return Ratio(_law(both, (), do), _law(given, (), do))


def _also(labels: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels that are among others too, in their order."""
    known = frozenset(others)
    return tuple([label for label in labels if label in known])


def _law(
    outcome: Mapping[str, tuple[str, ...]], given: tuple[Setting, ...], do: tuple[Setting, ...]
) -> Estimand:
    """Return P(outcome | given, do(...)), summed over the labels of variables with several."""
    over: list[Index] = []
    settings: list[Setting] = []
    for name, labels in outcome.items():
        if len(labels) == 1:
            settings.append((name, labels[0]))
        else:
            over.append(Index(name, among=labels))
            settings.append((name, over[-1]))
    law = Law(tuple(settings), given, do)
    return Sum(tuple(over), law) if over else law
