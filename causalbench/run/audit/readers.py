"""Answer by reading something simple off the diagram: shortcuts for setting x to move y.

The readers look at the shown diagram and at what is seen, reduce each probability after an
intervention to a simple formula of the latter, and are judged where a diagram is shown. They are
written apart from the ones that the generator holds off and from the controls, so that the three
check one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.controls import (
    Adjacency,
    EdgeCount,
    Reachability,
    WinStayLoseShift,
)
from causalbench.query import Expectation, Query
from causalbench.run.audit.drawn import shown_diagram
from causalbench.run.audit.roles import parsed
from causalbench.run.audit.watched import Watched
from causalbench.score.losses import loss
from causalbench.task.rungs import ASSOCIATION, INTERVENTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causalbench.graph import Diagram
    from causalbench.query.ast import Quantity
    from causalbench.run.audit.watched import Facts
    from causalbench.task.types import Case, Dossier, Item

__all__ = ["READERS", "reader_losses"]

READERS: Mapping[str, str] = {
    "see-reader": "what is seen where x is so",
    "do-reader": "what doing x would give in a fresh unit",
    "reachability": "P(y | x) if a path leads from x to y, else P(y)",
    "adjacency": "P(y | x) if x -> y is drawn, else P(y)",
    "edge-count": "P(y | x) if x has as many edges as y, else P(y)",
    "no-bow": "P(y) if x <-> y is drawn, else P(y | x)",
    "half-way": "the mean of both if x <-> y is drawn, else P(y | x)",
    "adjust": "P(y | x) averaged over all that x does not reach",
    "parents": "P(y | x) averaged over the drawn causes of x",
    "no-front-door": "P(y) if x <-> y is drawn, else as adjust",
    "mediator": "sum over m of P(m | x) P(y | m) if x <-> y is drawn, else as adjust",
    "last-mediator": "the same through the last of several mediators",
    "win-stay-lose-shift": "repeat what went well, else take the next action",
}
_DRAWN = ("no-bow", "half-way", "adjust", "parents", "no-front-door", "mediator", "last-mediator")
_CONTROLS = (Reachability(), Adjacency(), EdgeCount())
_STAY = WinStayLoseShift()


def reader_losses(case: Case, item: Item) -> dict[str, float]:
    """Return what each reader's answer costs, of those that the question leaves a shortcut.

    A reader of the question's own rung is no shortcut; on rung 3 twins share diagram and rung 2,
    so one reader of the diagram is as blind as another, and the controls' stand for all.

    Args:
        case: for its dossier and rung.
        item: one of its items.
    """
    rung, dossier = case.placement.rung, case.dossier
    rng = np.random.default_rng(0)  # readers draw nothing
    found: dict[str, float] = {}
    if rung == ASSOCIATION:
        return found
    for name, kind in (("see-reader", "see"), ("do-reader", "do")):
        if kind == "see" or rung > INTERVENTION:
            found[name] = _cost(item, item.key.readings[kind])
    if item.question.kind == "redo":
        answer = _STAY.consult(dossier, item, rng=rng)
        found[_STAY.name] = loss(answer, item.question, item.key).value
    diagram = shown_diagram(dossier)
    if diagram is None:
        return found
    watched = Watched(dossier)
    if not watched.told and dossier.mechanisms is None:  # nothing to read, or real rows alone
        return found
    for control in _CONTROLS:
        answer = control.consult(dossier, item, rng=rng)
        found[control.name] = loss(answer, item.question, item.key).value
    if rung == INTERVENTION and watched.told:
        found |= dict(_read(dossier, item, diagram, watched))
    return found


def _cost(item: Item, said: float | str) -> float:
    """Return what a reading costs as an answer."""
    key = item.key
    if isinstance(said, str):
        worth = key.values[item.question.actions.index(said)]
        return key.weight * (max(key.values) - worth)
    return key.weight * abs(said - float(key.truth)) if np.isfinite(said) else key.floor / 2


def _read(
    dossier: Dossier, item: Item, diagram: Diagram, watched: Watched
) -> Iterator[tuple[str, float]]:
    query = parsed(item.question.query)
    options = [query] if isinstance(query, Query) else list(query.objectives)
    quantities = [quantity for each in options for _, quantity in each.terms]
    if any(isinstance(quantity, Expectation) for quantity in quantities):
        return
    for reader in _DRAWN:
        glance = _Glance(reader, list(dossier.names), diagram, watched)
        values = [round(glance.value(each), 12) for each in options]
        if isinstance(query, Query):
            yield reader, _cost(item, values[0])
        else:
            yield reader, _cost(item, query.labels[int(np.argmax(values))])


class _Glance:
    """One reader's look at one dossier."""

    def __init__(self, reader: str, names: list[str], diagram: Diagram, watched: Watched) -> None:
        self._reader, self._names = reader, names
        self._diagram, self._watched = diagram, watched
        self._bows = {frozenset(edge) for edge in diagram.bidirected}

    def value(self, query: Query) -> float:
        """Return what the reader takes for a sum of probabilities."""
        return query.constant + sum(w * self._effect(quantity) for w, quantity in query.terms)

    def _effect(self, quantity: Quantity) -> float:
        if isinstance(quantity, Expectation):  # refused above
            return 0.0
        event = tuple((a.term.variable, a.op, str(a.value)) for a in quantity.event)
        given = tuple((a.term.variable, a.op, str(a.value)) for a in quantity.given)
        forced = {
            name: str(label) for atom in quantity.event for name, label in atom.term.subscript
        }
        for name, sign, label in event:
            if name in forced and (forced[name] == label) != (sign == "="):
                return 0.0
        event = tuple(fact for fact in event if fact[0] not in forced)
        if not event:
            return 1.0
        x = tuple((name, "=", label) for name, label in forced.items())
        return self._guess(event, given, x) if x else self._watched.chance(event, given)

    def _guess(self, event: Facts, given: Facts, x: Facts) -> float:
        """Return what the reader makes of an effect."""
        goal, causes = event[0][0], [name for name, _, _ in x]
        plain = self._watched.chance(event, given)
        if goal not in self._diagram.descendants(causes):
            return plain
        bow = any(frozenset((cause, goal)) in self._bows for cause in causes)
        if self._reader in {"no-bow", "half-way"}:
            seen = self._watched.chance(event, (*given, *x))
            if not bow:
                return seen
            return plain if self._reader == "no-bow" else (plain + seen) / 2
        if bow and self._reader in {"no-front-door", "mediator", "last-mediator"}:
            middles = self._middles(causes, goal, given)
            if self._reader == "no-front-door" or not middles:
                return plain
            middle = middles[0 if self._reader == "mediator" else -1]
            return self._through(event, given, x, middle)
        return self._watched.averaged(event, given, x, self._over(causes, event, given))

    def _over(self, causes: list[str], event: Facts, given: Facts) -> list[str]:
        """Return what a reader averages over."""
        parents = self._diagram.parents(causes[0])
        drawn = [name for name in self._names if name in parents and name != event[0][0]]
        if self._reader == "parents":
            return drawn
        reached = self._diagram.descendants(causes)
        before = [name for name in self._names if name not in {*reached, event[0][0]}]
        about = {*before, *causes, *(fact[0] for fact in (*event, *given))}
        return before if self._watched.fits(sorted(about)) else drawn

    def _middles(self, causes: list[str], goal: str, given: Facts) -> list[str]:
        """Return what lies between a cause and the goal and is neither set nor told."""
        known = {*causes, *(fact[0] for fact in given)}
        between = {*self._diagram.children(causes[0])} & {*self._diagram.parents(goal)}
        return [name for name in self._names if name in between - known]

    def _through(self, event: Facts, given: Facts, x: Facts, middle: str) -> float:
        labels = self._watched.labels(middle)
        steps: list[Facts] = [((middle, "=", label),) for label in labels]
        return sum(
            self._watched.chance(step, (*given, *x)) * self._watched.chance(event, (*given, *step))
            for step in steps
        )
