"""Identify quantities of rungs 1 and 2: by ID and IDC, from experiments by gID, or read off.

References:
    Shpitser and Pearl (2006), ID and IDC; Lee, Correa and Bareinboim (2019), gID; Kivva, Etesami
    and Kiyavash (2023), On identifiability of conditional causal effects (gID with conditions).
"""

from __future__ import annotations

from functools import cached_property, lru_cache, partial
from itertools import product
from typing import TYPE_CHECKING

from causalbench.truth.identify.asked import Asked, numbers_of, read
from causalbench.truth.identify.estimand import (
    Estimand,
    Index,
    Law,
    Linear,
    Product,
    Ratio,
    Sum,
    Value,
)
from causalbench.truth.identify.formula import Formula, bind, free
from causalbench.truth.identify.mixed import Mixed
from causalbench.truth.identify.shpitser import HedgeError, id_conditional, id_joint
from causalbench.truth.identify.simplify import simplify
from causalbench.truth.identify.tian import factor_joint
from causalbench.truth.permitted import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causalbench.graph import Diagram
    from causalbench.query.ast import Quantity

__all__ = ["forget", "identify_effect", "identify_effects", "why_not"]

Labels = tuple[str, ...]
_KEPT = 4096


def identify_effect(ground: Ground, quantity: Quantity) -> Estimand | None:
    """Return an estimand for a quantity of rung 1 or 2, or None where there is none.

    None means that worlds exist that agree on all that is permitted and differ in the quantity,
    but for one case: a condition that allows two or more, not all, of a variable's labels (``z !=
    0`` for three labels) is identified only where the joint law with that variable is.

    Args:
        ground: what may be looked at. Without manipulable variables, laws that are seen are all
            there is; with some, laws of experiments on them too.
        quantity: without hidden variables.

    Raises:
        AccessError: a variable that is hidden or does not exist.
        QueryError: a quantity of rung 3, a label that does not exist, or a mean without numbers.
        ZeroProbabilityError: a condition that contradicts the intervention.
    """
    labels, numbers = tuple(ground.labels.items()), tuple(ground.numbers.items())
    return _identified(
        ground.diagram.nodes, ground.diagram, labels, numbers, ground.manipulable, quantity
    )


def forget() -> None:
    """Drop the estimands that are kept, as a benchmark wants it."""
    _identified.cache_clear()


@lru_cache(maxsize=_KEPT)
def _identified(
    nodes: tuple[str, ...],  # equal diagrams may list them otherwise, and sums follow the list
    diagram: Diagram,
    labels: tuple[tuple[str, Labels], ...],
    numbers: tuple[tuple[str, tuple[float, ...] | None], ...],
    manipulable: frozenset[str],
    quantity: Quantity,
) -> Estimand | None:
    """Return the first estimand; one diagram and question serve many worlds."""
    del nodes
    ground = Ground(diagram, dict(labels), dict(numbers), manipulable)
    return next(identify_effects(ground, quantity), None)


def identify_effects(ground: Ground, quantity: Quantity) -> Iterator[Estimand]:
    """Yield estimands of one quantity that differ in the values of variables that don't matter.

    An estimand such as the napkin's holds at any value of a variable (there, of z). Where one value
    never happens, the next estimand may still divide by nothing that is zero.

    Args:
        ground: as in `identify_effect`.
        quantity: as in `identify_effect`.
    """
    asked = read(ground, quantity)
    if asked.event is None:
        yield Linear(())
        return
    problem = _Problem(ground, asked)
    try:
        problem.solve()
    except HedgeError:
        return
    yield from problem.estimands()


def why_not(ground: Ground, quantity: Quantity) -> str | None:
    """Return what stands in the way, e.g. ``"hedge: {x, y} over {y}"``; None if nothing does.

    The sets are those of two c-forests with the same roots: one with intervened variables in it,
    and the part of it without them.

    Args:
        ground: as in `identify_effect`.
        quantity: as in `identify_effect`.
    """
    asked = read(ground, quantity)
    if asked.event is None:
        return None
    problem = _Problem(ground, asked)
    try:
        problem.solve()
    except HedgeError as hedge:
        graph = problem.graph
        sets = [
            ", ".join([n for n in ground.diagram.nodes if mask >> graph.index[n] & 1])
            for mask in (hedge.larger, hedge.smaller)
        ]
        return f"hedge: {{{sets[0]}}} over {{{sets[1]}}}"
    return None


