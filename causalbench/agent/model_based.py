"""Answer through a model of the world: one shown, one fitted, or one learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.agent.fit import STARTS, Fitted, fit_laws
from causalbench.agent.given import laws_of, told
from causalbench.agent.learned import ModelLearned
from causalbench.agent.models import GUESSES, TOLERANCE, agree, build
from causalbench.errors import AgentError, TooWideError
from causalbench.task.answer import Abstain, Answer

if TYPE_CHECKING:
    import numpy as np

    from causalbench.agent.protocol import Clock
    from causalbench.scm import SCM
    from causalbench.task.types import Dossier, Question

__all__ = ["ModelDiagram", "ModelLearned"]

_RUNG_3 = 3
_SLACK = 10.0


class ModelDiagram:
    """Fit the shown diagram to the given laws, and compute the answer in the fitted world.

    With mechanisms shown, the world is the shown one. With a diagram, several worlds that all have
    the given laws are fitted (from several starts where causes are hidden, with several couplings
    where a rung-3 question meets a mechanism whose coupling is not told); where they disagree, the
    question is not identified, and the agent says so.

    Args:
        starts: how many random starts to add to the two planned ones where causes are hidden.
        tolerance: the largest disagreement between fitted worlds that counts as agreement; with n
            rows in place of exact laws, two standard errors (1 / sqrt n) if that is more.
    """

    name = "model-diagram"
    accepts = frozenset({"estimate", "bet", "act", "redo"})
    cells = frozenset({"diagram", "mechanisms"})

    def __init__(self, *, starts: int = 3, tolerance: float = TOLERANCE) -> None:
        if starts < 0 or tolerance <= 0:
            msg = f"starts {starts} or tolerance {tolerance} is out of range; use >= 0 and > 0."
            raise AgentError(msg)
        self.config: dict[str, Any] = {"starts": starts, "tolerance": tolerance}
        self._dossier: Dossier | None = None
        self._shown: SCM | None = None
        self._fits: list[Fitted] = []
        self._models: dict[bool, list[SCM]] = {}
        self._tolerance = tolerance
        self._why = "no dossier was studied"

    def study(self, dossier: Dossier, lab: Any, *, rng: np.random.Generator, clock: Clock) -> None:
        """Fit the diagram to what is given; the lab is left alone."""
        del lab, clock
        self._dossier, self._shown, self._fits, self._models = dossier, None, [], {}
        if dossier.mechanisms is not None:
            self._shown = dossier.mechanisms
            return
        if dossier.diagram is None:
            self._why = "neither diagram nor mechanisms are shown"
            return
        if any(variable.is_real for variable in dossier.variables):
            self._why = "the fit is for discrete variables, and some are real"
            return
        cards = {variable.name: variable.cardinality for variable in dossier.variables}
        try:
            laws = laws_of(dossier)
        except TooWideError as error:
            self._why = f"too wide to fit: {error}"
            return
        if not laws:
            self._why = "there are neither laws nor rows to fit"
            return
        starts = [*STARTS[:2], *STARTS[2:] * int(self.config["starts"])]
        if not dossier.diagram.bidirected:
            starts = starts[:1]
        self._tolerance = float(self.config["tolerance"])
        if not dossier.laws:
            self._tolerance = max(self._tolerance, 1.0 / len(dossier.rows) ** 0.5)
        try:
            self._fits = [
                fit_laws(dossier.diagram, cards, laws, start=start, rng=rng) for start in starts
            ]
        except TooWideError as error:
            self._why = f"too wide to fit: {error}"
            return
        # A fit that has not the law is no witness: its own error must not look like disagreement.
        self._tolerance = max(self._tolerance, _SLACK * max(fitted.gap for fitted in self._fits))

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Answer in the shown world, or where all fitted worlds agree."""
        del rng
        if self._shown is not None:
            return agree([self._shown], question)
        if not self._fits:
            return Abstain(self._why)
        from causalbench.query import parse

        deep = parse(question.query).rung == _RUNG_3
        return agree(self._worlds(deep=deep), question, tolerance=self._tolerance)

    def _worlds(self, *, deep: bool) -> list[SCM]:
        """Return the fitted worlds; for rung 3, under every coupling that is tried."""
        if deep not in self._models:
            assert self._dossier is not None  # noqa: S101  (study put it there)
            names = told(self._dossier)
            guesses = GUESSES if deep else GUESSES[:1]
            self._models[deep] = [
                build(fitted, self._dossier.variables, names, guess=guess)
                for fitted in self._fits
                for guess in guesses
            ]
        return self._models[deep]
