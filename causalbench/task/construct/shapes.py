"""Shapes of the worlds at the core of a pair: motifs of the literature, and free random ones.

A shape is a mapping variable -> parents, parents first. Variables carry roles (x, y, m, z ...);
those whose role begins with ``u`` are hidden. What an agent sees gets other names later.

Reference:
    Pearl, Causality (2nd edition), chapters 1, 3, 4 and 7: chain, fork, collider, back door, front
    door, instrument, M, mediation. Pearl and Mackenzie, The Book of Why, chapter 7: the napkin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.task.construct.net import coin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    Shape = dict[str, tuple[str, ...]]

__all__ = ["MOTIFS", "draw_cards", "draw_shape"]

MOTIFS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "chain": {"x": (), "m": "x", "y": "m"},
    "fork": {"z": (), "x": "z", "y": "z"},
    "collider": {"x": (), "z": (), "y": "xz"},
    "selection": {"x": (), "y": "x", "s": "xy"},
    "back-door": {"z": (), "x": "z", "y": "xz"},
    "front-door": {"u": (), "x": "u", "m": "x", "y": "mu"},
    "instrument": {"u": (), "z": (), "x": "zu", "y": "xu"},
    "M": {"u": (), "u1": (), "z": ("u", "u1"), "x": "u", "y": ("x", "u1")},
    "napkin": {"u": (), "u1": (), "w": ("u", "u1"), "z": "w", "x": "zu", "y": ("x", "u1")},
    "mediation": {"x": (), "m": "x", "y": "xm"},
    "confounded-mediation": {"u": (), "x": (), "m": "xu", "y": "xmu"},
    "anticausal": {"z": (), "y": "z", "x": "yz"},
    "feedback": {"x": (), "y": "x", "x1": ("x", "y"), "y1": ("x1", "y")},
    "free": {},
}
"""Motif -> variable -> parents. ``feedback`` is x and y working on each other, over two steps."""

_MOST_PARENTS = 3  # hidden ones counted
_DENSITY = 0.5
_HIDDEN = 0.35  # how often a further hidden cause of two variables is drawn
_CARDS = ((0.6, 2), (0.85, 3), (1.0, 4))


def draw_shape(
    rng: np.random.Generator,
    motif: str,
    visible: int,
    *,
    hidden: bool = True,
    most_parents: int = _MOST_PARENTS,
) -> Shape:
    """Draw a shape that contains a motif, with further variables in random places.

    Args:
        rng: draws everything.
        motif: a key of `MOTIFS`.
        visible: how many visible variables; a motif that has more keeps its own number.
        hidden: whether hidden causes may be added to those of the motif.
        most_parents: of a variable, hidden ones counted.

    Returns:
        Variable -> parents, parents first. Every visible variable touches another.
    """
    shape = {name: tuple(above) for name, above in MOTIFS[motif].items()}
    order = list(shape)
    number = 0
    while sum(not name.startswith("u") for name in order) < visible:
        name = f"e{number}"
        number += 1
        _insert(rng, shape, order, name, most_parents)
    if hidden and coin(rng, _HIDDEN):
        _confound(rng, shape, order, most_parents)
    return {name: shape[name] for name in order}


def draw_cards(
    rng: np.random.Generator, names: Sequence[str], *, cells: int, most: int = 4
) -> dict[str, int]:
    """Draw how many values each variable has: 2, often; 3 or 4 while the joint table stays small.

    Args:
        rng: draws them.
        names: the variables; hidden ones (``u...``) have two values.
        cells: the most cells of the joint table of the visible ones.
        most: the most values.
    """
    cards = dict.fromkeys(names, 2)
    seen = [name for name in names if not name.startswith("u")]
    left = cells >> len(seen)  # how often two values fit into what is left, as a factor
    for place in draws.permutation(rng, len(seen)):
        share = float(draws.uniforms(rng, ()))
        card = min(most, next(size for chance, size in _CARDS if share < chance))
        if card <= 2 * left:
            cards[seen[int(place)]] = card
            left = 2 * left // card
    return cards


def _insert(rng: np.random.Generator, shape: Shape, order: list[str], name: str, most: int) -> None:
    """Put a variable at a random place of the order, with causes before and effects after it."""
    place = int(draws.integers(rng, len(order) + 1))
    before = [each for each in order[:place] if not each.startswith("u")]
    after = [each for each in order[place:] if not each.startswith("u") and len(shape[each]) < most]
    above = _some(rng, before, 2)
    below = _some(rng, after, 1 if above else 2)
    if not above and not below and order:
        above = _some(rng, before, 2, least=1) if before else []
        below = [] if above else _some(rng, after, 1, least=1)
    shape[name] = tuple(above)
    for each in below:
        shape[each] = (*shape[each], name)
    order.insert(place, name)


def _some(rng: np.random.Generator, names: Sequence[str], most: int, least: int = 0) -> list[str]:
    """Draw some of the names, each with the same chance, at most so many."""
    mixed = [names[int(place)] for place in draws.permutation(rng, len(names))]
    kept = [name for name in mixed if coin(rng, _DENSITY)][:most]
    return kept if len(kept) >= least else mixed[:least]


def _confound(rng: np.random.Generator, shape: Shape, order: list[str], most: int) -> None:
    """Give two visible variables a hidden cause, if two have room for it."""
    room = [name for name in order if not name.startswith("u") and len(shape[name]) < most]
    if len(room) < 2:  # noqa: PLR2004
        return
    mixed = [room[int(place)] for place in draws.permutation(rng, len(room))]
    name = next(each for each in ("u", "u1", "u2", "u3") if each not in shape)
    shape[name] = ()
    for each in mixed[:2]:
        shape[each] = (*shape[each], name)
    order.insert(0, name)
