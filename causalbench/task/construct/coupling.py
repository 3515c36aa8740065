"""Rung 3: keep every conditional table, and change which rows of one a unit ties together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.scm.couplings import couple
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    import numpy as np

    from causalbench.scm import Mechanism
    from causalbench.scm.couplings import Coupling
    from causalbench.task.construct.net import Net

__all__ = ["recouple", "two_couplings"]

_NOISE = 32  # the most noise values of an independent coupling
_FEW = 8  # the same for the mechanisms that are not at stake
_ROWS = 64  # more rows than that have too many functions to count


def two_couplings(
    rng: np.random.Generator, net: Net, y: str, *, toward: str
) -> tuple[Coupling, Coupling]:
    """Draw two different couplings of a mechanism.

    Args:
        rng: draws them.
        net: the world's conditional tables.
        y: whose mechanism; it has a parent.
        toward: the parent in which an antitone coupling turns.
    """
    opposed: Coupling = {"antitone": {"in": toward}}
    halves: Coupling = {"mixture": {"of": ["monotone", opposed], "weights": [0.5, 0.5]}}
    options: list[Coupling] = ["monotone", opposed, halves]
    if _responses(net, y) <= _NOISE:
        options.append("independent")
    order = draws.permutation(rng, len(options))
    return options[int(order[0])], options[int(order[1])]


def recouple(
    rng: np.random.Generator, net: Net, y: str, pair: tuple[Coupling, Coupling]
) -> tuple[tuple[dict[str, Mechanism], dict[str, Mechanism]], dict[str, Coupling]]:
    """Return the mechanisms of two worlds that differ in the coupling of y alone.

    Every table given all parents, hidden ones too, is the same in both and noises are independent,
    so every law under every intervention is the same.

    Args:
        rng: draws the couplings of the other mechanisms.
        net: the world's conditional tables.
        y: whose coupling differs.
        pair: y's two couplings.

    Returns:
        Variable -> mechanism for each world, parents first; and the couplings of the others.
    """
    shared: dict[str, Coupling] = {}
    common: dict[str, Mechanism] = {}
    for name in net.order():
        loose = _responses(net, name) <= _FEW and coin(rng)
        shared[name] = "independent" if loose else "monotone"
        if name != y:
            common[name] = couple(net.cpts[name], shared[name], net.parents[name])
    del shared[y]
    sides = [
        {
            name: couple(net.cpts[y], each, net.parents[y]) if name == y else common[name]
            for name in net.order()
        }
        for each in pair
    ]
    return (sides[0], sides[1]), shared


def _responses(net: Net, name: str) -> float:
    """Return how many functions of the parents there are (infinite where that overflows)."""
    rows = math.prod(net.cards[parent] for parent in net.parents[name])
    return float(net.cards[name]) ** rows if rows < _ROWS else math.inf
