"""Rung 1: families of questions about a joint law, each of many cells, for many nets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

    Atom = Callable[[str, int], str]  # (variable, code) -> "y=1"

__all__ = ["Cells", "Conditional", "Contrast", "ExplainingAway", "Marginal"]

Cell = tuple[int, ...]


class Cells(Protocol):
    """A question for every combination of values of some variables."""

    def values(self, batch: Batch) -> tuple[Floats, Floats]:
        """Return the answers, float64[candidate, *cells], and how probable what is given is."""

    def text(self, cell: Cell, atom: Atom) -> str:
        """Return the query of one cell."""


@dataclass(frozen=True)
class Marginal:
    """``P(a, b)`` for every combination of values."""

    names: tuple[str, ...]

    def values(self, batch: Batch) -> tuple[Floats, Floats]:
        """Return the joint law; nothing is given."""
        law = batch.law(self.names)
        return law, np.ones_like(law)

    def text(self, cell: Cell, atom: Atom) -> str:
        """Return e.g. ``P(a=0, b=1)``."""
        return f"P({_event(self.names, cell, atom)})"


@dataclass(frozen=True)
class Conditional:
    """``P(y | given)``; the cells are the values of what is given, then of y."""

    y: str
    given: tuple[str, ...]

    def values(self, batch: Batch) -> tuple[Floats, Floats]:
        """Return the conditional law and the probability of what is given."""
        law = batch.law((*self.given, self.y))
        mass = law.sum(axis=-1, keepdims=True)
        return law / np.where(mass > 0.0, mass, 1.0), np.broadcast_to(mass, law.shape)

    def text(self, cell: Cell, atom: Atom) -> str:
        """Return e.g. ``P(y=1 | x=0)``."""
        return f"P({atom(self.y, cell[-1])} | {_event(self.given, cell, atom)})"


@dataclass(frozen=True)
class ExplainingAway:
    """``P(a | c, b) - P(a | c)``; the cells are the values of c, b and a."""

    a: str
    b: str
    c: str

    def values(self, batch: Batch) -> tuple[Floats, Floats]:
        """Return how much b adds to what c tells of a, and P(c, b)."""
        more, mass = Conditional(self.a, (self.c, self.b)).values(batch)
        less, _ = Conditional(self.a, (self.c,)).values(batch)
        return more - less[:, :, None], mass

    def text(self, cell: Cell, atom: Atom) -> str:
        """Return e.g. ``P(a=1 | c=1, b=1) - P(a=1 | c=1)``."""
        c, b, a = cell
        told = atom(self.c, c)
        goal = atom(self.a, a)
        return f"P({goal} | {told}, {atom(self.b, b)}) - P({goal} | {told})"


@dataclass(frozen=True)
class Contrast:
    """``P(y | x', z) - P(y | x, z)``; the cells are the values of z, then x', x and y."""

    y: str
    x: str
    given: tuple[str, ...]

    def values(self, batch: Batch) -> tuple[Floats, Floats]:
        """Return the differences, and the smaller probability of the two conditions."""
        law, mass = Conditional(self.y, (*self.given, self.x)).values(batch)
        return (
            law[..., :, None, :] - law[..., None, :, :],
            np.minimum(mass[..., :, None, :], mass[..., None, :, :]),
        )

    def text(self, cell: Cell, atom: Atom) -> str:
        """Return e.g. ``P(y=1 | x=1, z=0) - P(y=1 | x=0, z=0)``."""
        *seen, after, before, y = cell
        told = "".join(f", {atom(*pair)}" for pair in zip(self.given, seen, strict=True))
        goal = atom(self.y, y)
        first, second = (atom(self.x, code) for code in (after, before))
        return f"P({goal} | {first}{told}) - P({goal} | {second}{told})"


def _event(names: tuple[str, ...], cell: Cell, atom: Atom) -> str:
    """Write the values of some variables; further codes of the cell are not theirs."""
    return ", ".join(atom(*pair) for pair in zip(names, cell, strict=False))
