"""Rung 2 in linear worlds: pairs with one seen law, and what to ask about interventions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.graph import Diagram
from causalbench.task.construct.asks import WRONG
from causalbench.task.construct.linear_asks import Acted, Watched, readers
from causalbench.task.construct.linear_sides import (
    confounded,
    covered_edges,
    seen_edges,
    turned,
)
from causalbench.task.construct.net import coin
from causalbench.truth.linear import route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from causalbench.task.construct.linear_net import LinearNet
    from causalbench.task.construct.order import Order

    Sides = tuple[LinearNet, LinearNet]
    Accept = Callable[[], NDArray[np.bool_]]
    Candidate = tuple[Watched | Acted, Sides, str, Accept | None]

__all__ = ["candidates"]

_TRIES = 8  # pairs made of one net
_SPOTS = 4  # causes and effects that are looked at for one pair
_ASKS = 3  # values to set them to
_SLOPE = 0.2  # the least difference of two slopes that is worth a question
_HALVES = 4  # stated values lie so many halves from the mean at most
_THRESHOLD = 0.3  # how often the probability of passing a threshold is asked for
_MISLED = 2  # one of so many pairs misleads whoever watches, on both sides
_BEHIND = "reversal-behind-confounder"
_DIAGRAM = "diagram"
_TWO = ("CDE", "joint-intervention")  # two variables are set


def candidates(
    rng: np.random.Generator, net: LinearNet, means: Mapping[str, float], order: Order
) -> Iterator[Candidate]:
    """Yield questions about pairs with one seen law, with what a candidate must keep.

    Args:
        rng: draws everything.
        net: the base.
        means: role -> mean.
        order: what is wanted.
    """
    for number in range(_TRIES):
        drawn = _pair(rng, net, order.index + number)
        if drawn is None:
            continue
        kind, sides = drawn
        for x, y in _spots(rng, sides, order)[:_SPOTS]:
            for _ in range(_ASKS):
                ask = _ask(rng, sides, x, y, means, order)
                if ask is not None:
                    accept = partial(_resists, ask, sides, means, order) if order.drawn else None
                    yield ask, sides, kind, accept


def _pair(rng: np.random.Generator, net: LinearNet, turn: int) -> tuple[str, Sides] | None:
    """Turn an arrow round, or into confounding, or the one and then the other on both sides."""
    edges, covered = list(seen_edges(net)), list(covered_edges(net))
    kind = ("edge-to-confounder", _BEHIND, "covered-reversal", _BEHIND)[turn % 4]
    if not covered or kind == "edge-to-confounder":
        return "edge-to-confounder", (net, confounded(rng, net, *draws.choice(rng, edges)))
    tail, head = draws.choice(rng, covered)
    other = turned(net, tail, head)
    if kind == "covered-reversal":
        return kind, (net, other)
    left = [edge for edge in edges if edge != (tail, head)]
    if not left:
        return None
    x, y = draws.choice(rng, left)
    return kind, (confounded(rng, net, x, y), confounded(rng, other, x, y))


def _spots(rng: np.random.Generator, sides: Sides, order: Order) -> list[tuple[str, str]]:
    """Return causes and effects whose slopes differ, in random order.

    Where a diagram is shown the cause reaches the effect on both sides; where nothing else is, its
    effect follows from what is seen.
    """
    names = sides[0].visible
    reach = [{x: side.descendants(x) for x in names} for side in sides]
    found = []
    for x in names:
        for y in names:
            reached = [y != x and y in each[x] for each in reach]
            if not any(reached) or (order.drawn and not all(reached)):
                continue
            first, second = (side.slopes(y, (x,)) for side in sides)
            if round(float(np.abs(first - second).max()), 9) >= _SLOPE:
                found.append((x, y))
    found = [found[int(place)] for place in draws.permutation(rng, len(found))]
    if order.terms.cell != _DIAGRAM:
        return found
    drawn = [_diagram(side) for side in sides]
    return [(x, y) for x, y in found if all(route(each, y, [x]) for each in drawn)]


def _ask(
    rng: np.random.Generator,
    sides: Sides,
    x: str,
    y: str,
    means: Mapping[str, float],
    order: Order,
) -> Acted | None:
    """Draw what to set, and to what values."""
    forced = [x]
    if order.form in _TWO:
        others = _others(sides, x, y, between=order.form == "CDE")
        if not others:
            return None
        forced.append(draws.choice(rng, others))
    halves = (draws.integers(rng, 2 * _HALVES + 1, 1 + len(forced)) - _HALVES).tolist()
    if halves[0] == 0:
        return None
    stated = [means[name] + half / 2 for name, half in zip(forced, halves, strict=False)]
    settings = tuple(zip(forced, stated, strict=True))
    if order.form in {"ATE", "CDE"}:
        return Acted(y, settings, instead=means[x] - halves[0] / 2)
    if order.form == "interventional" and order.terms.cell != _DIAGRAM and coin(rng, _THRESHOLD):
        return Acted(y, settings, cut=means[y] + halves[-1] / 2)
    return Acted(y, settings)


def _others(sides: Sides, x: str, y: str, *, between: bool) -> list[str]:
    """Return what may be set beside x: what works on y on some side, between them if so wanted."""
    found = []
    for name in sides[0].visible:
        if name in {x, y}:
            continue
        works = [y in side.descendants(name) for side in sides]
        if between:
            works = [
                each and name in side.descendants(x)
                for each, side in zip(works, sides, strict=True)
            ]
        if any(works):
            found.append(name)
    return found


def _resists(
    ask: Acted, sides: Sides, means: Mapping[str, float], order: Order
) -> NDArray[np.bool_]:
    """Return where every reader of the diagram loses the whole floor, and watching misleads."""
    steps = ask.steps(means)
    moved = [(side.slopes(ask.y, ask.names) * steps).sum(axis=1) for side in sides]
    said = [readers(side, ask.y, ask.names, steps) for side in sides]
    lost = np.abs(said[0] - moved[0]) + np.abs(said[1] - moved[1])
    fits = np.round(lost.min(axis=0) - np.abs(moved[0] - moved[1]), 9) >= 0.0
    if order.index % _MISLED:
        off = np.minimum(np.abs(said[0][0] - moved[0]), np.abs(said[1][0] - moved[1]))
        fits &= np.round(off, 9) > WRONG
    result: NDArray[np.bool_] = fits
    return result


def _diagram(net: LinearNet) -> Diagram:
    edges = [(cause, name) for name, above in net.parents.items() for cause in above]
    return Diagram(net.parents, edges).project(net.visible)
