"""Base worlds for pairs of two causal orders: no hidden causes, and some arrows that are missing.

Variables carry the names of their roles, as in `causalbench.task.construct.motifs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.task.construct.motifs import draw_net, strong, telling
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np

    from causalbench.task.construct.net import Net

__all__ = ["sparse_behind", "sparse_kept", "sparse_world"]

_DENSITY = 0.6  # the share of arrows that are drawn
_OWN = 0.3  # how often w works on a variable past z
_FORCE = 0.4  # how far z must move y where x -> y is turned into confounding


def sparse_world(rng: np.random.Generator) -> Net:
    """Draw four or five variables in any order, for the lab."""
    names = ["z", "x", "y", "w", "v"][: 4 + int(draws.integers(rng, 2))]
    return _drawn(rng, [names[int(place)] for place in draws.permutation(rng, len(names))])


def sparse_kept(rng: np.random.Generator) -> Net:
    """Draw z, x, m and y with x -> y."""
    return _drawn(rng, ["z", "x", "m", "y"], {("x", "y")})


def sparse_behind(rng: np.random.Generator) -> Net:
    """Draw w -> z -> x -> m -> y with x -> y and z -> y, whose causes of x may be turned round.

    Like `causalbench.task.construct.motifs.mediated` with one more variable to turn.
    """
    shape = {"w": [], "z": ["w"], "x": ["z"], "m": ["x"], "y": ["x", "m", "z"]}
    for name, cause, chance in (("x", "w", _OWN), ("m", "z", _DENSITY), ("m", "w", _OWN)):
        if coin(rng, chance):
            shape[name].append(cause)
    net = telling(rng, draw_net(rng, shape, cards={"z": 2, "x": 2, "m": 2}))
    return strong(rng, net, "y", "z", _FORCE)


def _drawn(
    rng: np.random.Generator, order: list[str], kept: Collection[tuple[str, str]] = ()
) -> Net:
    """Draw each arrow along an order with the same chance; some are always there."""
    shape = {
        name: [cause for cause in order[:place] if (cause, name) in kept or coin(rng, _DENSITY)]
        for place, name in enumerate(order)
    }
    return draw_net(rng, shape)
