"""Rung 2: moves from a network to another with its seen law, in batches and one by one.

A move turns a covered edge round, draws the law in another causal order, or turns edges into
confounding. In a batch the natural value of a confounded cause is a hidden variable that its
effects read, which has every law under intervention that `causalbench.task.construct.edges` makes;
an accepted candidate is made by the latter, so that all pairs are told alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from causalbench.graph import Diagram
from causalbench.task.construct.edges import covered_reversal, edge_to_confounder
from causalbench.task.construct.net import Net

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

    Parents = Mapping[str, tuple[str, ...]]

__all__ = ["Move", "apply", "confounded", "diagram_of", "made", "turned"]


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


def _ordered(batch: Batch, parents: Parents) -> Batch:
    """Return networks without hidden variables whose tables are the conditionals of the law."""
    tables = {}
    for name, above in parents.items():
        joint = batch.law((*above, name))
        tables[name] = joint / joint.sum(axis=-1, keepdims=True)
    cards = {name: batch.cards[name] for name in parents}
    return type(batch)(cards, dict(parents), tables)


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


def _in_order(net: Net, parents: Parents) -> Net:
    """Return the network of an order, which needs no hidden variables."""
    seen = Net({name: net.cards[name] for name in net.visible}, dict(parents), {})
    tables = {}
    for name, above in parents.items():
        joint = net.law((*above, name))
        tables[name] = joint / joint.sum(axis=-1, keepdims=True)
    return seen.replace(tables)


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
