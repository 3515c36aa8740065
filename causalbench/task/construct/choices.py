"""Search for a decision on which two worlds disagree: a bet, an act, or a redo."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.asks import EVIDENCE, Labels
from causalbench.task.construct.net import coin
from causalbench.task.construct.payoff import Event, Stakes, Watch, pick_bets, pick_payoff
from causalbench.task.types import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.task.construct.lures import Guard
    from causalbench.task.construct.net import Floats, Net
    from causalbench.task.construct.units import Oracle

__all__ = ["act", "bet", "redo"]

_LEAST_SEEN = 0.02  # an observation rarer than this is not worth a question


def bet(
    rng: np.random.Generator,
    nets: tuple[Net, Net],
    y: str,
    labels: Labels,
    focus: Sequence[str],
) -> Decision | None:
    """Choose what to see and four events to bet on, or return None.

    Args:
        rng: draws the choice.
        nets: two nets that differ in the table of the sink y alone.
        y: the sink.
        labels: writes the decision.
        focus: the variables that may be seen or betted on.
    """
    net = nets[0]
    causes = [name for name in focus if name != y and name in net.ancestors([y])]
    if not causes:  # nothing that could be seen tells of y
        return None
    order = [causes[int(i)] for i in draws.permutation(rng, len(causes))]
    seen = tuple(order[: 1 + int(draws.integers(rng, min(2, len(order))))])
    hidden = [name for name in focus if name not in seen]
    events = [(name, code) for name in hidden for code in range(net.cards[name])]
    weights = net.law(seen).reshape(-1)
    if round(float(weights.min()), 9) < _LEAST_SEEN:
        return None
    sides = []
    for each in nets:
        columns = [
            each.law((*seen, name)).reshape(len(weights), -1) / weights[:, None] for name in hidden
        ]
        sides.append(np.concatenate(columns, axis=1))
    chosen = pick_bets(rng, weights, sides[0], sides[1])
    if chosen is None:
        return None
    actions = tuple(labels.atom(*events[place]) for place in chosen)
    return Decision(id="bet", mode="bet", actions=actions, observes=seen)


def act(
    rng: np.random.Generator,
    nets: tuple[Net, Net],
    x: str,
    y: str,
    labels: Labels,
    focus: Sequence[str],
    guard: Guard | None = None,
) -> Decision | None:
    """Choose a payoff, four actions and perhaps a cause to see first, or return None.

    Args:
        rng: draws the choice.
        nets: two nets with one seen law.
        x: a variable whose effect differs.
        y: the goal.
        labels: writes the decision.
        focus: the variables that may be seen, set or paid for; x and y among them.
        guard: refuses what a reader of the diagram would choose.
    """
    net = nets[0]
    after = {name for each in nets for name in each.descendants(x)}
    causes = [name for name in focus if name not in after and name != y]
    seen: tuple[str, ...] = ()
    if causes and coin(rng):
        seen = (draws.choice(rng, causes),)
    above = {name for each in nets for name in each.ancestors(seen)}
    setters = [name for name in focus if name not in above and name != y]
    actions: list[Event | None] = [None]
    actions += [(name, code) for name in setters for code in range(net.cards[name])]
    weights = net.law(seen).reshape(-1) if seen else np.ones(1)
    if round(float(weights.min()), 9) < _LEAST_SEEN:
        return None
    rest = [name for name in focus if name not in seen]
    sides = [_after(each, actions, seen, rest, weights) for each in nets]
    goals = [(y, code) for code in range(net.cards[y])]
    watch = None
    if guard is not None:
        see = guard.watched(actions, seen, rest) if guard.misleads else None
        watch = Watch(partial(guard.payoff, actions, seen, weights), see, guard.aims)
    stakes = pick_payoff(rng, actions, weights, sides, goals, watch)
    if stakes is None:
        return None
    return Decision(
        id="act",
        mode="act",
        actions=_names(actions, stakes, labels),
        utility=_payoff(stakes, labels),
        observes=seen,
    )


def redo(
    rng: np.random.Generator,
    oracles: tuple[Oracle, Oracle],
    net: Net,
    x: str,
    y: str,
    labels: Labels,
    focus: Sequence[str],
    told: Sequence[str] = (),
) -> Decision | None:
    """Choose evidence, a payoff and actions with which to redo the same unit, or return None.

    Args:
        rng: draws the choice.
        oracles: tables of two worlds that agree on every law under intervention.
        net: their conditional tables.
        x: the variable that would be set otherwise.
        y: the goal.
        labels: writes the decision.
        focus: the variables that may be seen, set or paid for; x and y among them.
        told: what is seen; by default x, y and perhaps one more.
    """
    others = [name for name in focus if name not in {x, y}]
    more = [others[int(i)] for i in draws.permutation(rng, len(others))]
    seen = list(told) or [x, y, *more[: int(draws.integers(rng, 2))]]
    seen = [seen[int(i)] for i in draws.permutation(rng, len(seen))]
    grid = list(product(*(range(net.cards[name]) for name in seen)))
    weights = oracles[0].joint(seen[:-1], seen[-1]).reshape(-1)
    stated = coin(rng)
    kept = [int(draws.integers(rng, len(grid)))] if stated else list(range(len(grid)))
    mass = weights[kept]
    if round(float(mass.min()), 9) < EVIDENCE:
        return None
    actions: list[Event | None] = [None]
    actions += [(name, code) for name in focus if name != y for code in range(net.cards[name])]
    sides = []
    for each in oracles:
        table: dict[Event, Floats] = {
            (name, code): np.zeros((len(kept), len(actions)))
            for name in focus
            for code in range(net.cards[name])
        }
        for column, action in enumerate(actions):
            for name in focus:
                joint = each.joint(seen, name, dict([action]) if action else None)
                law = joint.reshape(len(grid), -1)[kept] / mass[:, None]
                for code in range(net.cards[name]):
                    table[(name, code)][:, column] = law[:, code]
        sides.append(table)
    goals = [(y, code) for code in range(net.cards[y])]
    stakes = pick_payoff(rng, actions, np.ones(1) if stated else mass, sides, goals)
    if stakes is None:
        return None
    given = None
    if stated:
        codes = zip(seen, grid[kept[0]], strict=True)
        given = tuple((name, labels.values[name][code]) for name, code in codes)
    return Decision(
        id="redo",
        mode="redo",
        actions=_names(actions, stakes, labels),
        utility=_payoff(stakes, labels),
        observes=tuple(seen),
        given=given,
    )


def _after(
    net: Net,
    actions: Sequence[Event | None],
    seen: tuple[str, ...],
    rest: Sequence[str],
    weights: Floats,
) -> dict[Event, Floats]:
    """Return event -> P(event after the action | what is seen), float64[o, actions]."""
    table = {
        (name, code): np.zeros((len(weights), len(actions)))
        for name in rest
        for code in range(net.cards[name])
    }
    names = (*seen, *rest)
    for column, action in enumerate(actions):
        law = net.law(names, dict([action]) if action else None)
        law = law.reshape(len(weights), *law.shape[len(seen) :])
        for place, name in enumerate(rest):
            axes = tuple(axis for axis in range(1, law.ndim) if axis != place + 1)
            each = law.sum(axis=axes) / weights[:, None]
            for code in range(net.cards[name]):
                table[(name, code)][:, column] = each[:, code]
    return table


def _names(actions: Sequence[Event | None], stakes: Stakes, labels: Labels) -> tuple[str, ...]:
    chosen = [actions[place] for place in stakes.actions]
    return tuple("pass" if action is None else labels.atom(*action) for action in chosen)


def _payoff(stakes: Stakes, labels: Labels) -> tuple[tuple[float, str], ...]:
    # Events differ from one another, as the search draws them.
    return tuple((weight, labels.atom(*event)) for weight, event in stakes.utility)
