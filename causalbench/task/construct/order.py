"""What a generated pair is to be: type of question, terms, size, motif, family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.task.forms import FORMS

if TYPE_CHECKING:
    from causalbench.task.forms import Form
    from causalbench.task.terms import Terms

__all__ = ["FAMILIES", "SIZES", "Order"]

SIZES = {"small": (3, 5), "medium": (6, 10), "large": (20, 50)}
"""Size -> the least and the most visible variables."""
FAMILIES = ("discrete", "linear")


@dataclass(frozen=True)
class Order:
    """A pair that is wanted.

    Args:
        form: a name of `causalbench.task.forms`.
        terms: on which it is given.
        size: a key of `SIZES`, of the finished worlds.
        motif: a name of `causalbench.task.construct.shapes.MOTIFS`, the shape to start from.
        family: ``discrete`` or ``linear``.
        index: the pair's number in its stratum; what takes turns, turns by it.
    """

    form: str
    terms: Terms
    size: str = "small"
    motif: str = "free"
    family: str = "discrete"
    index: int = 0

    @property
    def kind(self) -> Form:
        """The type of question, with its rung and track."""
        return FORMS[self.form]

    @property
    def drawn(self) -> bool:
        """Whether the agent sees the diagram, alone or in the mechanisms."""
        return self.terms.cell != "lab"
