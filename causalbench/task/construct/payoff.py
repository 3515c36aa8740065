"""Search for a decision on which two worlds disagree, and which guessing does not solve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.net import Floats

__all__ = ["CLEAR", "MARGIN", "SPREAD", "Stakes", "floors", "pick_bets", "pick_payoff"]

MARGIN = 0.1  # the least floor of a pair
SPREAD = (
    1.5  # the mean over actions of r1 + r2 is at least this many floors: guessing scores below 0
)
CLEAR = 1.1  # random play lies this many standard deviations of one pair below 0
_TRIES = 60
_LEAST, _MOST = 3, 6  # how many actions
_RARE = 0.2
Event = tuple[str, int]


@dataclass(frozen=True)
class Stakes:
    """A payoff and the actions to choose from, as codes.

    Args:
        actions: indices into the candidates offered.
        utility: (weight, event) pairs.
    """

    actions: tuple[int, ...]
    utility: tuple[tuple[float, Event], ...]


def floors(weights: Floats, first: Floats, second: Floats) -> Floats:
    """Return ``P(o) min_a [r1(a, o) + r2(a, o)]`` for each observation: the floor's parts.

    Args:
        weights: float64[o], P(observation), the same in both worlds.
        first: float64[o, actions], scaled values in one world.
        second: the same in the other.
    """
    each: Floats = weights * _regret(first, second).sum(axis=0).min(axis=1)
    return each


def enough(weights: Floats, first: Floats, second: Floats) -> bool:
    """Say whether a decision keeps the margin, and leaves random play clearly below 0."""
    regret = _regret(first, second)
    total = round(float((weights * regret.sum(axis=0).min(axis=1)).sum()), 9)
    if total < MARGIN:
        return False
    mean = round(float((weights * regret.mean(axis=2)).sum()), 9)
    if mean < SPREAD * total:
        return False
    # Every observation and side is a draw of its own.
    deviation = round(float(np.sqrt((weights**2 * regret.var(axis=2)).sum())), 9)
    return mean - total >= CLEAR * deviation


def _regret(first: Floats, second: Floats) -> Floats:
    """Return the regret of every action, float64[side, o, actions]."""
    values = np.stack([first, second])
    result: Floats = values.max(axis=2, keepdims=True) - values
    return result


def pick_bets(
    rng: np.random.Generator, weights: Floats, first: Floats, second: Floats
) -> tuple[int, ...] | None:
    """Choose bets that keep the margin, or None.

    Args:
        rng: draws the choice.
        weights: float64[o], P(observation).
        first: float64[o, bets], P(event betted on | o) in one world.
        second: the same in the other.
    """
    if first.shape[1] < _LEAST:
        return None
    # The bets that are best somewhere carry the floor; the rest are there to be wrong.
    best = sorted({int(i) for side in (first, second) for i in side.argmax(axis=1)})
    rest = [bet for bet in range(first.shape[1]) if bet not in best]
    for _ in range(_TRIES):
        count = _LEAST + 1 + int(draws.integers(rng, _MOST - _LEAST))
        more = [rest[int(i)] for i in draws.permutation(rng, len(rest))]
        chosen = [*best, *more[: max(0, count - len(best))]]
        chosen = [chosen[int(i)] for i in draws.permutation(rng, len(chosen))]
        if enough(weights, first[:, chosen], second[:, chosen]):
            return tuple(chosen)
    return None


def pick_payoff(
    rng: np.random.Generator,
    actions: Sequence[Event | None],
    weights: Floats,
    sides: Sequence[Mapping[Event, Floats]],
    goals: Sequence[Event],
) -> Stakes | None:
    """Choose a payoff and actions that keep the margin, or None.

    Args:
        rng: draws the choice.
        actions: the candidates: (variable, code), or None for pass.
        weights: float64[o], P(observation).
        sides: for each world: event -> P(event after the action | o), float64[o, actions].
        goals: events that may be the goal.
    """
    setters = [place for place, action in enumerate(actions) if action is not None]
    for _ in range(_TRIES):
        goal = draws.choice(rng, goals)
        free = [place for place in setters if actions[place][0] != goal[0]]  # type: ignore[index]
        if not free:
            return None
        first = draws.choice(rng, free)
        others = [place for place in range(len(actions)) if place != first]
        others = [
            place
            for place in others
            if actions[place] is None or actions[place][0] != goal[0]  # type: ignore[index]
        ]
        if len(others) < _LEAST - 1:
            return None
        second = draws.choice(rng, others)
        utility = [(1.0, goal)]
        cost = _balance(sides, weights, goal, actions[first], first, second)  # type: ignore[arg-type]
        if cost is not None and cost != 0.0:
            utility.append((cost, actions[first]))  # type: ignore[arg-type]
        if coin(rng):
            price = int(draws.integers(rng, 9)) - 4
            event = draws.choice(rng, list(sides[0]))
            if price and event not in {goal, actions[first]}:
                utility.append((price / 20, event))
        rest = [place for place in others if place != second]
        count = _LEAST + 1 + int(draws.integers(rng, _MOST - _LEAST))
        more = [rest[int(i)] for i in draws.permutation(rng, len(rest))[: count - 2]]
        chosen = [first, second, *more]
        chosen = [chosen[int(i)] for i in draws.permutation(rng, len(chosen))]
        low = sum(min(weight, 0.0) for weight, _ in utility)
        high = sum(max(weight, 0.0) for weight, _ in utility)
        worth = [(_total(side, utility, weights, chosen) - low) / (high - low) for side in sides]
        if enough(weights, worth[0], worth[1]):
            return Stakes(tuple(chosen), tuple(utility))
    return None


def _total(
    side: Mapping[Event, Floats],
    utility: Sequence[tuple[float, Event]],
    weights: Floats,
    chosen: Sequence[int],
) -> Floats:
    total = np.zeros((len(weights), len(chosen)))
    for weight, event in utility:
        total = total + weight * side[event][:, list(chosen)]
    return total


def _balance(
    sides: Sequence[Mapping[Event, Floats]],
    weights: Floats,
    goal: Event,
    event: Event,
    first: int,
    second: int,
) -> float | None:
    """Return the price on an action's event that makes it as much better here as worse there."""
    lead = [
        float((weights * (side[goal][:, first] - side[goal][:, second])).sum()) for side in sides
    ]
    share = 1.0 - float((weights * sides[0][event][:, second]).sum())
    if share < _RARE:
        return None
    price = -(lead[0] + lead[1]) / 2 / share
    return round(round(price, 9), 2) if abs(price) <= 1.0 else None
