"""Answer as a yardstick would: controls are handed the key, and are shown apart in every table."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from causalbench.agent.protocol import Abstain, Answer, Choice, Estimate, Interval
from causalbench.errors import AgentError
from causalbench.query import Expectation, Query, Term, parse, parse_event
from causalbench.rng import integers, uniforms
from causalbench.scm import SCM, couple
from causalbench.task.rungs import INTERVENTION
from causalbench.task.span import legal_range
from causalbench.truth.readings import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causalbench.graph import Diagram
    from causalbench.query.ast import Quantity
    from causalbench.task.types import Dossier, Item, Question

__all__ = [
    "Adjacency",
    "Constant",
    "Control",
    "DoReader",
    "EdgeCount",
    "Exact",
    "Majority",
    "Random",
    "Reachability",
    "SeeReader",
    "WinStayLoseShift",
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
        """Return the key's truth, or its bounds where the certificate says "not identified"."""
        del dossier, rng
        if item.key.certificate.bounds is not None:
            return Interval(*item.key.certificate.bounds)
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


class _DiagramReader(Control):
    """Take P(y | x) for the effect of x on y where the shown diagram has some feature, else P(y).

    On rungs 2 and 3 the forced variables are x and the event's variables y; each probability of a
    sum, and each action's objective, is read by itself. On rung 1 and without a diagram the answer
    is the see reading.
    """

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return the reading, or the action with the best reading."""
        del rng
        diagram, query = _shown(dossier), parse(item.question.query)
        if diagram is None or query.rung < INTERVENTION:
            return _said(item, item.key.readings["see"])
        if isinstance(query, Query):
            kinds = {self._kind(quantity, diagram) for _, quantity in query.terms}
            if len(kinds) == 1:
                return _said(item, item.key.readings[kinds.pop()])
        world = _watched(dossier)
        if world is None:
            return _said(item, item.key.readings["see"])
        if isinstance(query, Query):
            return _said(item, self._value(query, diagram, world))
        options = [(label, self._value(each, diagram, world)) for label, each in query.options()]
        return _said(item, max(options, key=lambda option: round(option[1], 12))[0])

    def trusts(self, x: str, y: str, diagram: Diagram) -> bool:
        """Say whether the diagram makes the reader take P(y | x) for the effect of x on y."""
        raise NotImplementedError

    def _kind(self, quantity: Quantity, diagram: Diagram) -> str:
        terms = _terms(quantity)
        pairs = product({name for term in terms for name in _forced(term)}, terms)
        trusted = (
            x == term.variable or self.trusts(x, term.variable, diagram) for x, term in pairs
        )
        return "see" if any(trusted) else "marginal"

    def _value(self, query: Query, diagram: Diagram, world: SCM) -> float:
        total = query.constant
        for weight, quantity in query.terms:
            alone = Query(((1.0, quantity),))
            kind = self._kind(quantity, diagram) if alone.rung >= INTERVENTION else "see"
            total += weight * reading(world, alone, kind)
        return total


class Reachability(_DiagramReader):
    """Guess P(y | x) if the shown diagram has a directed path from x to y, else P(y)."""

    name = "reachability"

    def trusts(self, x: str, y: str, diagram: Diagram) -> bool:
        """Look for a path."""
        return x in diagram.ancestors([y])


class Adjacency(_DiagramReader):
    """Guess P(y | x) if the shown diagram has the edge x -> y, else P(y)."""

    name = "adjacency"

    def trusts(self, x: str, y: str, diagram: Diagram) -> bool:
        """Look for an edge."""
        return x in diagram.parents(y)


class EdgeCount(_DiagramReader):
    """Guess P(y | x) if in the shown diagram x has at least as many edges as y, else P(y)."""

    name = "edge-count"

    def trusts(self, x: str, y: str, diagram: Diagram) -> bool:
        """Count edges of both sorts."""
        ends = [end for edge in (*diagram.directed, *diagram.bidirected) for end in edge]
        return ends.count(x) >= ends.count(y)


class WinStayLoseShift(Control):
    """In a redo repeat what was done if the outcome was the wanted one, else do the next action.

    What was done is the first action whose event was seen, else pass; wanted is the event of the
    greatest weight. All other questions get the see reading.
    """

    name = "win-stay-lose-shift"

    def consult(self, dossier: Dossier, item: Item, *, rng: np.random.Generator) -> Answer:
        """Return the action, or the see reading."""
        del rng
        question = item.question
        found = [each for each in dossier.decisions if each.id == question.decision_id]
        if question.kind != "redo" or not found or not found[0].utility:
            return _said(item, item.key.readings["see"])
        fact = dict(question.observation or {})
        actions = question.actions
        taken = [label for label in actions if label != "pass" and _holds(label, fact)]
        stay = actions.index(taken[0] if taken else "pass" if "pass" in actions else actions[0])
        wanted = max(found[0].utility, key=lambda part: part[0])[1]
        return Choice(actions[stay if _holds(wanted, fact) else (stay + 1) % len(actions)])


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


def _watched(dossier: Dossier) -> SCM | None:
    """Return a world that has the law of what is seen, or None where no law is shown."""
    if dossier.mechanisms is not None:
        return dossier.mechanisms
    table = next((law.table for law in dossier.laws if not law.do), None)
    if table is None:
        return None
    mechanisms = {}
    names = [variable.name for variable in dossier.variables]
    for place, name in enumerate(names):
        joint = table.sum(axis=tuple(range(place + 1, table.ndim)))
        mass = joint.sum(axis=-1, keepdims=True)
        # A row that never occurs is free.
        cpt = np.where(mass > 0.0, joint / np.where(mass > 0.0, mass, 1.0), 1 / joint.shape[-1])
        mechanisms[name] = couple(cpt, "monotone", tuple(names[:place]))
    return SCM({variable.name: variable for variable in dossier.variables}, mechanisms)


def _holds(label: str, fact: Mapping[str, str]) -> bool:
    """Say whether an event is among the facts."""
    return all(
        (fact.get(atom.term.variable) == atom.value) == (atom.op == "=")
        for atom in parse_event(label)
    )


def _terms(quantity: Quantity) -> list[Term]:
    if isinstance(quantity, Expectation):
        return [quantity.term]
    return [atom.term for atom in quantity.event]


def _forced(term: Term) -> Iterator[str]:
    for name, value in term.subscript:
        yield name
        if isinstance(value, Term):
            yield from _forced(value)
