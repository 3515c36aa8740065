"""Print what readers of the diagram score on rung 2 of a suite, pooled over seeds.

    python benchmarks/shortcuts.py [--suite ladder-mini] [--seeds 10]

They are given the seen law and the diagram, also where mechanisms are shown, and take something
simple for the effect of setting x on y. They are written apart from the readers that the generator
holds off, and from the controls, so that the three check one another. The last table has the
controls, with the intervals of the first seed.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

import causalbench as cb
from causalbench.errors import QueryError
from causalbench.query import Expectation, Query, parse
from causalbench.run.check_suite import shortcuts
from causalbench.truth import law

if TYPE_CHECKING:
    from causalbench.query.ast import Quantity
    from causalbench.task.types import Case, Item

Facts = dict[str, tuple[str, str]]  # variable -> (operator, label)
READERS = {
    "see": "P(y | x)",
    "reachability": "P(y | x) if x reaches y, else P(y)",
    "adjacency": "P(y | x) if x -> y is drawn, else P(y)",
    "no-bow": "P(y) if x <-> y is drawn, else P(y | x)",
    "half-way": "the mean of both if x <-> y is drawn, else P(y | x)",
    "adjust": "P(y | x) averaged over all that x does not reach",
    "parents": "P(y | x) averaged over the drawn parents of x",
    "no-front-door": "P(y) if x <-> y is drawn, else as adjust",
    "mediator": "sum over m of P(m | x) P(y | m) if x <-> y is drawn, else as adjust",
}


class Reader:
    """Answers of all readers on one dossier."""

    def __init__(self, case: Case) -> None:
        dossier = case.dossier
        self.names = list(dossier.names)
        self.labels = {v.name: v.labels for v in dossier.variables}
        # Where mechanisms are shown anybody can work out what is seen.
        self.table = law(case.scm, self.names)
        diagram = dossier.diagram or case.scm.diagram
        self.diagram = diagram
        self.bows = {frozenset(edge) for edge in diagram.bidirected}

    def chance(self, event: Facts, given: Facts) -> float:
        """Return P(event | given), or P(event) where what is given never occurs."""
        part = self._part(self.table, given)
        mass = float(part.sum())
        if mass <= 0.0:
            return float(self._part(self.table, event).sum())
        return float(self._part(part, event).sum()) / mass

    def _part(self, table: np.ndarray, facts: Facts) -> np.ndarray:
        for name, (sign, label) in facts.items():
            keep = np.array([(each == label) == (sign == "=") for each in self.labels[name]])
            shape = [-1 if other == name else 1 for other in self.names]
            table = table * keep.reshape(shape)
        return table

    def averaged(self, event: Facts, given: Facts, x: Facts, over: list[str]) -> float:
        """Return P(event | x, z, given) averaged over z as it is seen."""
        total = 0.0
        free = [name for name in over if name not in given]
        for labels in itertools.product(*(self.labels[name] for name in free)):
            z: Facts = {name: ("=", label) for name, label in zip(free, labels, strict=True)}
            share = self.chance(z, given)
            if share > 0.0:
                total += share * self.chance(event, {**given, **z, **x})
        return total

    def effect(self, reader: str, quantity: Quantity) -> float:
        """Return what a reader takes for a probability after an intervention."""
        if isinstance(quantity, Expectation):
            msg = "readers know probabilities alone; take a suite without expectations."
            raise QueryError(msg)
        event: Facts = {a.term.variable: (a.op, str(a.value)) for a in quantity.event}
        given: Facts = {a.term.variable: (a.op, str(a.value)) for a in quantity.given}
        forced = dict(quantity.event[0].term.subscript)
        x: Facts = {name: ("=", str(label)) for name, label in forced.items()}
        if not x:
            return self.chance(event, given)
        for name in [name for name in event if name in forced]:
            sign, label = event.pop(name)
            if (forced[name] == label) != (sign == "=") or not event:
                return float((forced[name] == label) == (sign == "="))
        (cause, *_), (goal, *_) = x, event
        kind, watched = self.kind(reader, cause, goal), self.chance(event, {**given, **x})
        if kind == "watched":
            return watched
        if kind == "through":
            return self.through(event, given, x, self.middles(cause, goal)[0])
        if kind == "averaged":
            over = self.diagram.parents(cause) if reader == "parents" else self.before(cause)
            return self.averaged(event, given, x, [n for n in self.names if n in {*over} - {goal}])
        plain = self.chance(event, given)
        return plain if kind == "plain" else (plain + watched) / 2

    def kind(self, reader: str, cause: str, goal: str) -> str:
        """Return what a reader makes of the diagram."""
        if goal in self.before(cause):
            return "watched" if reader == "see" else "plain"
        bow = frozenset({cause, goal}) in self.bows
        through = "through" if self.middles(cause, goal) else "plain"
        return {
            "see": "watched",
            "reachability": "watched",
            "adjacency": "watched" if cause in self.diagram.parents(goal) else "plain",
            "no-bow": "plain" if bow else "watched",
            "half-way": "half" if bow else "watched",
            "adjust": "averaged",
            "parents": "averaged",
            "no-front-door": "plain" if bow else "averaged",
            "mediator": through if bow else "averaged",
        }[reader]

    def before(self, cause: str) -> set[str]:
        """Return what a variable does not reach."""
        return {n for n in self.names if cause not in self.diagram.ancestors([n])}

    def middles(self, cause: str, goal: str) -> list[str]:
        """Return the children of one variable that are parents of another."""
        parents = self.diagram.parents(goal)
        return [m for m in self.diagram.children(cause) if m in parents]

    def through(self, event: Facts, given: Facts, x: Facts, middle: str) -> float:
        """Return the sum over m of P(m | x) P(event | m)."""
        steps: list[Facts] = [{middle: ("=", label)} for label in self.labels[middle]]
        return sum(
            self.chance(step, {**given, **x}) * self.chance(event, {**given, **step})
            for step in steps
        )

    def value(self, reader: str, query: Query) -> float:
        """Return what a reader takes for a sum of probabilities."""
        return query.constant + math.fsum(w * self.effect(reader, q) for w, q in query.terms)

    def loss(self, reader: str, item: Item) -> float:
        """Return what a reader's answer costs."""
        query = parse(item.question.query)
        if isinstance(query, Query):
            return abs(self.value(reader, query) - float(item.key.truth))
        values = [round(self.value(reader, each), 12) for _, each in query.options()]
        worth = item.key.values
        return item.key.weight * (max(worth) - worth[values.index(max(values))])


def main() -> None:
    """Build the suites and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="ladder-mini")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    lost: dict[tuple[str, ...], list[float]] = defaultdict(list)
    floors: dict[tuple[str, ...], list[float]] = defaultdict(list)
    where = {"role": "skill", "rung": 2, "cell": ["diagram", "mechanisms"]}
    for seed in range(options.seeds):
        for case in cb.make(options.suite, seed=seed, where=where):
            reader, place = Reader(case), (case.placement.cell, case.placement.track)
            for item in case.items:
                floors[place].append(item.key.floor / 2)
                for name in READERS:
                    lost[name, *place].append(reader.loss(name, item))
    places = sorted(floors)
    print(f"skill, rung 2, seeds 0-{options.seeds - 1}")
    print(f"{'reader':15s}", *(f"{' '.join(place):>21s}" for place in places))
    for name in READERS:
        skills = [1 - math.fsum(lost[name, *p]) / math.fsum(floors[p]) for p in places]
        print(f"{name:15s}", *(f"{skill:21.2f}" for skill in skills))
    print("\ncontrols, seed 0")
    print("\n".join(shortcuts(options.suite)))


if __name__ == "__main__":
    main()
