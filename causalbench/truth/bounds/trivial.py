"""Bound a query by the range of its quantities alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query.ast import Expectation

if TYPE_CHECKING:
    from causalbench.query.ast import Quantity, Query
    from causalbench.truth.permitted import Permitted

__all__ = ["quantity_range", "trivial_ends"]


def quantity_range(permitted: Permitted, quantity: Quantity) -> tuple[float, float]:
    """Return [0, 1] for a probability, the range of the numbers for an expectation."""
    numbers = None
    if isinstance(quantity, Expectation):
        numbers = permitted.numbers[quantity.term.variable]
    return (0.0, 1.0) if numbers is None else (min(numbers), max(numbers))


def trivial_ends(permitted: Permitted, query: Query) -> tuple[float, float]:
    """Return the ends that hold in every world."""
    low = high = query.constant
    for weight, quantity in query.terms:
        ends = [weight * each for each in quantity_range(permitted, quantity)]
        low, high = low + min(ends), high + max(ends)
    return low, high
