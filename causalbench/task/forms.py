"""The types of question: which rung each belongs to, and what it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.errors import NotFoundError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.task.types import Track

__all__ = ["FORMS", "Form", "form"]


@dataclass(frozen=True)
class Form:
    """A type of question.

    Args:
        name: as in `Traits.form`.
        rung: 1, 2 or 3, of every question of this type.
        track: ``estimates`` or ``decisions``.
        asks: what is asked, in one line.
    """

    name: str
    rung: int
    track: Track
    asks: str


_ALL: tuple[Form, ...] = (
    Form("marginal", 1, "estimates", "P(x, y): how often several values come together"),
    Form("conditional", 1, "estimates", "P(y | x, z)"),
    Form("explaining-away", 1, "estimates", "P(a | c, b) - P(a | c) for two causes of c"),
    Form("independence", 1, "estimates", "P(y | x', z) - P(y | x, z), zero in one of the twins"),
    Form("most-probable", 1, "decisions", "the most probable values of what is not seen"),
    Form("interventional", 2, "estimates", "P(y | do(x))"),
    Form("conditional-interventional", 2, "estimates", "P(y | do(x), z)"),
    Form("ATE", 2, "estimates", "P(y | do(x')) - P(y | do(x))"),
    Form("CATE", 2, "estimates", "P(y | do(x'), z) - P(y | do(x), z)"),
    Form("CDE", 2, "estimates", "P(y | do(x', m)) - P(y | do(x, m))"),
    Form("joint-intervention", 2, "estimates", "P(y | do(x, z))"),
    Form("soft-intervention", 2, "estimates", "P(y) where x is drawn from a stated policy"),
    Form("best-action", 2, "decisions", "the action of most expected utility in a fresh unit"),
    Form("unit", 3, "estimates", "P(y had x been so | what was seen of the unit)"),
    Form("ETT", 3, "estimates", "the effect of x on units with the treatment value, of 3 or more"),
    Form("ETU", 3, "estimates", "the effect of x on units without the treatment, of 3 or more"),
    Form("PN", 3, "estimates", "the probability that the cause was necessary"),
    Form("PS", 3, "estimates", "the probability that the cause would be sufficient"),
    Form("PNS", 3, "estimates", "the probability that the cause is necessary and sufficient"),
    Form("NDE", 3, "estimates", "the natural direct effect past a confounded mediator"),
    Form("NIE", 3, "estimates", "the natural indirect effect through a confounded mediator"),
    Form("path-specific", 3, "estimates", "the effect of x along one path of several"),
    Form("cross-world", 3, "estimates", "P(y had x been so, and z had x been otherwise)"),
    Form("but-for", 3, "estimates", "P(y would not have happened but for x | what was seen)"),
    Form("actual-cause", 3, "estimates", "P(x was an actual cause of y | what was seen)"),
    Form("best-redo", 3, "decisions", "the action of most expected utility for the same unit"),
)
FORMS: Mapping[str, Form] = {each.name: each for each in _ALL}


def form(name: str) -> Form:
    """Return the type of question of that name.

    Raises:
        NotFoundError: there is none.
    """
    if name not in FORMS:
        msg = f"no type of question is called '{name}'; take one of {', '.join(FORMS)}."
        raise NotFoundError(msg + suggest(name, FORMS))
    return FORMS[name]
