"""Base worlds drawn at random: small nets whose shape suits a construction.

Variables carry the names of their roles (x, y, m, z, w...; u... are hidden); the names that an
agent sees are given later, from a permutation that no role shows through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import Net, coin, random_cpt
from causalbench.task.construct.walk import layered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.net import Floats

__all__ = [
    "draw_net",
    "front_door",
    "kept_covered",
    "mediated",
    "open_world",
    "sink_world",
    "strong",
    "telling",
]

_EXTRAS = ("none", "child", "root", "inner")  # where a further variable w is put
_BATCH = 64  # tables drawn at once, of which the first that will do is taken
_TELLS = 0.35  # how far x must move the probability of z in `telling`
_TERNARY = 0.25  # the share of visible variables with three values


def draw_net(
    rng: np.random.Generator,
    parents: Mapping[str, Sequence[str]],
    *,
    minimum: float = 0.05,
    cards: Mapping[str, int] | None = None,
) -> Net:
    """Draw cardinalities and tables for a given shape; names that start with ``u`` are hidden.

    Args:
        rng: draws everything.
        parents: variable -> parents.
        minimum: the least probability in a table.
        cards: cardinalities that are fixed; hidden variables have two values.

    Returns:
        The net, tables on the grid of 1/1024.
    """
    fixed = cards or {}
    size = {}
    for name in parents:
        ternary = coin(rng, _TERNARY)
        size[name] = fixed.get(name, 3 if ternary and not name.startswith("u") else 2)
    tables = {
        name: random_cpt(rng, [size[parent] for parent in above], size[name], minimum)
        for name, above in parents.items()
    }
    return Net(
        cards=size,
        parents={name: tuple(above) for name, above in parents.items()},
        cpts=tables,
        hidden=frozenset(name for name in parents if name.startswith("u")),
    )


def front_door(
    rng: np.random.Generator, *, confounded: bool, open_only: bool, opposed: bool = False
) -> Net:
    """Draw (z ->) x -> m -> y with x -> y, the base of the front-door pair.

    Args:
        rng: draws everything.
        confounded: with an observed common cause z of x and y.
        open_only: no hidden variables, so that every effect is identified before and after
            x -> y is turned into confounding.
        opposed: x works on y one way by itself and the other way through m. Then y may be nearly
            independent of x, and neither P(y | x) nor P(y) is what the front door says.
    """
    shape: dict[str, list[str]] = {"x": [], "m": ["x"], "y": ["x", "m"]}
    cards = {"m": 2}
    if confounded:
        shape = {"z": [], "x": ["z"], "m": ["x"], "y": ["x", "m", "z"]}
        cards = {"z": 2, "m": 2}
    extra = draws.choice(rng, _EXTRAS)
    if extra == "child":
        shape |= {"w": ["y"]}
    elif extra == "root" and not confounded:
        shape = {"w": []} | shape
        shape["m"] = [*shape["m"], "w"]
    elif extra == "inner":
        shape |= {"w": ["m"]}
    if not open_only and coin(rng):
        # A hidden cause of x and m: front door adjustment fails, the mechanisms still tell.
        shape = {"u": []} | shape
        shape["x"] = [*shape["x"], "u"]
        shape["m"] = [*shape["m"], "u"]
    net = draw_net(rng, shape, cards=cards)
    return _opposed(rng, net) if opposed else net


def _opposed(rng: np.random.Generator, net: Net) -> Net:
    """Let x move m, and m y, and turn x's own effect on y against its effect through m."""
    net = strong(rng, net, "m", "x", 0.5)
    net = strong(rng, net, "y", "m", 0.3)
    table = net.cpts["y"]
    gain = _effect(net, table, "y", "m")
    through = _effect(net, net.cpts["m"], "m", "x") * (gain[1] - gain[0])
    own = _effect(net, table, "y", "x")
    order = np.empty(net.cards["x"], dtype=np.int64)
    order[np.argsort(through, kind="stable")] = np.argsort(-own, kind="stable")
    return net.replace({"y": np.take(table, order, axis=net.parents["y"].index("x"))})


def kept_covered(rng: np.random.Generator, *, open_only: bool) -> Net:
    """Draw z -> x with x -> y and z -> y: turning z -> x round makes a mediator of a confounder."""
    shape: dict[str, list[str]] = {"z": [], "x": ["z"], "y": ["x", "z"]}
    extra = draws.choice(rng, _EXTRAS)
    if extra == "child":
        shape |= {"w": ["y"]}
    elif extra == "root":
        shape = {"w": []} | shape
        shape["z"], shape["x"] = ["w"], ["z", "w"]
    elif extra == "inner":
        shape |= {"w": ["x"]}
    if not open_only and coin(rng):
        shape = {"u": []} | shape
        shape["z"] = [*shape["z"], "u"]
        shape["x"] = [*shape["x"], "u"]
    return draw_net(rng, shape)


