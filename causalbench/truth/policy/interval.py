"""Bracket the best value of a rung where the histories are too many to go through.

``do`` and ``intent``: below by a real policy's value, which is that of the best rule over beliefs
told apart to a few bits alone (where even that is too much, of uniform choice), or the lower end of
its estimate's 95%; above by a proven relaxation (`relax`).

``replay``: watched courses are drawn, and each is solved exactly given what it shows, so their mean
estimates the best value; the interval holds 95% of the time. Where even those are too many, from
the ``do`` policy, which may ignore what it has watched, to what is possible at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from causalbench.errors import TooWideError
from causalbench.rng import generator
from causalbench.truth.policy.controller import Uniform
from causalbench.truth.policy.model import Model
from causalbench.truth.policy.natural import drift
from causalbench.truth.policy.plan import controller, followed_from, one_hot, planned, scaled
from causalbench.truth.policy.relax import relaxed
from causalbench.truth.policy.simulate import rollouts, watch
from causalbench.truth.policy.tree import grow
from causalbench.truth.policy.types import Reference, Value
from causalbench.truth.policy.value import exact_value
from causalbench.truth.policy.watch import COURSES, Courses, Drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.scm.program import Program
    from causalbench.truth.policy.tree import Tree
    from causalbench.truth.policy.types import Policy

__all__ = ["acted", "coarse", "seen_interval", "watched"]

_BITS = (12, 9, 7, 5, 4, 3, 2, 1, 0)
_DRAWN = (20_000, 4000, 1000, 250)
_Z = 1.959963984540054  # the normal law's 97.5% point


def coarse(make: Callable[[int, int], Tree], limit: int) -> Tree:
    """Return the finest tree over rounded beliefs that stays within a limit.

    Args:
        make: of (limit, bits).
        limit: the most histories.

    Raises:
        TooWideError: even beliefs rounded to nothing are too many.
    """
    for bits in _BITS[:-1]:
        try:
            return make(limit, bits)
        except TooWideError:
            continue
    return make(80 * limit, _BITS[-1])


def acted(program: Program, regime: Literal["do", "intent"], limit: int) -> Reference:
    """Bracket the best value under ``do`` or ``intent``."""
    model = Model(program, regime)
    start = model.start()
    roots = start.group, start.seen, start.state, start.chance
    rule = _rule(program, lambda most, bits: grow(model, roots, most, bits=bits), limit)
    low = _worth(program, rule or Uniform(len(program.force)), regime, limit)
    high = scaled(program, relaxed(model, roots), 0.0)[0]
    # The lower end may be that of an estimate, which can err beyond what is possible.
    return Reference(regime, _between(low, min(low.low, high), high), rule)


def seen_interval(program: Program, make: Callable[[int, int], Tree], limit: int) -> Reference:
    """Bracket the value of the ``see`` policy.

    Its rule is found over beliefs told apart to a few bits alone, so only what bounds any policy
    bounds its value: what the best and the worst could earn.

    Args:
        program: what is played.
        make: grows the log's tree, of (limit, bits).
        limit: the most histories.
    """
    rule = _rule(program, make, limit)
    model = Model(program, "do")
    start = model.start()
    roots = start.group, start.seen, start.state, start.chance
    low = scaled(program, relaxed(model, roots, "least"), 0.0)[0]
    high = scaled(program, relaxed(model, roots), 0.0)[0]
    found = _worth(program, rule or Uniform(len(program.force)), "do", limit)
    if rule is None:
        return Reference("see", _between(found, low, high), None)
    # The middle stays the value of the rule that was found; an estimate of it may lie outside.
    value = min(max(found.value, low), high)
    return Reference("see", replace(found, value=value, low=low, high=high, exact=False), rule)


def watched(program: Program, do: Reference, limit: int) -> Reference:
    """Bracket the best value under ``replay``.

    Args:
        program: what is played.
        do: the best under ``do``.
        limit: the most histories.
    """
    for count in _DRAWN:
        rng = generator(0, "policy/replay", count)
        values, length = watch(program, count, rng=rng)
        drawn = Drawn(values, length)
        try:
            found = _estimated(program, drawn, limit)
        except TooWideError:
            continue
        # What is watched can be ignored, so no estimate need go below what acting alone brings.
        low = max(found.value.low, do.value.low)
        high = max(low, found.value.high)
        return replace(found, value=_between(found.value, low, high))
    extra = drift(program).length - 1
    value = _between(do.value, do.value.low, 1.0)
    value = replace(value, length=value.length + extra)
    return Reference("replay", value, None)


def _estimated(program: Program, drawn: Drawn, limit: int) -> Reference:
    courses = Courses(program, max(1, limit // COURSES), drawn)
    model = Model(program, "replay", watched=courses)
    start = model.start(np.arange(len(courses.weight)), courses.first, courses.shown)
    count = len(drawn.length)
    weight = np.bincount(courses.of_drawn, minlength=len(courses.weight)) / count
    of = start.group
    roots = of, start.seen, start.state, start.chance * weight[of]
    tree = grow(model, roots, limit)
    policy = [one_hot(choice, len(program.force)) for choice in planned(tree)]
    reward, goal = followed_from(tree, policy, "reward"), followed_from(tree, policy, "goal")
    share = tree.roots.chance
    value, meant = scaled(program, float(share @ reward), float(share @ goal))
    low, high = program.returns
    spread = (reward - share @ reward) / (high - low)
    half = _Z * float(np.sqrt(share @ spread**2 / (count - 1)))
    length = float(share @ followed_from(tree, policy, "mass")) + drift(program).length - 1
    found = Value(
        value,
        value - half,
        value + half,
        exact=False,
        histories=tree.histories,
        goal=meant,
        length=length,
    )
    return Reference("replay", found, None)


def _rule(program: Program, make: Callable[[int, int], Tree], limit: int) -> Policy | None:
    """Return the best rule over rounded beliefs, or None where even those are too many."""
    try:
        tree = coarse(make, max(1, limit // 8))
    except TooWideError:
        return None
    policy = [one_hot(choice, len(program.force)) for choice in planned(tree)]
    return controller(program, tree, policy)


def _worth(program: Program, rule: Policy, regime: Literal["do", "intent"], limit: int) -> Value:
    try:
        return exact_value(program, rule, regime, limit=10 * limit)
    except TooWideError:
        return rollouts(program, rule, regime)


def _between(value: Value, low: float, high: float) -> Value:
    return replace(value, value=(low + high) / 2, low=low, high=high, exact=False)
