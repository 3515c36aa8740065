"""Best action, many payoffs at once: a goal, prices on actions, and no reader that gets by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.asks import WRONG
from causalbench.task.construct.payoff import MARGIN, enough
from causalbench.task.construct.rung2_stage import Stage, staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.order import Order
    from causalbench.task.construct.payoff import Event
    from causalbench.task.construct.rung2_sides import Sides
    from causalbench.task.construct.rung2_spots import Target

__all__ = ["Plan", "plan"]

_LEAST_SEEN = 0.02
_TRIALS = 192  # payoffs a candidate
_TRIED = 8  # candidates
_FEWEST, _MOST = 3, 6  # actions
_RARE = 0.2
_TIE = 1e-9
_LOOKED = 6  # payoffs of a candidate that are looked at in full
_OFFERS = 4  # sets of actions that are tried with one payoff
_PRICES = np.arange(-16, 17) / 20
_CLEARLY = 0.005


@dataclass(frozen=True)
class Plan:
    """A decision, in roles and codes.

    Args:
        place: of the candidate.
        actions: (variable, code), or None for pass.
        utility: (weight, event) pairs.
        seen: what is observed first.
    """

    place: int
    actions: tuple[Event | None, ...]
    utility: tuple[tuple[float, Event], ...]
    seen: tuple[str, ...]


def plan(
    rng: np.random.Generator,
    order: Order,
    sides: Sides,
    target: Target,
    places: Sequence[int],
    *,
    misled: bool,
) -> Plan | None:
    """Look for a decision among candidates on which the two sides disagree about a target.

    Args:
        rng: draws everything.
        order: what is wanted.
        sides: the two batches.
        target: a variable whose effect on another differs.
        places: candidates, the most promising first.
        misled: whether the best action to whoever watches must be worse on both sides.
    """
    kept = list(places[:_TRIED])
    stage = staged(rng, order, sides, target, kept)
    if stage is None:
        return None
    for number, place in enumerate(kept):
        if round(float(stage.weights[number].min()), 9) < _LEAST_SEEN:
            continue
        found = _payoff(rng, stage, number, misled=misled)
        if found is not None:
            chosen, utility = found
            actions = tuple(stage.actions[each] for each in chosen)
            return Plan(place, actions, tuple(utility), stage.seen)
    return None


def _payoff(
    rng: np.random.Generator, stage: Stage, number: int, *, misled: bool
) -> tuple[list[int], list[tuple[float, Event]]] | None:
    """Draw payoffs for one candidate, and return the places of actions and the utility of one.

    Two actions are balanced: a price on the first one's event makes it as much better in one world
    as it is worse in the other.
    """
    worlds = [side[number] for side in stage.worlds]  # o, action, event
    weights = stage.weights[number]
    means = [(weights[:, None, None] * side).sum(axis=0) for side in worlds]
    count = len(stage.actions)
    if count < _FEWEST:
        return None
    first = 1 + draws.integers(rng, count - 1, _TRIALS)
    second = (first + 1 + draws.integers(rng, count - 1, _TRIALS)) % count
    goal = draws.integers(rng, stage.goals, _TRIALS)
    place = np.array([-1, *(stage.events.index(each) for each in stage.actions[1:] if each)])
    own = place[first]
    leads = [side[first, goal] - side[second, goal] for side in means]
    share = 1.0 - (means[0][second, own] + means[1][second, own]) / 2
    price = np.round(-(leads[0] + leads[1]) / 2 / np.where(share > _RARE, share, 1.0), 2)
    swing = np.abs(leads[0] - leads[1]) / (1.0 + np.abs(price))
    good = (share >= _RARE) & (np.abs(price) <= 1.0) & (np.round(swing, 9) >= 2 * MARGIN)
    order = [int(each) for each in np.flatnonzero(good)]
    for trial in order[:_LOOKED]:
        utility = [(1.0, int(goal[trial])), (float(price[trial]), int(own[trial]))]
        found = _offer(
            rng, stage, number, utility, (int(first[trial]), int(second[trial])), misled=misled
        )
        if found is not None:
            used = [(weight, stage.events[event]) for weight, event in utility if weight]
            return found, used
    return None


def _offer(
    rng: np.random.Generator,
    stage: Stage,
    number: int,
    utility: list[tuple[float, int]],
    pair: tuple[int, int],
    *,
    misled: bool,
) -> list[int] | None:
    """Choose which actions are on offer beside two; where watching must mislead, price a decoy.

    A decoy's price is added to the utility.
    """
    worlds = [side[number] for side in stage.worlds]
    weights = stage.weights[number]
    fixed = list(pair)
    if misled:
        drawn = _decoy(rng, stage, number, utility, pair)
        if drawn is None:
            return None
        third, price = drawn
        fixed.append(third)
        if price:
            event = stage.actions[third]
            utility.append((price, stage.events.index(event)))
    worth = [_worth(side, utility) for side in worlds]
    mean = [(weights[:, None] * each).sum(axis=0) for each in worth]
    scale = sum(abs(weight) for weight, _ in utility)
    behind = [each[fixed].max() - each for each in mean]
    rest = [
        place
        for place in range(len(stage.actions))
        if place not in fixed
        and float(min(each[place] for each in behind)) >= 0.0
        and float(sum(each[place] for each in behind)) >= MARGIN * scale
    ]
    for _ in range(_OFFERS):
        size = _FEWEST + int(draws.integers(rng, _MOST - _FEWEST + 1))
        more = [rest[int(each)] for each in draws.permutation(rng, len(rest))]
        chosen = [*fixed, *more[: max(0, size - len(fixed))]]
        if len(chosen) < _FEWEST:
            return None
        chosen = [chosen[int(each)] for each in draws.permutation(rng, len(chosen))]
        if _good(stage, number, utility, chosen, misled=misled):
            return chosen
    return None


def _decoy(
    rng: np.random.Generator,
    stage: Stage,
    number: int,
    utility: list[tuple[float, int]],
    pair: tuple[int, int],
) -> tuple[int, float] | None:
    """Return a third action, and a price on it that makes it look best to whoever watches."""
    taken = {event for _, event in utility}
    tables = [side[number] for side in stage.worlds]
    tables.append(stage.said[0][number, 0])
    weights = stage.weights[number]
    scale = sum(abs(weight) for weight, _ in utility)
    means = [(weights[:, None] * _worth(table, utility)).sum(axis=0) for table in tables]
    found = []
    for place, event in enumerate(stage.actions):
        if event is None or place in pair or stage.events.index(event) in taken:
            continue
        at = stage.events.index(event)
        leads = []
        for mean, table in zip(means, tables, strict=True):
            own = (weights[:, None] * table[..., at]).sum(axis=0)
            value = mean + _PRICES[:, None] * own
            lead = value[:, place] - value[:, list(pair)].max(axis=1)
            leads.append(np.round(lead / (scale + np.abs(_PRICES)), 9))
        fits = (leads[2] > _CLEARLY) & (leads[0] < -WRONG) & (leads[1] < -WRONG)
        if fits.any():
            # The smallest price widens the scale least.
            found.append((place, float(min(_PRICES[fits].tolist(), key=abs))))
    return draws.choice(rng, found) if found else None


def _worth(table: Floats, utility: Sequence[tuple[float, int]]) -> Floats:
    """Return the utility expected, float64[..., o, action]."""
    total = np.zeros(table.shape[:-1])
    for weight, event in utility:
        total = total + weight * table[..., event]
    return total


def _good(
    stage: Stage,
    number: int,
    utility: Sequence[tuple[float, int]],
    chosen: Sequence[int],
    *,
    misled: bool,
) -> bool:
    """Say whether a decision keeps the margin, and no readings lose less than the floor.

    Each side may be read another way, and a reading that rates several actions alike is taken to
    choose the best of them.
    """
    low = sum(min(weight, 0.0) for weight, _ in utility)
    high = sum(max(weight, 0.0) for weight, _ in utility)
    weights = stage.weights[number]
    worth = [
        (_worth(side[number], utility)[:, chosen] - low) / (high - low) for side in stage.worlds
    ]
    if not enough(weights, worth[0], worth[1]):
        return False
    regrets = [each.max(axis=1, keepdims=True) - each for each in worth]
    floor = float((weights * (regrets[0] + regrets[1]).min(axis=1)).sum())
    lost = []
    for regret, said in zip(regrets, stage.said, strict=False):
        expected = _worth(said[number], utility)[:, :, chosen]
        best = expected >= expected.max(axis=2, keepdims=True) - _TIE
        least = np.where(best, regret, np.inf).min(axis=2)
        lost.append((weights * least).sum(axis=1))
    if not lost:
        return True
    if misled and round(float(min(each[0] for each in lost)), 9) <= WRONG:
        return False
    return round(float(lost[0].min() + lost[1].min()), 9) >= round(floor, 9)
