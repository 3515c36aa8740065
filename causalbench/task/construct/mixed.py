"""Draw pairs of worlds whose hidden cause ties two variables together in different ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.motifs import draw_net
from causalbench.task.construct.net import coin
from causalbench.task.construct.responses import apart, kinds_of, margins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.task.construct.net import Net
    from causalbench.task.construct.responses import Kinds

__all__ = ["HIDDEN", "confounded_mediator", "many_valued"]

HIDDEN = "u"  # the role of the cause that says how y answers
_LEAST, _BASE = 3 / 1024, 8 / 1024  # the least share of a kind, in the twins and in between
_SIZES = ((3, 2), (3, 3), (4, 2))  # values of x and of y
_TYPES = 6  # how many ways of answering y has


def many_valued(rng: np.random.Generator) -> tuple[Net, Net]:
    """Draw two worlds with u -> x, u -> y and x -> y that disagree on P(y[x=b] | x=a).

    x has three values or more: with two, P(y[x=b]) and P(x, y) would settle it.

    Args:
        rng: draws everything.

    Returns:
        The two worlds, which differ in the law of u and in what goes with it.
    """
    size, goal = draws.choice(rng, _SIZES)
    kinds = kinds_of(rng, {"x": size, "y": goal}, {"x": (), "y": ("x",)}, _TYPES)
    a, b, *_ = (int(code) for code in draws.permutation(rng, size))
    v = int(draws.integers(rng, goal))
    wanted = (kinds.values({})["x"] == a) & (kinds.values({"x": b})["y"] == v)
    return _twins(rng, kinds, wanted, {})


def confounded_mediator(rng: np.random.Generator, *, nested: bool) -> tuple[Net, Net]:
    """Draw two worlds with x -> m -> y, x -> y, u -> m and u -> y that tie m and y differently.

    Args:
        rng: draws everything.
        nested: they disagree on P(y[x=b, m=m[x=a]]), of which direct and indirect effects are made;
            else on P(m[x=a], y[x=b]): what those would have done whose mediator is known.

    Returns:
        The two worlds, which differ in the law of u and in what goes with it.
    """
    parents = {"m": ("x",), "y": ("x", "m")}
    kinds = kinds_of(rng, {"x": 2, "m": 2, "y": 2}, parents, _TYPES)
    a = int(draws.integers(rng, 2))
    b = 1 - a
    before = kinds.values({"x": a})["m"]
    if nested:
        wanted = kinds.values({"x": b, "m": before})["y"] == 1
    else:
        v = int(draws.integers(rng, 2))
        wanted = (before == v) & (kinds.values({"x": b})["y"] == 1)
    shape: dict[str, list[str]] = {"z": [], "x": ["z"]} if coin(rng) else {"x": []}
    return _twins(rng, kinds, wanted, shape)


def _twins(
    rng: np.random.Generator,
    kinds: Kinds,
    wanted: NDArray[np.bool_],
    before: Mapping[str, Sequence[str]],
) -> tuple[Net, Net]:
    """Put kinds of unit into worlds of three or four visible variables, mixed in two ways."""
    shape: dict[str, list[str]] = {name: list(above) for name, above in before.items()}
    shape |= {name: list(above) for name, above in kinds.parents.items()}
    if "z" not in shape:
        effects = [["y"], ["x"], ["x", "y"]]
        shape["w"] = list(draws.choice(rng, effects))
        if coin(rng):
            shape = {"z": []} | shape
            shape["w"].append("z")
    net = draw_net(rng, shape, cards=kinds.cards)
    base = draws.simplex(rng, len(kinds), _BASE)
    parents = {name: (HIDDEN, *above) for name, above in kinds.parents.items()}
    sides = []
    for weights in apart(base, margins(kinds), wanted.astype(np.float64), _LEAST):
        share, tables = kinds.tables(weights)
        cpts = {**tables, HIDDEN: share}
        sides.append(net.replace(cpts, {**parents, HIDDEN: ()}, hidden={HIDDEN: kinds.types}))
    return sides[0], sides[1]
