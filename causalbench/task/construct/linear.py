"""Build pairs of linear-Gaussian worlds, for rungs 1 and 2.

Rung 1: one variable hangs on its causes by other weights, with the same mean and variance. Rung 2:
an arrow is turned round, or becomes a hidden common cause, and what is seen has the same joint law.
There are no pairs for rung 3: with Gaussian noise and straight lines, experiments settle what any
unit would have done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.task.construct.draft import Draft
from causalbench.task.construct.linear_acts import candidates
from causalbench.task.construct.linear_asks import Acted, Watched
from causalbench.task.construct.linear_net import draw_linear, mixed_weights
from causalbench.task.construct.names import pick_names
from causalbench.task.construct.net import coin
from causalbench.task.construct.rung1_line import bendable
from causalbench.task.construct.shapes import draw_shape
from causalbench.task.rungs import ASSOCIATION, INTERVENTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from causalbench.task.construct.linear_acts import Candidate, Sides
    from causalbench.task.construct.linear_net import LinearNet
    from causalbench.task.construct.net import Floats
    from causalbench.task.construct.order import Order

__all__ = ["FORMS", "build"]

FORMS: Mapping[str, tuple[str, ...]] = {
    "conditional": ("mechanisms", "diagram", "lab"),
    "interventional": ("mechanisms", "diagram", "lab"),
    "ATE": ("mechanisms", "diagram", "lab"),
    "CDE": ("mechanisms", "lab"),
    "joint-intervention": ("mechanisms", "lab"),
}
"""The types of question that linear-Gaussian worlds are asked, and in which cells."""

_COUNT = 64  # candidates of one shape
_GROUPS = 12  # questions about what is seen that are looked at for one shape
_FAR = 1.5  # how far answers lie from 0 at most, in standard deviations
_GAPS = {False: (0.3, 1.2), True: (0.2, 0.6)}  # of means, and of probabilities
_NEAR = 0.1  # how near a gap must come to the one wanted
_GUESS = 1.1  # guessing costs so many floors at least
_GOLDEN = 0.6180339887498949  # its multiples, less their whole parts, fill [0, 1] evenly
_LEVELS = 2  # means are quarters of whole numbers up to this
_HALVES = 4  # stated values lie so many halves from the mean at most
_THRESHOLD = 0.3  # how often the probability of passing a threshold is asked for
_STEEPEST = 1.5  # the largest weight
_LOOSE = 0.2  # the least noise of a variable, in standard deviations


def build(rng: np.random.Generator, order: Order) -> Draft | None:
    """Draw a pair of linear worlds, or None where these shapes bear none.

    Args:
        rng: draws everything.
        order: what is wanted; gaps and constructions turn by its index.

    Raises:
        TwinError: linear worlds are not asked this type of question on these terms.
    """
    if order.terms.cell not in FORMS.get(order.form, ()) or order.terms.laws:
        asked = ", ".join(f"{name} ({', '.join(cells)})" for name, cells in FORMS.items())
        msg = (
            f"linear worlds are not asked for '{order.form}' given {order.terms.name}; take {asked}"
            ", and rows instead of exact laws."
        )
        raise TwinError(msg)
    seen = order.kind.rung == ASSOCIATION
    least, most = (3, 5) if order.size == "small" else (5, 8)
    if order.drawn and not seen and order.size == "small":
        least = 4  # with three variables hardly any diagram misleads every reader
    visible = least + int(draws.integers(rng, most - least + 1))
    shape = draw_shape(rng, order.motif, visible)
    net = draw_linear(rng, shape, _COUNT)
    means = {
        name: (int(draws.integers(rng, 2 * _LEVELS + 1)) - _LEVELS) / 4 for name in net.visible
    }
    for each in _watched(rng, net, means) if seen else candidates(rng, net, means, order):
        place = _picked(rng, each, means, order)
        if place is not None:
            return _draft(rng, each, place, means)
    return None


def _watched(
    rng: np.random.Generator, net: LinearNet, means: Mapping[str, float]
) -> Iterator[Candidate]:
    """Draw the weights of one variable anew, and yield questions about what is seen."""
    free = [name for name in net.visible if bendable(net.parents, name)]
    if not free:
        return
    name = draws.choice(rng, free)
    weights, std = mixed_weights(rng, net, net.parents[name], len(net))
    sides = net, net.replace({}, {name: weights}, {name: std})
    for _ in range(_GROUPS):
        mixed = [net.visible[int(place)] for place in draws.permutation(rng, len(net.visible))]
        y, *given = mixed[: 2 + int(draws.integers(rng, 2))]
        halves = draws.integers(rng, 2 * _HALVES + 1, len(given) + 1) - _HALVES
        stated = [
            means[each] + half / 2 for each, half in zip(given, halves[1:].tolist(), strict=True)
        ]
        cut = means[y] + int(halves[0]) / 2 if coin(rng, _THRESHOLD) else None
        yield Watched(y, tuple(zip(given, stated, strict=True)), cut), sides, "dependence", None


def _picked(
    rng: np.random.Generator, each: Candidate, means: Mapping[str, float], order: Order
) -> int | None:
    """Choose a candidate whose answers lie as far apart as the order's turn says."""
    ask, sides, _, accept = each
    low, high = _GAPS[ask.cut is not None]
    wanted = low + (high - low) * (order.index * _GOLDEN % 1.0)
    first, second = (ask.values(side, means) for side in sides)
    gap = np.round(np.abs(first - second), 9)
    # What decides is rounded, so that no machine's last digit does.
    fits = (gap >= low) & (np.abs(gap - wanted) <= _NEAR)
    fits &= np.round(np.maximum(np.abs(first), np.abs(second)), 9) <= _FAR
    fits &= np.round(_guessed(ask, first) + _guessed(ask, second) - _GUESS * gap, 9) >= 0.0
    if fits.any():
        fits &= _usable(sides)
    if fits.any() and accept is not None:
        fits &= accept()
    found = np.flatnonzero(fits).tolist()
    return draws.choice(rng, found) if found else None


