"""Rung 2, many at once: pairs of batches with one seen law, of whatever shape.

A move makes another network of a law: it turns a covered edge round, draws the law in another
causal order, or turns an edge into confounding. Two different rows of moves make a pair. In a batch
the natural value of a confounded cause is a hidden variable that its effect reads, which has every
law under intervention that `causalbench.task.construct.edges` makes; an accepted candidate is made
by the latter, so that all pairs are told alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from causalbench import rng as draws
from causalbench.graph import Diagram
from causalbench.task.construct.edges import covered_reversal, edge_to_confounder
from causalbench.task.construct.net import Net, coin
from causalbench.task.construct.orders import LEAST_ROW, arrows
from causalbench.task.construct.rung2_shapes import ways
from causalbench.truth.identify.mixed import Mixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

    Edge = tuple[str, str]
    Parents = Mapping[str, tuple[str, ...]]
    Rows = tuple[tuple["Move", ...], tuple["Move", ...]]

__all__ = [
    "Move",
    "Sides",
    "apply",
    "confounded",
    "diagram_of",
    "draw_kept",
    "draw_sides",
    "made",
    "turned",
]

_BOTH = 0.8  # how often the direct effect is confounded on both sides, where it may
_TRIES = 12  # orders drawn to find two with as many arrows
_TURNED = 2  # fewer arrows than that turned round is what a covered reversal does


@dataclass(frozen=True)
class Move:
    """One step from a network to another with its seen law.

    Args:
        kind: ``turn`` a covered edge round, ``confound`` (turn an edge into confounding), or
            ``order`` (draw the law in another causal order).
        cause: the tail of the edge.
        effects: its head; of several edges out of one cause that are confounded, all heads.
        parents: of every visible variable in the new order, as pairs.
    """

    kind: Literal["turn", "confound", "order"]
    cause: str = ""
    effects: tuple[str, ...] = ()
    parents: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def renamed(self, names: Mapping[str, str]) -> Move:
        """Return the move under other names."""
        return Move(
            self.kind,
            names.get(self.cause, ""),
            tuple(names[effect] for effect in self.effects),
            tuple((names[name], tuple(names[p] for p in above)) for name, above in self.parents),
        )


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


def draw_kept(rng: np.random.Generator, base: Batch, cause: str, effect: str) -> Sides | None:
    """Draw two rows of moves that leave a way from a cause to an effect, and confound it.

    The direct effect is turned into confounding, on one side at least, and perhaps some other ways
    too; or on both sides, one of which has an edge turned round or another order before.

    Args:
        rng: draws them.
        base: the batch that both start from, with cause -> effect and another way.
        cause: what will be set.
        effect: what will be asked for.
    """
    kind = draws.choice(rng, ("confound", "confound", "turn", "order"))
    out = ways(base.parents, cause, effect)
    if kind == "confound":
        subsets = [
            tuple(name for place, name in enumerate(out) if number >> place & 1)
            for number in range(2 ** len(out) - 1)
        ]
        both = [names for names in subsets if effect in names]
        chosen = both if len(both) > 1 and coin(rng, _BOTH) else subsets
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


def apply(base: Batch, moves: Sequence[Move]) -> Batch:
    """Make the moves one after another."""
    batch = base
    for number, move in enumerate(moves):
        if move.kind == "turn":
            batch = turned(batch, move.cause, move.effects[0])
        elif move.kind == "confound":
            batch = confounded(batch, move.cause, move.effects, f"uh{number}")
        else:
            batch = _ordered(batch, dict(move.parents))
    return batch


def made(
    net: Net, moves: Sequence[Move], hidden: Sequence[str], *, rng: np.random.Generator
) -> Net:
    """Make the moves on one network, as worlds are told.

    Args:
        net: a candidate of the base, under its final names.
        moves: under the same names.
        hidden: names for the hidden causes that come.
        rng: shuffles the values of hidden causes.
    """
    for move, name in zip(moves, hidden, strict=False):
        if move.kind == "turn":
            net = covered_reversal(net, move.cause, move.effects[0])
        elif move.kind == "confound":
            net = _told(net, move.cause, move.effects, name, rng=rng)
        else:
            net = _in_order(net, dict(move.parents))
    return net


def _in_order(net: Net, parents: Parents) -> Net:
    """Return the network of an order, which needs no hidden variables."""
    seen = Net({name: net.cards[name] for name in net.visible}, dict(parents), {})
    tables = {}
    for name, above in parents.items():
        joint = net.law((*above, name))
        tables[name] = joint / joint.sum(axis=-1, keepdims=True)
    return seen.replace(tables)


def _covered(parents: Parents, edge: Edge) -> bool:
    """Say whether an edge is covered, hidden parents counted."""
    return set(parents[edge[1]]) == {*parents[edge[0]], edge[0]}


def turned(batch: Batch, x: str, y: str) -> Batch:
    """Turn the covered edge x -> y round in every candidate; no law of all variables changes.

    Reference:
        Chickering (1995), A transformational characterization of equivalent Bayesian networks.
    """
    common = batch.parents[x]
    places = [1 + batch.parents[y].index(name) for name in (*common, x)]
    given_x = batch.cpts[y].transpose([0, *places, batch.cpts[y].ndim - 1])
    both = batch.cpts[x][..., None] * given_x
    head = both.sum(axis=-2)
    tail: Floats = np.swapaxes(both / head[..., None, :], -1, -2)
    return batch.replace({y: head, x: tail}, {y: common, x: (*common, y)})


def confounded(batch: Batch, x: str, effects: Sequence[str], hidden: str) -> Batch:
    """Let some effects read the natural value of x in every candidate, each unit as it was.

    Args:
        batch: nets with an edge from x to each of the effects.
        x: the tail of the edges.
        effects: their heads.
        hidden: a new name, of the natural value of x.
    """
    card = batch.cards[x]
    same = np.broadcast_to(np.eye(card), (len(batch), card, card))
    reads = {
        effect: tuple(hidden if parent == x else parent for parent in batch.parents[effect])
        for effect in effects
    }
    return batch.replace(
        {hidden: batch.cpts[x], x: same},
        {hidden: batch.parents[x], x: (hidden,), **reads},
        {hidden: card},
    )


def _told(
    net: Net, x: str, effects: Sequence[str], hidden: str, *, rng: np.random.Generator
) -> Net:
    """Let effects read the natural value of x, as `edge_to_confounder` does for one of them.

    The noise of x is a hidden cause that all of them share: they take over the parents of x.
    """
    first = edge_to_confounder(net, x, effects[0], hidden, rng=rng)
    natural = first.cpts[x].argmax(axis=-1)
    above = net.parents[x]
    tables, parents = {}, {}
    for effect in effects[1:]:
        own = [parent for parent in net.parents[effect] if parent != x]
        reads = (*dict.fromkeys([*own, *above]), hidden)
        grid = np.indices([first.cards[name] for name in reads])
        index = dict(zip(reads, grid, strict=True))
        index[x] = natural[tuple(index[name] for name in (*above, hidden))]
        tables[effect] = net.cpts[effect][tuple(index[name] for name in net.parents[effect])]
        parents[effect] = reads
    return first.replace(tables, parents)


def _ordered(batch: Batch, parents: Parents) -> Batch:
    """Return networks without hidden variables whose tables are the conditionals of the law."""
    tables = {}
    for name, above in parents.items():
        joint = batch.law((*above, name))
        tables[name] = joint / joint.sum(axis=-1, keepdims=True)
    cards = {name: batch.cards[name] for name in parents}
    return type(batch)(cards, dict(parents), tables)


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


def diagram_of(batch: Batch) -> Diagram:
    """Return the diagram over the visible variables: hidden ones become ``<->`` or paths.

    Reference:
        Verma and Pearl (1990), Equivalence and synthesis of causal models: the projection.
    """
    reach = {name: _seen_effects(batch, name) for name in batch.cards}
    directed = [(name, effect) for name in batch.visible for effect in sorted(reach[name] - {name})]
    bidirected = [
        (first, second)
        for name in batch.cards
        if name in batch.hidden
        for first in reach[name]
        for second in reach[name]
        if first < second
    ]
    return Diagram(batch.visible, directed, bidirected)


def _seen_effects(batch: Batch, name: str) -> set[str]:
    """Return the visible variables that a variable reaches by hidden ones alone."""
    found: set[str] = set()
    stack, met = [name], {name}
    while stack:
        cause = stack.pop()
        for effect, above in batch.parents.items():
            if cause in above and effect not in met:
                met.add(effect)
                if effect in batch.hidden:
                    stack.append(effect)
                else:
                    found.add(effect)
    return found