class _Problem:
    """A quantity on its way to an estimand.

    Conditions that allow one label are conditioned on in the formula. One that allows several
    becomes a ratio: the joint law of outcomes and condition, summed over what is allowed, above and
    below.

    Args:
        ground: what may be looked at.
        asked: the quantity, with a possible event.
    """

    def __init__(self, ground: Ground, asked: Asked) -> None:
        self.ground = ground
        self.asked = asked
        self.points: dict[str, str] = {}
        self.wide: dict[str, Labels] = {}
        for name, labels in asked.given.items():
            if len(labels) == 1:
                self.points[name] = labels[0]
            elif len(labels) < len(ground.labels[name]):
                self.wide[name] = labels
        self.outcomes = [
            name
            for name, labels in (asked.event or {}).items()
            if name not in asked.forced
            and name not in self.points
            and (name == asked.mean or name in self.wide or len(labels) < len(ground.labels[name]))
        ]
        self.formula: Formula | None = None  # None: a law that may be measured as it is

    @cached_property
    def graph(self) -> Mixed:
        """The diagram on bit masks."""
        return Mixed(self.ground.diagram)

    def solve(self) -> None:
        """Find the formula of P(outcomes, wide conditions | do(...), points).

        Raises:
            HedgeError: there is none.
        """
        if self.ground.manipulable.issuperset(self.asked.forced) or not self.outcomes:
            return
        graph = self.graph
        x, z = graph.mask(self.asked.forced), graph.mask(self.points)
        self._drop_idle(x, z)
        y = graph.mask({*self.outcomes, *self.wide})
        settable = graph.mask(self.ground.manipulable)
        joint = partial(factor_joint, settable=settable) if settable else id_joint
        self.formula = id_conditional(graph, y, x, z, joint)

    def _drop_idle(self, x: int, z: int) -> None:
        """Drop wide conditions that are independent of all else given the points."""
        for name in [name for name in self.wide if name not in self.outcomes]:
            others = self.graph.mask({*self.outcomes, *self.wide} - {name})
            if self.graph.separated(others, 1 << self.graph.index[name], x | z, cut_in=x):
                del self.wide[name]

    def estimands(self) -> Iterator[Estimand]:
        """Yield estimands, one for each choice of values that don't matter."""
        bound = {*self.asked.forced, *self.points, *self.outcomes, *self.wide}
        idle = [] if self.formula is None else self.graph.named(free(self.formula))
        idle = [name for name in idle if name not in bound]
        for labels in product(*(self.ground.labels[name] for name in idle)):
            chosen = dict(zip(idle, labels, strict=True))
            yield simplify(self._whole(chosen))

    def _whole(self, chosen: Mapping[str, str]) -> Estimand:
        """Return the estimand of the whole quantity."""
        asked, mean = self.asked, self.asked.mean
        if mean is None:
            return self._probability(asked.event or {}, chosen)
        numbers = numbers_of(self.ground, mean, "E[...]")
        known = asked.forced.get(mean, self.points.get(mean))
        values = zip(self.ground.labels[mean], numbers, strict=True)
        if known is not None:
            return Linear((), dict(values)[known])
        return Linear(
            tuple(
                [
                    (number, self._probability({mean: (label,)}, chosen))
                    for label, number in values
                    if number and label in self.wide.get(mean, (label,))
                ]
            )
        )

    def _probability(self, event: Mapping[str, Labels], chosen: Mapping[str, str]) -> Estimand:
        """Return the estimand of P(event | ...)."""
        above: dict[str, Labels] = {}
        for name, labels in event.items():
            if name in self.points:
                if self.points[name] not in labels:
                    return Linear(())
            elif name in self.wide:
                above[name] = tuple([label for label in labels if label in self.wide[name]])
            elif name in self.outcomes:
                above[name] = labels
        for name, labels in self.wide.items():
            above.setdefault(name, labels)
        if not all(above.values()):
            return Linear(())
        if not self.outcomes:
            return Product(())
        top = self._summed(above, chosen)
        if not self.wide:
            return top
        below = {name: self.wide.get(name, self.ground.labels[name]) for name in above}
        return Ratio(top, self._summed(below, chosen))

    def _summed(self, allowed: Mapping[str, Labels], chosen: Mapping[str, str]) -> Estimand:
        """Return the law of outcomes and wide conditions, summed over the labels allowed."""
        values: dict[str, Value] = {**self.asked.forced, **self.points, **chosen}
        over: list[Index] = []
        for name, labels in allowed.items():
            if len(labels) == 1:
                values[name] = labels[0]
            else:
                among = None if len(labels) == len(self.ground.labels[name]) else labels
                over.append(Index(name, 0, among))
                values[name] = over[-1]
        if self.formula is None:
            names = (allowed, self.points, self.asked.forced)
            body: Estimand = Law(
                *[tuple([(name, values[name]) for name in part]) for part in names]
            )
        else:
            place = self.graph.index
            body = bind(
                self.formula, self.graph, {place[name]: value for name, value in values.items()}
            )
        return Sum(tuple(over), body) if over else body