def _guessed(ask: Watched | Acted, truth: Floats) -> Floats:
    """Return the mean distance from a truth of a guess drawn from all that the form allows."""
    low, high = (0.0, 1.0) if ask.cut is not None else (-1.0, 1.0)
    if isinstance(ask, Acted) and ask.instead is not None:
        low, high = -2.0, 2.0
    inside = np.clip(truth, low, high)
    result: Floats = ((inside - low) ** 2 + (high - inside) ** 2) / (2.0 * (high - low))
    return result + np.abs(truth - inside)


def _usable(sides: Sides) -> NDArray[np.bool_]:
    """Return which candidates have no steep weight and some noise everywhere."""
    fits = np.ones(len(sides[0]), dtype=bool)
    for side in sides:
        for name in side.parents:
            fits &= np.round(np.abs(side.weights[name]).max(axis=1, initial=0.0), 9) <= _STEEPEST
            fits &= np.round(side.std[name], 9) >= _LOOSE
    return fits


def _draft(
    rng: np.random.Generator, each: Candidate, place: int, means: Mapping[str, float]
) -> Draft:
    """Name the roles, declare the variables in a random order, and write the question."""
    ask, sides, construction, _ = each
    roles = list(dict.fromkeys(role for side in sides for role in side.parents))
    roles = [roles[int(number)] for number in draws.permutation(rng, len(roles))]
    names = dict(zip(roles, pick_names(rng, len(roles)), strict=True))
    first, second = (side.world(place, names, means) for side in sides)
    return Draft(
        sides=(first, second),
        rung=ASSOCIATION if isinstance(ask, Watched) else INTERVENTION,
        construction=construction,
        query=ask.text(names),
    )
