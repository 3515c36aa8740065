"""Queries as values: terms, atoms, quantities, linear combinations of them, and choices.

A `Term` is a counterfactual variable such as ``Y``, ``Y[x=1]`` or ``Y[x=1, m=M[x=0]]``; an `Atom`
compares a term with a constant; a `Probability` or an `Expectation` is asked of atoms; a `Query` is
a linear combination of such quantities; a `Choice` asks which action makes a query largest.
All are frozen and compare by value.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "COMPARE",
    "Action",
    "Atom",
    "Choice",
    "Constant",
    "Expectation",
    "Operator",
    "Probability",
    "Quantity",
    "Query",
    "Subscript",
    "Term",
    "Vocabulary",
    "action_label",
]

Constant = str | float  # the label of a discrete value, or a number for a real variable
Operator = Literal["=", "!=", "<", "<=", ">", ">="]
COMPARE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""What each operator does, to numbers or to whole arrays."""
Subscript = tuple[tuple[str, "Constant | Term"], ...]  # sorted by variable name
Action = tuple[tuple[str, Constant], ...]  # sorted by variable name; () is "pass"


@dataclass(frozen=True, slots=True)
class Term:
    """A variable in the world where its subscript is forced; nested terms are allowed there."""

    variable: str
    subscript: Subscript = ()


@dataclass(frozen=True, slots=True)
class Atom:
    """A term compared with a constant."""

    term: Term
    op: Operator
    value: Constant


@dataclass(frozen=True, slots=True)
class Probability:
    """P(event | given); both are conjunctions, in stated order."""

    event: tuple[Atom, ...]
    given: tuple[Atom, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """E[term | given]: the mean of a real variable, or of one whose values have numbers."""

    term: Term
    given: tuple[Atom, ...] = ()


Quantity = Probability | Expectation


@dataclass(frozen=True, slots=True)
class Query:
    """constant + sum of weight x quantity.

    ``str`` gives normal form, which parses back to an equal query; ``text`` (what was typed) is
    kept for people and takes no part in equality.
    """

    terms: tuple[tuple[float, Quantity], ...]
    constant: float = 0.0
    text: str = field(default="", compare=False)

    @property
    def rung(self) -> int:
        """1, 2 or 3, derived from the query's form alone (see `causalbench.query.rung`)."""
        from causalbench.query.rung import rung_of

        return rung_of(self)

    def __str__(self) -> str:
        from causalbench.query.render import render

        return render(self)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which action makes the objective largest (ties go to the action stated first).

    Args:
        placeholder: the name that stands for the action in the objective's text, e.g. ``a``.
        actions: the actions in stated order; ``()`` is pass.
        objectives: the objective with each action put in, aligned with ``actions``.
        template: the objective as written, with the placeholder.
    """

    placeholder: str
    actions: tuple[Action, ...]
    objectives: tuple[Query, ...]
    template: str = field(compare=False)
    text: str = field(default="", compare=False)

    @property
    def rung(self) -> int:
        """The highest rung among the objectives."""
        return max(query.rung for query in self.objectives)

    @property
    def labels(self) -> tuple[str, ...]:
        """The actions' labels, e.g. ``("x=0", "x=1", "pass")``."""
        return tuple(action_label(action) for action in self.actions)

    def options(self) -> Iterator[tuple[str, Query]]:
        """Yield (label, objective) in stated order."""
        yield from zip(self.labels, self.objectives, strict=True)

    def __str__(self) -> str:
        from causalbench.query.render import render_choice

        return render_choice(self)


@dataclass(frozen=True)
class Vocabulary:
    """The names a query may use: each variable's value labels, or None where it is real."""

    values: Mapping[str, tuple[str, ...] | None]


def action_label(action: Action) -> str:
    """Return ``"pass"`` for (), else ``"x=1, z=0"`` with names and values quoted where needed."""
    from causalbench.query.render import quote

    if not action:
        return "pass"
    return ", ".join(f"{quote(name)}={quote(value)}" for name, value in action)
