"""Answer queries in worlds of additive noise, on all three rungs.

What the condition tells of the noise is read off it, by inversion; a last noise that only the
target reads is integrated by its distribution function. If nothing else is left to chance the
answer is exact, and its error 0. Otherwise the rest is drawn, each draw weighs what its value of
the condition is worth (self-normalised importance sampling), and the error is a standard error.

The points come from the world alone: the same question always gets the same answer, and the terms
of a difference go through the same cases.

Reference: Owen (2013), Monte Carlo theory, methods and examples, on importance sampling.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import QueryError, SimulationError, ZeroProbabilityError
from causalbench.query.ast import Atom, Expectation, Probability, Term
from causalbench.rng import generator, permutation
from causalbench.truth.additive import Plan
from causalbench.truth.chance import REPEATS, Run, Tally, factors_of, lattice
from causalbench.truth.discrete import no_such_case
from causalbench.truth.readings import conditions, possible_part, world_reading
from causalbench.truth.support import impossible
from causalbench.truth.targets import EventTarget, MeanTarget, unread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Quantity, Subscript
    from causalbench.scm import SCM
    from causalbench.truth.chance import Factor
    from causalbench.truth.readings import Goal
    from causalbench.truth.targets import Target

__all__ = ["LEAST_CASES", "MOST_DRAWS", "MonteCarlo"]

LEAST_CASES = 1000
"""The effective sample size below which an answer is refused."""
MOST_DRAWS = 2**20
_FIRST = 2**14
_CHUNK = 2**11  # points of each lattice that are held at once
_TARGET = 1e-5  # draws stop at this standard error, relative to the larger of 1 and the answer
_HEAVY = 0.1  # a mean to which one draw in many thousands gives this much has no honest error
_ROUNDING = 1e-12
_NESTED = 64  # values that a nested reading takes from an inner world


class _TooRareError(SimulationError):
    """A condition that draws cannot weigh."""


class MonteCarlo:
    """A world of additive noise as the readings and `truth` see it.

    Args:
        scm: a world whose variables are all real.
        most: how many draws may be made for one quantity.
        least: the effective sample size that is wanted.
    """

    def __init__(self, scm: SCM, most: int = MOST_DRAWS, least: int = LEAST_CASES) -> None:
        self.scm, self.most, self.least = scm, most, least
        self.key = int(scm.digest[:16], 16)
        self.axes = {name: axis for axis, name in enumerate(sorted(scm.names))}
        self._kept: dict[tuple[Quantity, bool], tuple[float, float]] = {}

    def quantity(self, quantity: Quantity) -> tuple[float, float]:
        """Return the value of one quantity, and 0.0 if it is exact or else its standard error.

        Raises:
            QueryError: the probability that a real variable equals a number.
            ZeroProbabilityError: a condition that cannot be.
            SimulationError: a condition too rare to answer from draws.
        """
        return self._quantity(quantity, points=False)

    def number(self, quantity: Quantity) -> float:
        """Return the value of one quantity for a reading: a single number has probability 0.

        A condition too rare to weigh counts as impossible here, so that a reading drops it.
        """
        try:
            return self._quantity(quantity, points=True)[0]
        except _TooRareError:
            raise no_such_case(quantity.given) from None

    def possible(self, given: tuple[Atom, ...]) -> bool:
        """Tell whether a condition can be: no contradiction, and not too rare to weigh."""
        try:
            plan = Plan(self.scm, given, ())
            self._settle(plan, factors_of(plan), self.least)
        except (ZeroProbabilityError, _TooRareError):
            return False
        return True

    def affected(self, variable: str, by: frozenset[str]) -> bool:
        """Tell whether a variable is among some variables or a descendant of one."""
        return variable in self.scm.full_diagram.descendants(by)

    def nested(self, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str) -> float:
        """Return the reading of a goal in a world with nested values, drawn on their own.

        The mean over `_NESTED` draws of the nested values: good to two or three digits.
        """
        inner: dict[Subscript, list[str]] = {}
        for name, value in world:
            if isinstance(value, Term):
                inner.setdefault(value.subscript, []).append(name)
        drawn: dict[str, NDArray[np.float64]] = {}
        for number, (subscript, names) in enumerate(inner.items()):
            turn = permutation(
                generator(number, self.scm.digest), _NESTED
            )  # worlds are independent
            for name, column in self._draws(names, subscript, given, kind).items():
                drawn[name] = column[turn]
        rows = list(zip(*(drawn[name].tolist() for name in drawn), strict=True))
        judge = MonteCarlo(self.scm, _FIRST, self.least // 10)
        total = 0.0
        for row in rows:
            settings = dict(zip(drawn, row, strict=True))
            flat: Subscript = tuple((name, settings.get(name, value)) for name, value in world)
            same = tuple(
                Atom(Term(a.term.variable, flat), a.op, a.value) if a.term.subscript == world else a
                for a in given
            )
            total += world_reading(judge, goal, flat, same, kind)
        return total / len(rows)

    def _draws(
        self, names: Sequence[str], world: Subscript, given: tuple[Atom, ...], kind: str
    ) -> dict[str, NDArray[np.float64]]:
        """Return equally likely values of some variables in a reading's world."""
        if any(isinstance(value, Term) for _, value in world):
            msg = (
                "the readings of a query nested more than once are not made for worlds of additive "
                "noise; ask value(world, query) for the truth alone."
            )
            raise QueryError(msg)
        asked = tuple(Atom(Term(name), "=", 0.0) for name in names)
        action, evidence, goal = conditions(self, asked, world, given, kind)
        assert not isinstance(goal, Term)  # noqa: S101  (an event stays an event)
        kept = action + evidence
        if not self.possible(kept):
            kept = possible_part(self, action, evidence)
        terms = [atom.term for atom in goal]
        plan = Plan(self.scm, kept, terms)
        places = [plan.place(term) for term in terms]
        nodes = [place for place in places if not isinstance(place, float)]
        chance = frozenset[str]().union(*(plan.chance(place) for place in places))
        joined, _ = _joined(factors_of(plan), chance)
        _weighable(joined)
        run = Run(plan, joined, nodes, frozenset())
        points = lattice(self.key, {name: self.axes[name] for name in run.drawn})
        draw = run(points(1, 1 + _FIRST // REPEATS))
        size = (_FIRST,)
        columns = [
            np.broadcast_to(
                p if isinstance(p, float) else draw.value(plan, p), (REPEATS, _FIRST // REPEATS)
            ).reshape(size)
            for p in places
        ]
        weights = np.exp(np.broadcast_to(draw.weight, (REPEATS, _FIRST // REPEATS)).reshape(size))
        if not weights.sum() > 0:
            raise self._rare(kept, 0.0)
        if len(columns) == 1:  # quantiles fill a line more evenly than draws
            turn = np.argsort(columns[0], kind="stable")
            columns, weights = [columns[0][turn]], weights[turn]
        levels = (np.arange(_NESTED) + 0.5) / _NESTED * weights.sum()
        at = np.minimum(np.searchsorted(np.cumsum(weights), levels), _FIRST - 1)
        return {name: column[at] for name, column in zip(names, columns, strict=True)}

    def _quantity(self, quantity: Quantity, *, points: bool) -> tuple[float, float]:
        if (quantity, points) not in self._kept:
            answer = self._answer(quantity, points=points)
            self._kept[quantity, points] = answer
        return self._kept[quantity, points]

    def _answer(self, quantity: Quantity, *, points: bool) -> tuple[float, float]:
        atoms: tuple[Atom, ...] = ()
        if isinstance(quantity, Probability):
            atoms = quantity.event
            plan = Plan(self.scm, quantity.given, [atom.term for atom in atoms])
            goal: Target = EventTarget(plan, atoms, points=points)
        else:
            plan = Plan(self.scm, quantity.given, [quantity.term])
            goal = MeanTarget(plan, quantity.term)
        joined, apart = _joined(factors_of(plan), goal.chance)
        self._settle(plan, apart, 0)
        run = Run(plan, joined, goal.nodes, goal.whole)
        if not run.drawn:
            draw = run({})
            if not float(draw.weight) > -math.inf:
                raise no_such_case(plan.given)
            return float(goal(run, draw)), 0.0
        tally = self._sample(run, goal, self.least)
        if isinstance(quantity, Expectation) and tally.heaviest > _HEAVY:
            msg = (
                f"one draw of {tally.count:,.0f} decides this mean: it seems to have no finite "
                "variance; ask for a probability, or bound the noise."
            )
            raise SimulationError(msg)
        if isinstance(quantity, Probability):
            return min(1.0, max(0.0, tally.mean)), _doubt(tally, chance=True)
        return tally.mean, _doubt(tally, chance=False)

    def _settle(self, plan: Plan, factors: Sequence[Factor], least: float) -> None:
        """Refuse a condition that cannot be, or such a part of one that the target is free of.

        Raises:
            ZeroProbabilityError: it cannot be.
            SimulationError: no draw meets it, or fewer than wanted.
        """
        if not factors:
            return
        run = Run(plan, factors, (), unread(plan))
        if run.drawn:
            self._sample(run, None, least)
        elif not float(run({}).weight) > -math.inf:
            raise no_such_case(plan.given)

    def _sample(self, run: Run, goal: Target | None, least: float) -> Tally:
        """Draw until the standard error is small or the draws are used up."""
        _weighable(run.factors)
        points = lattice(self.key, {name: self.axes[name] for name in run.drawn})
        tally, start, stop = Tally(), 1, 1 + _FIRST // REPEATS
        while True:
            for first in range(start, stop, _CHUNK):
                last = min(stop, first + _CHUNK)
                draw = run(points(first, last))
                tally.add(draw.weight, 0.0 if goal is None else goal(run, draw), last - first)
            enough = tally.effective > 0 and tally.effective >= least
            if goal is None and enough:
                return tally
            chance = isinstance(goal, EventTarget)
            if enough and _doubt(tally, chance=chance) <= _TARGET * max(1.0, abs(tally.mean)):
                return tally
            if tally.count >= self.most:
                break
            start, stop = stop, 2 * stop - 1
        if not tally.effective > 0 and impossible(run.plan):
            raise no_such_case(run.plan.given)
        if not enough:
            raise self._rare(run.plan.given, tally.effective)
        return tally

    def _rare(self, given: tuple[Atom, ...], effective: float) -> _TooRareError:
        from causalbench.query.render import render_quantity

        what = render_quantity(Probability(given))
        return _TooRareError(
            f"the condition of {what} is too rare to answer from draws: {self.most:,} of them are "
            f"worth {effective:.0f} cases, and {self.least:,} are needed; state fewer or wider "
            "conditions, or the causes too, so that the noise can be solved for."
        )


def _joined(factors: Sequence[Factor], chance: frozenset[str]) -> tuple[list[Factor], list[Factor]]:
    """Split factors into those that share chance with the target, by chains too, and the others."""
    joined: list[Factor] = []
    apart = list(factors)
    while True:
        new = [factor for factor in apart if factor.chance & chance]
        if not new:
            return joined, apart
        joined += new
        apart = [factor for factor in apart if not factor.chance & chance]
        chance = chance.union(*(factor.chance for factor in new))


def _doubt(tally: Tally, *, chance: bool) -> float:
    """Return the standard error, or what draws alike would hide if that is more.

    What never came up in n cases may well have probability 1/n; a mean is rounded.
    """
    least = 1.0 / tally.effective if chance else _ROUNDING * max(1.0, abs(tally.mean))
    return max(tally.error, least)


def _weighable(factors: Sequence[Factor]) -> None:
    """Refuse an equality that chance elsewhere would have to meet exactly."""
    for factor in factors:
        if factor.singular:
            msg = (
                f"an equality on '{factor.variable}' finds no noise of its own that could meet it, "
                "so draws cannot weigh it; state an inequality, or its causes."
            )
            raise _TooRareError(msg)
