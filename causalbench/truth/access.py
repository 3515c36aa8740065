"""Estimands that need no identification: what the mechanisms, an experiment or a replay gives.

Where the regime reaches the rung of a quantity, it is read off: rung 1 by watching, rung 2 off an
experiment that sets the same variables, rung 3 off units that are run again (replay), or that act
against the choice they were about to make (intent).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from causalbench.query.algebra import conjunctions, is_nested, nested_terms, terms
from causalbench.query.render import render_quantity
from causalbench.truth.identify.estimand import Estimand

if TYPE_CHECKING:
    from causalbench.query.ast import Quantity, Subscript, Term
    from causalbench.truth.permitted import Permitted

__all__ = ["METHODS", "Access", "UnitRead", "unit_access"]

Access = Literal["mechanisms", "replay", "intent"]
METHODS: dict[Access, tuple[str, str]] = {
    "mechanisms": ("abduction, action, prediction", "Pearl (2009), theorem 7.1.7"),
    "replay": ("read off units that are run again", "Bareinboim and others (2022)"),
    "intent": (
        "read off units that act against their choice",
        "Bareinboim, Forney and Pearl (2015)",
    ),
}
"""Access -> what is done, and where it is described."""


@dataclass(frozen=True, slots=True)
class UnitRead(Estimand):
    """A counterfactual quantity that is computed or read off, unit by unit."""

    quantity: Quantity
    access: Access

    def __str__(self) -> str:
        return render_quantity(self.quantity)

    def evaluate(self, permitted: Permitted) -> float:
        """Return the quantity's value.

        Raises:
            AccessError: neither mechanisms nor replays give it.
        """
        return permitted.counterfactual(self.quantity)

    def latex(self) -> str:
        r"""Return e.g. ``P(Y_{x=1}=1 \mid x=0)``, without dollar signs."""
        from causalbench.truth.identify.latex import quantity_latex

        return quantity_latex(self.quantity)


def unit_access(permitted: Permitted, quantity: Quantity) -> Access | None:
    """Tell how a quantity is had unit by unit, or None where it is not.

    Args:
        permitted: what may be used.
        quantity: what is asked; simplified by effectiveness and composition.
    """
    known = permitted.knowledge
    if known.shown == "mechanisms":
        return "mechanisms"
    if not all(permitted.allows(_forced(term)) for term in terms(quantity)):
        return None
    if known.regime == "replay":
        return "replay"
    if known.regime == "intent" and all(
        _intended(permitted, group) for group in conjunctions(quantity)
    ):
        return "intent"
    return None


def _forced(term: Term) -> frozenset[str]:
    """Return every variable that a term sets, at any depth."""
    return frozenset(name for each in nested_terms([term]) for name, _ in each.subscript)


def _intended(permitted: Permitted, group: tuple[Term, ...]) -> bool:
    """Tell whether one action, and what is known before it, say all.

    Known before acting: the natural values of what is set, and of what it does not affect.
    """
    if any(is_nested(term) for term in group):
        return False
    acts: set[Subscript] = {term.subscript for term in group if term.subscript}
    if not acts:
        return True
    if len(acts) > 1:
        return False
    names = {name for name, _ in acts.pop()}
    before = set(names)
    if permitted.knowledge.shown == "diagram":
        before |= set(permitted.names) - permitted.diagram.descendants(names)
    return all(term.subscript or term.variable in before for term in group)
