"""An agent in a package of its own: answer with frequencies, take the commonest action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.agent.protocol import Abstain, Answer, Choice, Clock, Estimate
from causalbench.query import Probability, Query, parse

if TYPE_CHECKING:
    import numpy as np

    from causalbench.task.lab import Lab
    from causalbench.task.types import Dossier, Question

__all__ = ["Echo"]


class Echo:
    """Repeat what the rows say, whatever was asked.

    Args:
        prior: rows added to each side of a frequency.
    """

    name = "echo"
    accepts = frozenset({"estimate", "bet", "act", "redo"})

    def __init__(self, prior: float = 0.5) -> None:
        self.config = {"prior": prior}
        self.prior = prior
        self.dossier: Dossier | None = None

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Keep the dossier."""
        del lab, rng, clock
        self.dossier = dossier

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the frequency of the first event among the rows, or the first action."""
        del rng
        if question.actions:
            return Choice(question.actions[0])
        query = parse(question.query)
        if self.dossier is None or not isinstance(query, Query):
            return Abstain("nothing was studied")
        quantity = query.terms[0][1]
        if not isinstance(quantity, Probability):
            return Abstain("only probabilities are echoed")
        atom = quantity.event[0]
        place = self.dossier.names.index(atom.term.variable)
        code = self.dossier.variables[place].code(atom.value)
        rows = self.dossier.rows
        hits = float((rows[:, place] == code).sum()) if len(rows) else 0.0
        return Estimate((hits + self.prior) / (len(rows) + 2 * self.prior))
