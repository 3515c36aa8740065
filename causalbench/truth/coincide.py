"""The estimand of a query that no algorithm identifies, but whose bounds meet in this world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.query.render import render
from causalbench.truth.identify.estimand import Estimand

if TYPE_CHECKING:
    from causalbench.query.ast import Query
    from causalbench.truth.permitted import Permitted

__all__ = ["Coincide"]


@dataclass(frozen=True, slots=True)
class Coincide(Estimand):
    """The one value that the permitted laws leave, found as a lower and an upper bound.

    Args:
        query: what is asked.
        method: how the bounds are found.
    """

    query: Query
    method: str

    def __str__(self) -> str:
        asked = render(self.query)
        inside = f"({asked})" if self._is_sum() else asked
        return f"min {inside} = max {inside} ({self.method})"

    def evaluate(self, permitted: Permitted) -> float:
        """Return the middle of the bounds, which lie no further apart than rounding."""
        from causalbench.truth.bounds import bounds

        limits = bounds(permitted, self.query)
        return (limits.lower + limits.upper) / 2

    def latex(self) -> str:
        r"""Return ``\min ... = \max ...``."""
        from causalbench.truth.identify.latex import query_latex

        inside = query_latex(self.query)
        if self._is_sum():
            inside = rf"\left({inside}\right)"
        return rf"\min {inside} = \max {inside}"

    def _is_sum(self) -> bool:
        return len(self.query.terms) > 1 or bool(self.query.constant)
