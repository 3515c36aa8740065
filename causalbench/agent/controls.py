"""Answer as a yardstick would: controls are handed the key, and are shown apart in every table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from causalbench.agent.protocol import Abstain, Answer, Choice, Estimate
from causalbench.errors import AgentError
from causalbench.query import Expectation, Query, Term, parse
from causalbench.rng import integers, uniforms

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from causalbench.graph import Diagram
    from causalbench.task.types import Dossier, Item, Question

__all__ = [
    "Constant",
    "Control",
    "DoReader",
    "Exact",
    "Majority",
    "Random",
    "Reachability",
    "SeeReader",
    "legal_range",
]


class Control:
    """A solver that knows the key, and uses of it no more than its name says.

    The run hands each item to `consult`; there is nothing to study, so `answer` is refused.
    """

    name: ClassVar[str]
    accepts: ClassVar[frozenset[str]] = frozenset({"estimate", "bet", "act", "redo"})

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Answer an item, key at hand."""
        raise NotImplementedError

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Refuse: a control needs the key, which no question holds.

        Raises:
            AgentError: always.
        """
        del rng
        msg = f"control '{self.name}' cannot answer question '{question.id}' without its key;"
        msg += " run it by evaluate()."
        raise AgentError(msg)


class Exact(Control):
    """Say the truth, or that the dossier does not settle it."""

    name = "exact"

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return the key's truth; abstain where the certificate says "not identified"."""
        del dossier, rng
        if not item.key.certificate.identified:
            return Abstain(item.key.certificate.proof, unidentified=True)
        return _said(item, item.key.truth)


class Random(Control):
    """Guess uniformly."""

    name = "random"

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return a uniform number from the query's legal range, or a uniform action."""
        actions = item.question.actions
        if actions:
            return Choice(actions[int(integers(rng, len(actions)))])
        low, high = legal_range(item.question.query, dossier)
        return Estimate(low + (high - low) * float(uniforms(rng, ())))


class Constant(Control):
    """Say the same whatever the world is."""

    name = "constant"

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return the middle of the legal range (.5, or 0 for a difference), or the first action."""
        del rng
        if item.question.actions:
            return Choice(item.question.actions[0])
        return Estimate(sum(legal_range(item.question.query, dossier)) / 2)


class _Reader(Control):
    """Answer with one of the key's readings, on unidentified items too."""

    reading: ClassVar[str]

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return the reading."""
        del dossier, rng
        return _said(item, item.key.readings[self.reading])


class Majority(_Reader):
    """Answer from one-variable marginals, as if nothing depended on anything."""

    name = "majority"
    reading = "marginal"


class SeeReader(_Reader):
    """Answer as the perfect solver of rung 1: doing is seeing."""

    name = "see-reader"
    reading = "see"


class DoReader(_Reader):
    """Answer as the perfect solver of rung 2: what happened to this unit is forgotten."""

    name = "do-reader"
    reading = "do"


class Reachability(Control):
    """Guess P(y | x) if the shown diagram has a directed path from x to y, else P(y).

    On rungs 2 and 3 the forced variables are x and the events are y: if any of them reaches any
    event this is the see reading, else the marginal one. On rung 1, without a diagram, and for
    decisions it is the see reading.
    """

    name = "reachability"

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return the see reading, or the marginal one where nothing forced reaches an event."""
        del rng
        reading = "see"
        diagram = _shown(dossier)
        if diagram is not None and not item.question.actions:
            query = parse(item.question.query)
            if isinstance(query, Query) and query.rung > 1 and not _reaches(query, diagram):
                reading = "marginal"
        return _said(item, item.key.readings[reading])


def legal_range(query: str, dossier: Dossier) -> tuple[float, float]:
    """Return the lowest and highest value that a query's form allows.

    A probability lies in [0, 1], an expectation between the least and greatest number of its
    variable's values ([-1, 1] where the variable is real), and a sum of them in the sum of the
    ranges: so a difference of probabilities lies in [-1, 1].

    Args:
        query: an estimate's query.
        dossier: whose variables have the numbers.
    """
    parsed = parse(query)
    if not isinstance(parsed, Query):
        msg = f"'{query}' asks for an action, which has no range; give an estimate's query."
        raise AgentError(msg)
    numbers = {variable.name: variable.numbers for variable in dossier.variables}
    low = high = parsed.constant
    for weight, quantity in parsed.terms:
        ends = (0.0, 1.0)
        if isinstance(quantity, Expectation):
            values = numbers.get(quantity.term.variable) or (-1.0, 1.0)
            ends = (min(values), max(values))
        low += min(weight * end for end in ends)
        high += max(weight * end for end in ends)
    return low, high


def _said(item: Item, value: float | str) -> Answer:
    """Wrap a key's value as the answer that the question asks for."""
    if item.question.actions:
        return Choice(str(value))
    number = float(value)
    if not math.isfinite(number):
        return Abstain("the reading does not exist")
    return Estimate(number)


def _shown(dossier: Dossier) -> Diagram | None:
    if dossier.diagram is not None:
        return dossier.diagram
    return None if dossier.mechanisms is None else dossier.mechanisms.diagram


def _reaches(query: Query, diagram: Diagram) -> bool:
    """Say whether a forced variable is an ancestor of an event's variable."""
    for _, quantity in query.terms:
        terms = (
            [quantity.term]
            if isinstance(quantity, Expectation)
            else [atom.term for atom in quantity.event]
        )
        forced = {name for term in terms for name in _forced(term)}
        if forced & diagram.ancestors([term.variable for term in terms]):
            return True
    return False


def _forced(term: Term) -> Iterator[str]:
    for name, value in term.subscript:
        yield name
        if isinstance(value, Term):
            yield from _forced(value)
