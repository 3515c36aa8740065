"""How far apart a query's values may lie by its form alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import QueryError
from causalbench.query import Expectation, Query, parse

if TYPE_CHECKING:
    from causalbench.task.types import Dossier

__all__ = ["legal_range"]


def legal_range(query: str, dossier: Dossier) -> tuple[float, float]:
    """Return the lowest and highest value that a query's form allows.

    A probability lies in [0, 1], an expectation between the least and greatest number of its
    variable's values ([-1, 1] where the variable is real), and a sum of them in the sum of the
    ranges: so a difference of probabilities lies in [-1, 1].

    Args:
        query: an estimate's query.
        dossier: whose variables have the numbers.

    Raises:
        QueryError: the query is a choice.
    """
    parsed = parse(query)
    if not isinstance(parsed, Query):
        msg = f"'{query}' asks for an action, which has no range; give an estimate's query."
        raise QueryError(msg)
    numbers = {variable.name: variable.numbers for variable in dossier.variables}
    low = high = parsed.constant
    for weight, quantity in parsed.terms:
        ends = (0.0, 1.0)
        if isinstance(quantity, Expectation):
            values = numbers.get(quantity.term.variable) or (-1.0, 1.0)
            ends = (min(values), max(values))
        low += min(weight * end for end in ends)
        high += max(weight * end for end in ends)
    return low, high
