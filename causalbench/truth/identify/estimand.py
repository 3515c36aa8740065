"""Estimands: readable expressions over permitted laws.

A `Law` is a probability at a point; a point's values are labels, or indices that an outer `Sum`
runs over. Nodes are frozen, compare by value, print as text and as LaTeX, and are evaluated on a
`Permitted`. Another kind of estimand may stand in an expression: it is a number there, and prints
as its own text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causalbench.truth.permitted import Permitted

__all__ = ["Estimand", "Index", "Law", "Linear", "Product", "Ratio", "Setting", "Sum", "Value"]


@dataclass(frozen=True, slots=True)
class Index:
    """A value that a sum runs over.

    Args:
        variable: whose values.
        mark: 0 for z, 1 for z', 2 for z'' ...
        among: the labels it takes, or None for all of the variable's.
    """

    variable: str
    mark: int = 0
    among: tuple[str, ...] | None = None


Value = str | Index
Setting = tuple[str, Value]  # (variable, value); an index is of the same variable


class Estimand:
    """Any expression below.

    ``str`` gives readable text, e.g. ``sum_{z} P(y=1 | x=1, z) P(z)``; an index prints as the name
    of its variable.
    """

    __slots__ = ()

    def __str__(self) -> str:
        from causalbench.truth.identify.estimand_text import text

        return text(self)

    def evaluate(self, permitted: Permitted) -> float:
        """Return the number that the permitted laws give.

        A conditional law whose condition has probability zero is undefined. Times a factor that is
        exactly zero it counts as zero, which is right: see `causalbench.truth.identify.evaluate`.

        Raises:
            AccessError: it uses a law that is not permitted.
            PositivityError: its value hangs on a condition of probability zero.
            QueryError: a value of a law is an index that no sum runs over.
            TooWideError: a table of more than 2^26 cells.
        """
        from causalbench.truth.identify.evaluate import evaluate

        return evaluate(self, permitted)

    def latex(self) -> str:
        """Return the expression as LaTeX, without dollar signs."""
        from causalbench.truth.identify.estimand_text import latex

        return latex(self)


@dataclass(frozen=True, slots=True)
class Law(Estimand):
    """P(outcome | given, do(...)) at a point; settings are in the order to print them."""

    outcome: tuple[Setting, ...]
    given: tuple[Setting, ...] = ()
    do: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class Sum(Estimand):
    """The body summed over indices."""

    over: tuple[Index, ...]
    body: Estimand


@dataclass(frozen=True, slots=True)
class Product(Estimand):
    """The factors multiplied; 1 without any."""

    factors: tuple[Estimand, ...]


@dataclass(frozen=True, slots=True)
class Ratio(Estimand):
    """One estimand divided by another.

    What it equals must be bounded over the worlds in which it is defined, as a conditional
    probability is: then nothing times it, where it is undefined, is nothing.
    """

    numerator: Estimand
    denominator: Estimand


@dataclass(frozen=True, slots=True)
class Linear(Estimand):
    """constant + sum of weight x estimand."""

    terms: tuple[tuple[float, Estimand], ...]
    constant: float = 0.0