def mediated(rng: np.random.Generator, *, open_only: bool) -> Net:
    """Draw z -> x -> m -> y with z -> m, z -> y and x -> y, the base of pairs behind confounding.

    Turning z -> x round makes a mediator of a confounder; turning x -> y into confounding on both
    sides leaves one front door through m, and another through m and z.
    """
    shape: dict[str, list[str]] = {"z": [], "x": ["z"], "m": ["x", "z"], "y": ["x", "m", "z"]}
    extra = draws.choice(rng, _EXTRAS)
    if extra == "child":
        shape |= {"w": ["y"]}
    elif extra == "inner":
        shape |= {"w": ["m"]}
    if not open_only and coin(rng):
        shape = {"u": []} | shape
        shape["z"] = [*shape["z"], "u"]
        shape["x"] = [*shape["x"], "u"]
    net = draw_net(rng, shape, cards={"z": 2, "x": 2, "m": 2})
    # The twins differ by how much x tells of z, times what z does to y.
    return strong(rng, telling(rng, net), "y", "z", 0.4)


def telling(rng: np.random.Generator, net: Net) -> Net:
    """Redraw the tables of z and x until x tells much of z."""
    while round(_told(net), 9) < _TELLS:
        net = _redrawn(rng, _redrawn(rng, net, "z"), "x")
    return net


def _told(net: Net) -> float:
    """Return how far knowing x moves the probability of z, at most."""
    law = net.law(("x", "z"))
    return float(np.abs(law[:, 1] / law.sum(axis=1) - law[:, 1].sum()).max())


def _redrawn(rng: np.random.Generator, net: Net, name: str) -> Net:
    """Draw one table anew."""
    cards = [net.cards[parent] for parent in net.parents[name]]
    return net.replace({name: random_cpt(rng, cards, net.cards[name])})


def strong(rng: np.random.Generator, net: Net, name: str, parent: str, least: float) -> Net:
    """Redraw a table until the parent moves the last value's mean probability by so much."""
    if round(float(np.ptp(_effect(net, net.cpts[name], name, parent))), 9) >= least:
        return net
    cards = [net.cards[other] for other in net.parents[name]]
    kept = 1 + net.parents[name].index(parent)
    rest = tuple(axis for axis in range(1, len(cards) + 1) if axis != kept)
    while True:
        tables = random_cpt(rng, (_BATCH, *cards), net.cards[name])
        spread = np.round(np.ptp(tables[..., -1].mean(axis=rest), axis=1), 9)
        if (spread >= least).any():
            return net.replace({name: tables[int(np.argmax(spread >= least))]})


def _effect(net: Net, table: Floats, name: str, parent: str) -> Floats:
    """Return the mean probability of the last value for each value of a parent."""
    rest = tuple(axis for axis, other in enumerate(net.parents[name]) if other != parent)
    result: Floats = table[..., -1].mean(axis=rest)
    return result


def open_world(rng: np.random.Generator, *, covered: bool) -> Net:
    """Draw x -> y among one to three further variables, hidden ones too, for the lab.

    Args:
        rng: draws everything.
        covered: y has the parents of x, and x, and no others.
    """
    hidden = int(draws.integers(rng, 3))
    above_x = [f"u{i}" for i in range(hidden)]
    shape: dict[str, list[str]] = {name: [] for name in above_x}
    cards: dict[str, int] = {}
    if coin(rng):
        shape["z"] = []
        above_x.append("z")
        cards["z"] = 2
    shape["x"] = list(above_x)
    shape["y"] = [*above_x, "x"]
    if not covered and coin(rng):
        shape["m"] = ["x"]
        shape["y"] = [*shape["y"], "m"]
        cards["m"] = 2
    children = [["y"], ["x"], ["x", "y"]]
    shape["w"] = draws.choice(rng, children)
    if hidden == 1 and coin(rng):
        shape["w"] = [*shape["w"], "u0"]
    return draw_net(rng, {name: shape[name] for name in layered(shape)}, cards=cards)


def sink_world(
    rng: np.random.Generator,
    *,
    hidden: int = 0,
    minimum: float = 0.05,
    most: int = 3,
    small: bool = False,
) -> Net:
    """Draw a random world of three to five visible variables whose sink y has the parent x.

    Args:
        rng: draws everything.
        hidden: how many hidden confounders, 0 to 2.
        minimum: the least probability in a table.
        most: the most parents of a variable, hidden ones counted.
        small: three visible variables of two values each.
    """
    others = ["x", "z", "w", "v"][: 2 + (0 if small else int(draws.integers(rng, 3)))]
    order = [others[int(i)] for i in draws.permutation(rng, len(others))]
    shape: dict[str, list[str]] = {f"u{i}": [] for i in range(hidden)}
    for place, name in enumerate(order):
        earlier = [order[int(i)] for i in draws.permutation(rng, place)]
        shape[name] = earlier[: int(draws.integers(rng, min(2, place) + 1))]
    rest = [name for name in order if name != "x"]
    more = [rest[int(i)] for i in draws.permutation(rng, len(rest))][
        : int(draws.integers(rng, 2)) + 1
    ]
    shape["y"] = ["x", *more[: most - 1 - (1 if hidden else 0)]]
    for i in range(hidden):
        first = "y" if i == 0 else order[-1]
        second = "x" if i == 0 else order[0]
        for name in (first, second):
            if len(shape[name]) < most:
                shape[name] = [*shape[name], f"u{i}"]
    cards = dict.fromkeys((*others, "y"), 2) if small else None
    return draw_net(rng, shape, minimum=minimum, cards=cards)
