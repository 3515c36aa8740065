"""Search for a decision on which two worlds disagree, and which guessing does not solve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from causalbench.task.construct.net import Floats

    Accept = Callable[[Sequence[int], Sequence[tuple[float, "Event"]], tuple[Floats, Floats]], bool]
    Table = Mapping["Event", Floats]
    Drawn = tuple[list[tuple[float, "Event"]], list[int], list[int]]

__all__ = ["CLEAR", "MARGIN", "SPREAD", "Stakes", "Watch", "floors", "pick_bets", "pick_payoff"]

MARGIN = 0.1  # the least floor of a pair
SPREAD = (
    1.5  # the mean over actions of r1 + r2 is at least this many floors: guessing scores below 0
)
CLEAR = 1.1  # random play lies this many standard deviations of one pair below 0
_TRIES = 60
_LEAST, _MOST = 3, 6  # how many actions
_RARE = 0.2
_DECOY = 0.05  # what looks best to whoever watches is worse by more than this in both worlds
_CLEARLY = 0.005
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


@dataclass(frozen=True)
class Watch:
    """What a payoff must also keep.

    Args:
        accept: is shown the chosen places, the utility and both worlds' scaled values, float64[o,
            actions on offer], and may refuse.
        see: where watching must mislead: event -> P(event | action's event, o), float64[o,
            actions], as if acting were watching.
        aims: goals and first actions to take, on which the worlds differ; none leaves all.
    """

    accept: Accept
    see: Table | None = None
    aims: tuple[tuple[Event, Event], ...] = ()


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
    watch: Watch | None = None,
) -> Stakes | None:
    """Choose a payoff and actions that keep the margin, or None.

    Args:
        rng: draws the choice.
        actions: the candidates: (variable, code), or None for pass.
        weights: float64[o], P(observation).
        sides: for each world: event -> P(event after the action | o), float64[o, actions].
        goals: events that may be the goal.
        watch: refuses payoffs, and may ask for one on which watching misleads.
    """
    steered = watch is not None and bool(watch.aims)
    for _ in range(_TRIES):
        if steered and watch is not None:
            drawn = _steered(rng, actions, weights, sides, watch)
        else:
            drawn = _plain(rng, actions, weights, sides, goals)
        if drawn is None:
            continue
        utility, fixed, rest = drawn
        # A steered payoff has few actions that are no compromise, and takes most of them.
        least = _MOST - 2 if steered else _LEAST
        count = least + 1 + int(draws.integers(rng, _MOST - least))
        more = [rest[int(i)] for i in draws.permutation(rng, len(rest))[: count - len(fixed)]]
        chosen = [*fixed, *more]
        chosen = [chosen[int(i)] for i in draws.permutation(rng, len(chosen))]
        low = sum(min(weight, 0.0) for weight, _ in utility)
        high = sum(max(weight, 0.0) for weight, _ in utility)
        worth = [(_total(side, utility, weights, chosen) - low) / (high - low) for side in sides]
        if enough(weights, worth[0], worth[1]) and (
            watch is None or watch.accept(chosen, utility, (worth[0], worth[1]))
        ):
            return Stakes(tuple(chosen), tuple(utility))
    return None


def _plain(
    rng: np.random.Generator,
    actions: Sequence[Event | None],
    weights: Floats,
    sides: Sequence[Table],
    goals: Sequence[Event],
) -> Drawn | None:
    """Draw a goal, two actions, the price that balances them, and perhaps a price on anything."""
    goal = draws.choice(rng, goals)
    free = _others(actions, goal[0])
    setters = [place for place in free if actions[place] is not None]
    if not setters:
        return None
    first = draws.choice(rng, setters)
    others = [place for place in free if place != first]
    if len(others) < _LEAST - 1:
        return None
    second = draws.choice(rng, others)
    utility = [(1.0, goal)]
    own = actions[first]
    cost = None if own is None else _balance(sides, weights, goal, own, first, second)
    if own is not None and cost is not None and cost != 0.0:
        utility.append((cost, own))
    utility += _fee(rng, sides, {goal, own})
    return utility, [first, second], [place for place in others if place != second]


def _steered(
    rng: np.random.Generator,
    actions: Sequence[Event | None],
    weights: Floats,
    sides: Sequence[Table],
    watch: Watch,
) -> Drawn | None:
    """Draw two actions that the worlds rank differently, and a decoy where watching must mislead.

    What cannot keep the margin is dropped before it costs anything.
    """
    goal, own = draws.choice(rng, watch.aims)
    first = actions.index(own)
    others = [place for place in _others(actions, goal[0]) if place != first]
    swing = _swing(sides, weights, goal, first)
    apart = [place for place in others if float(swing[place]) >= 2 * MARGIN]
    if len(others) < _LEAST - 1 or not apart:
        return None
    second = draws.choice(rng, apart)
    fixed = [first, second]
    decoys: list[int] = []
    if watch.see is not None:
        tables = (sides[0], sides[1], watch.see)
        decoys = _decoys(tables, weights, goal, (first, second), others, actions)
        if not decoys:
            return None
    utility = [(1.0, goal)]
    cost = _balance(sides, weights, goal, own, first, second)
    if cost is not None and cost != 0.0:
        utility.append((cost, own))
    if watch.see is not None:
        fixed.append(draws.choice(rng, decoys))
        event = actions[fixed[2]]
        price = _decoy(tables, utility, weights, (first, second, fixed[2]), event)
        if price is None:
            return None
        if price and event is not None:
            utility.append((price, event))
    else:
        utility += _fee(rng, sides, {goal, own})
    if float(swing[second]) < 2 * MARGIN * sum(abs(weight) for weight, _ in utility):
        return None
    rest = [place for place in others if place not in fixed]
    return utility, fixed, _worse(sides, utility, weights, fixed, rest)


def _fee(
    rng: np.random.Generator, sides: Sequence[Table], taken: set[Event | None]
) -> list[tuple[float, Event]]:
    """Draw a small price on any event, or none."""
    if not coin(rng):
        return []
    price = int(draws.integers(rng, 9)) - 4
    event = draws.choice(rng, list(sides[0]))
    return [(price / 20, event)] if price and event not in taken else []


def _others(actions: Sequence[Event | None], goal: str) -> list[int]:
    """Return the places of the actions that do not set the goal itself."""
    return [place for place, action in enumerate(actions) if action is None or action[0] != goal]


def _swing(sides: Sequence[Table], weights: Floats, goal: Event, first: int) -> Floats:
    """Return how differently the worlds rank an action and each other: twice the floor at most."""
    here, there = (_mean(side[goal], weights) for side in sides)
    result: Floats = np.round(np.abs((here[first] - here) - (there[first] - there)), 9)
    return result


def _worse(
    sides: Sequence[Table],
    utility: Sequence[tuple[float, Event]],
    weights: Floats,
    fixed: Sequence[int],
    places: Sequence[int],
) -> list[int]:
    """Return the actions that are no good compromise: worse than the fixed ones in both worlds."""
    scale = sum(abs(weight) for weight, _ in utility)
    regrets = []
    for side in sides:
        worth = _mean(_total(side, utility, weights, [*fixed, *places]), weights)
        regrets.append(np.round(worth[: len(fixed)].max() - worth[len(fixed) :], 9))
    fits = (np.minimum(*regrets) >= 0.0) & (regrets[0] + regrets[1] >= MARGIN * scale)
    return [place for place, fit in zip(places, fits.tolist(), strict=True) if fit]


def _mean(table: Floats, weights: Floats) -> Floats:
    result: Floats = (weights[:, None] * table).sum(axis=0)
    return result


def _decoys(
    tables: tuple[Table, Table, Table],
    weights: Floats,
    goal: Event,
    pair: tuple[int, int],
    places: Sequence[int],
    actions: Sequence[Event | None],
) -> list[int]:
    """Return the actions that watching flatters more than two others, in both worlds."""
    here, there, seen = (_mean(table[goal], weights) for table in tables)
    praise = np.minimum(
        seen - here - (seen - here)[list(pair)].max(),
        seen - there - (seen - there)[list(pair)].max(),
    )
    able = [place for place in places if actions[place] is not None and place not in pair]
    return [place for place in able if round(float(praise[place]), 9) > _DECOY]


def _decoy(
    tables: tuple[Table, Table, Table],
    utility: Sequence[tuple[float, Event]],
    weights: Floats,
    chosen: tuple[int, int, int],
    event: Event | None,
) -> float | None:
    """Return a price on the third action that makes it look best, and lets it be worse.

    Args:
        tables: two worlds, and what watching takes for them.
        utility: (weight, event) pairs so far.
        weights: float64[o], P(observation).
        chosen: three places; the third is the decoy.
        event: what the decoy does.
    """
    if event is None or any(event == other for _, other in utility):
        return None
    prices = np.arange(-20, 21) / 20
    low = sum(min(weight, 0.0) for weight, _ in utility) + np.minimum(prices, 0.0)
    high = sum(max(weight, 0.0) for weight, _ in utility) + np.maximum(prices, 0.0)
    leads = []
    for table in tables:
        worth = _mean(_total(table, utility, weights, chosen), weights)
        own = _mean(table[event][:, list(chosen)], weights)
        value = worth + prices[:, None] * own
        leads.append(np.round((value[:, 2] - value[:, :2].max(axis=1)) / (high - low), 9))
    fits = (leads[2] > _CLEARLY) & (leads[0] < -_DECOY) & (leads[1] < -_DECOY)
    # The smallest price widens the scale least.
    best = min(prices[fits].tolist(), key=abs, default=None)
    return None if best is None else float(best)


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
