"""Rung 2, many at once: pairs of batches with one seen law, of whatever shape.

Two different rows of moves (`causalbench.task.construct.rung2_moves`) from one base make a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import coin
from causalbench.task.construct.orders import LEAST_ROW, arrows
from causalbench.task.construct.rung2_moves import Move, apply, diagram_of
from causalbench.task.construct.rung2_shapes import ways
from causalbench.truth.identify.mixed import Mixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.graph import Diagram
    from causalbench.task.construct.batch import Batch

    Edge = tuple[str, str]
    Rows = tuple[tuple[Move, ...], tuple[Move, ...]]

__all__ = ["Sides", "draw_kept", "draw_sides"]

_BOTH = 0.8  # how often the direct effect is confounded on both sides, where it may
_TRIES = 12  # orders drawn to find two with as many arrows
_TURNED = 2  # fewer arrows than that turned round is what a covered reversal does


@dataclass(frozen=True, eq=False)
class Sides:
    """Two batches with one seen law.

    Args:
        batches: the two.
        diagrams: their diagrams over the visible variables.
        moves: how each comes from the base.
        construction: what this is called.
        sound: bool[candidate], whether every row of every table is used often enough.
    """

    batches: tuple[Batch, Batch]
    diagrams: tuple[Diagram, Diagram]
    moves: Rows
    construction: str
    sound: np.ndarray


def draw_sides(rng: np.random.Generator, base: Batch) -> Sides | None:
    """Draw two rows of moves on any edges, or return None where what was drawn does not apply.

    Args:
        rng: draws them.
        base: the batch that both start from.
    """
    edges = [
        (cause, name)
        for name, above in base.parents.items()
        for cause in above
        if name not in base.hidden and cause not in base.hidden
    ]
    edges = [edges[int(place)] for place in draws.permutation(rng, len(edges))]
    kind = draws.choice(rng, ("confound", "turn", "order"))
    if kind == "confound":
        if not edges:
            return None
        first = (_confound(*edges[1]),) if len(edges) > 1 and coin(rng) else ()
        return _pair(base, (first, (_confound(*edges[0]),)), "edge-to-confounder")
    rows, name = _turns(rng, base, edges) if kind == "turn" else _orders(rng, base)
    if rows is None:
        return None
    sides = _pair(base, rows, name)
    shared = sorted(sides.diagrams[0].directed & sides.diagrams[1].directed)
    if not shared or coin(rng):
        return sides
    return _behind(base, rows, draws.choice(rng, shared), name)


def draw_kept(
    rng: np.random.Generator, base: Batch, cause: str, effect: str, *, alike: bool = False
) -> Sides | None:
    """Draw two rows of moves that leave a way from a cause to an effect, and confound it.

    The direct effect is turned into confounding, on one side at least, and perhaps some other ways
    too; or on both sides, one of which has an edge turned round or another order before.

    Args:
        rng: draws them.
        base: the batch that both start from, with cause -> effect and another way.
        cause: what will be set.
        effect: what will be asked for.
        alike: the direct effect is confounded on both sides, always.
    """
    kind = draws.choice(rng, ("confound", "confound", "turn", "order"))
    out = ways(base.parents, cause, effect)
    subsets = [
        tuple(name for place, name in enumerate(out) if number >> place & 1)
        for number in range(2 ** len(out) - 1)
    ]
    both = [names for names in subsets if effect in names]
    if alike and kind == "confound" and len(both) == 1:
        kind = draws.choice(rng, ("turn", "order"))
    if kind == "confound":
        chosen = both if len(both) > 1 and (alike or coin(rng, _BOTH)) else subsets
        places = draws.permutation(rng, len(chosen))
        pair = [chosen[int(place)] for place in places[:2]]
        if not any(effect in names for names in pair):
            pair[0] = draws.choice(rng, both)
        first, second = ((_confound(cause, *names),) if names else () for names in pair)
        return _pair(base, (first, second), "edge-to-confounder")
    edges = [
        (other, name)
        for name, above in base.parents.items()
        for other in above
        if not {name, other} & base.hidden and (other, name) != (cause, effect)
    ]
    edges = [edges[int(place)] for place in draws.permutation(rng, len(edges))]
    rows, name = _turns(rng, base, edges) if kind == "turn" else _orders(rng, base, (cause, effect))
    return None if rows is None else _behind(base, rows, (cause, effect), name)


def _confound(cause: str, *effects: str) -> Move:
    return Move("confound", cause, effects)


def _turns(rng: np.random.Generator, base: Batch, edges: Sequence[Edge]) -> tuple[Rows | None, str]:
    """Turn one covered edge round."""
    del rng  # the edges come in random order
    fits = [edge for edge in edges if _covered(base.parents, edge)]
    return ((), (Move("turn", fits[0][0], fits[0][1:]),)) if fits else None, "covered-reversal"


def _behind(base: Batch, rows: Rows, edge: Edge, name: str) -> Sides | None:
    """Turn an edge into confounding on both sides, where both have it."""
    plain = _pair(base, rows, name)
    if not all(edge in each.directed for each in plain.diagrams):
        return None
    more = (_confound(*edge),)
    kind = "reversal" if name == "covered-reversal" else name
    return _pair(base, ((*rows[0], *more), (*rows[1], *more)), f"{kind}-behind-confounder")


def _pair(base: Batch, rows: Rows, name: str) -> Sides:
    first, second = (apply(base, row) for row in rows)
    sound = np.ones(len(base), dtype=bool)
    for row in rows:
        if row and row[0].kind == "order":
            for _, above in row[0].parents:
                law = base.law(above).reshape(len(base), -1)
                sound &= np.round(law.min(axis=1), 12) >= LEAST_ROW
    return Sides((first, second), (diagram_of(first), diagram_of(second)), rows, name, sound)


def _covered(parents: Mapping[str, tuple[str, ...]], edge: Edge) -> bool:
    """Say whether an edge is covered, hidden parents counted."""
    return set(parents[edge[1]]) == {*parents[edge[0]], edge[0]}


def _orders(
    rng: np.random.Generator, base: Batch, kept: Edge | None = None
) -> tuple[Rows | None, str]:
    """Draw two causal orders whose minimal maps have equally many arrows, two or more of them new.

    What is independent is read off the diagram; tables drawn at random hide no independence, and
    if they did, a map would hold an arrow too many and still have the law.

    Args:
        rng: draws the orders.
        base: any batch.
        kept: an arrow that both shall have.

    Reference:
        Verma and Pearl (1990), Causal networks: semantics and expressiveness.
    """
    graph = Mixed(diagram_of(base))
    names = base.visible
    found: dict[frozenset[Edge], dict[str, tuple[str, ...]]] = {}
    most = len(names) * (len(names) - 1) // 2
    for _ in range(_TRIES):
        order = [names[int(place)] for place in draws.permutation(rng, len(names))]
        if kept is not None and order.index(kept[0]) > order.index(kept[1]):
            at, to = order.index(kept[0]), order.index(kept[1])
            order[at], order[to] = kept[1], kept[0]
        parents = _minimal_map(graph, names, order)
        edges = arrows(parents)
        if len(edges) >= most or edges in found or (kept is not None and kept not in edges):
            continue
        for others, above in found.items():
            if len(others) == len(edges) and len(edges - others) >= _TURNED:
                first, second = (
                    (Move("order", parents=tuple(each.items())),) for each in (above, parents)
                )
                return (first, second), "other-order"
        found[edges] = parents
    return None, "other-order"


def _minimal_map(
    graph: Mixed, names: Sequence[str], order: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the parents of every variable in the minimal network of an order, parents first."""
    parents = {}
    for count, name in enumerate(order):
        before = graph.mask(order[:count])
        kept = {
            other
            for other in order[:count]
            if not graph.separated(
                graph.mask([name]), graph.mask([other]), before & ~graph.mask([other])
            )
        }
        parents[name] = tuple(each for each in names if each in kept)
    return parents
