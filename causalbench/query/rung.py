"""Derive the rung of a query from its form alone.

Each quantity is the ratio P(A, E) / P(E). Both conjunctions are simplified by effectiveness and
composition. What is left is rung 1 if no term carries a subscript, rung 2 if all carry one and the
same, constant one, and rung 3 otherwise. A sum takes the maximum. The form says what kind of
question it is; whether a lower rung's laws already fix the answer is for a certificate to say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from causalbench.query.algebra import conjunctions, is_nested
from causalbench.query.ast import Choice, Quantity, Query, Term

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["rung_of", "rung_of_quantity"]


def rung_of(query: Query | Choice) -> int:
    """Return 1, 2 or 3; a choice takes the highest rung of its objectives."""
    if isinstance(query, Choice):
        return max(rung_of(objective) for objective in query.objectives)
    return max((rung_of_quantity(quantity) for _, quantity in query.terms), default=1)


@lru_cache(maxsize=8192)
def rung_of_quantity(quantity: Quantity) -> int:
    """Return the rung of one P(...) or E[...]."""
    return max(_rung_of_conjunction(part) for part in conjunctions(quantity))


def _rung_of_conjunction(terms: Sequence[Term]) -> int:
    """Return the rung of a simplified conjunction."""
    subscripts = {term.subscript for term in terms}
    if subscripts <= {()}:
        return 1
    if len(subscripts) == 1 and not any(is_nested(term) for term in terms):
        return 2
    return 3
