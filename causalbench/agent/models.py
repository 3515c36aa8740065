"""Turn fitted tables into worlds of our own, and let several of them answer together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CausalBenchError, ZeroProbabilityError
from causalbench.task.answer import Abstain, Answer, Choice, Estimate, Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.agent.fit import Fitted
    from causalbench.agent.given import Coupling
    from causalbench.query import Choice as Menu
    from causalbench.query import Query
    from causalbench.scm import SCM, Mechanism, Variable
    from causalbench.task.types import Question

__all__ = ["GUESSES", "TOLERANCE", "agree", "build"]

TOLERANCE = 0.01  # models of one exact law that differ by more are witnesses, not rounding
_WIDE = 0.1  # a range this wide is an answer of its own: it cannot be known, but lies in between
GUESSES = ("natural", "monotone", "antitone")  # couplings to try where none is told


def build(
    fitted: Fitted,
    variables: Sequence[Variable],
    couplings: Mapping[str, Coupling],
    *,
    guess: str = "natural",
) -> SCM:
    """Make a world of fitted tables.

    Args:
        fitted: the tables.
        variables: the visible variables.
        couplings: mechanism -> coupling, where told.
        guess: what to assume elsewhere: ``natural`` (independent, or monotone where that is too
            wide), ``monotone`` or ``antitone`` (in the first visible parent).
    """
    from causalbench.scm import SCM, Variable

    roots = {
        name: Variable(name, tuple(str(i) for i in range(fitted.cards[name])), hidden=True)
        for name in fitted.cards
        if name in fitted.hidden
    }
    known = {**roots, **{variable.name: variable for variable in variables}}
    mechanisms = {
        name: _mechanism(
            fitted.tables[name],
            fitted.parents[name],
            couplings.get(name),
            guess,
            [p for p in fitted.parents[name] if p not in fitted.hidden],
        )
        for name in known
    }
    return SCM(known, mechanisms, couplings_known=set(couplings) >= set(known))


def _mechanism(
    table: np.ndarray,
    parents: tuple[str, ...],
    spec: Coupling | None,
    guess: str,
    seen: Sequence[str],
) -> Mechanism:
    """Couple one table as told, else as guessed."""
    from causalbench.scm.couplings import couple, natural_coupling

    table = table / table.sum(-1, keepdims=True)
    if spec is not None:
        return couple(table, spec, parents)
    if guess == "antitone" and seen:
        return couple(table, {"antitone": {"in": seen[0]}}, parents)
    return couple(table, natural_coupling(table) if guess == "natural" else "monotone", parents)


def agree(models: Sequence[SCM], question: Question, *, tolerance: float = TOLERANCE) -> Answer:
    """Let models answer, and abstain as unidentified where they disagree.

    Args:
        models: worlds that all have what the agent was given.
        question: a question over their visible variables.
        tolerance: the largest difference that counts as agreement.

    Returns:
        An estimate (the mean, with the models' range) or a choice; where models disagree, the
        interval of their answers, or an abstention where that is narrow.
    """
    from causalbench.query import Choice as Menu
    from causalbench.query import parse

    query = parse(question.query, models[0].vocabulary)
    try:
        if isinstance(query, Menu):
            return _choose(models, query, question)
        return _estimate(models, query, tolerance)
    except ZeroProbabilityError as error:
        return Abstain(f"the condition never happens in the model: {error}")
    except CausalBenchError as error:
        return Abstain(f"the model cannot answer: {error}")


def _estimate(models: Sequence[SCM], query: Query, tolerance: float) -> Answer:
    from causalbench.truth import value

    values = [value(model, query) for model in models]
    low, high = min(values), max(values)
    if high - low > tolerance:
        if high - low >= _WIDE:
            return Interval(low, high)
        reason = f"{len(models)} models with all that is given answer {low:.3f} to {high:.3f}"
        return Abstain(reason, unidentified=True)
    return Estimate(float(np.mean(values)), low=low, high=high)


def _choose(models: Sequence[SCM], menu: Menu, question: Question) -> Answer:
    from causalbench.truth import value

    best: list[int] = []
    for model in models:
        values = [round(value(model, objective), 9) for objective in menu.objectives]
        best.append(int(np.argmax(values)))
    if len(set(best)) > 1:
        labels = " or ".join(question.actions[i] for i in sorted(set(best)))
        return Abstain(f"models with all that is given prefer {labels}", unidentified=True)
    return Choice(question.actions[best[0]])
