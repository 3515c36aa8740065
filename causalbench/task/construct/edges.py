"""Rung 2: turn an edge round, or turn it into confounding, and leave every seen law as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TwinError
from causalbench.scm.couplings import monotone, shuffle_noise

if TYPE_CHECKING:
    from causalbench.task.construct.net import Floats, Net

__all__ = ["bow", "covered", "covered_reversal", "edge_to_confounder"]


def covered(net: Net, x: str, y: str) -> bool:
    """Say whether x -> y is covered: y's parents are x's parents and x, hidden ones counted."""
    return x in net.parents[y] and set(net.parents[y]) == {*net.parents[x], x}


def covered_reversal(net: Net, x: str, y: str) -> Net:
    """Turn the covered edge x -> y round; the joint law of all variables stays the same.

    Args:
        net: a net in which x -> y is covered.
        x: the tail of the edge.
        y: its head.

    Returns:
        The net with y -> x and both tables by Bayes from P(x, y | the common parents).

    Raises:
        TwinError: the edge is not covered (the seen law would change).

    Reference:
        Chickering (1995), A transformational characterization of equivalent Bayesian networks.
    """
    if not covered(net, x, y):
        msg = f"{x} -> {y} is not covered, so turning it round changes the joint; choose another."
        raise TwinError(msg)
    common = net.parents[x]
    places = [net.parents[y].index(name) for name in (*common, x)]
    given_x = net.cpts[y].transpose([*places, net.cpts[y].ndim - 1])
    both = net.cpts[x][..., None] * given_x
    head = both.sum(axis=-2)
    # A head value that never occurs leaves its row free: the uniform row is as good as any.
    safe = np.where(head[..., None, :] > 0.0, head[..., None, :], 1.0)
    tail = np.where(head[..., None, :] > 0.0, both / safe, 1.0 / net.cards[x])
    return net.replace({y: head, x: np.swapaxes(tail, -1, -2)}, {y: common, x: (*common, y)})


def edge_to_confounder(net: Net, x: str, y: str, hidden: str, *, rng: np.random.Generator) -> Net:
    """Let y read the natural value of x: x -> y goes, x <-> y comes, each unit stays as it was.

    Args:
        net: a net with x -> y.
        x: the tail of the edge.
        y: its head.
        hidden: a new name for x's noise, which becomes a hidden cause of both.
        rng: shuffles the values of the hidden cause.

    Returns:
        The net in which x is a function of its parents and ``hidden``, and y has the parents of x
        (hidden ones too) and ``hidden`` in place of x.
    """
    return bow(net, x, y, hidden, 1.0, rng=rng)


def bow(net: Net, x: str, y: str, hidden: str, share: float, *, rng: np.random.Generator) -> Net:
    """Let y read the natural value of x in a share of units, the present value in the others.

    With a share strictly between 0 and 1 the diagram has x -> y and x <-> y whatever the share,
    and the seen law does not depend on it: two shares are witnesses that P(y | do(x)) is not
    identified.

    Args:
        net: a net with x -> y.
        x: the tail of the edge.
        y: its head.
        hidden: a new name for x's noise.
        share: P(y reads the natural value), in (0, 1]; 1 removes the edge.
        rng: shuffles the values of the hidden cause.

    Raises:
        TwinError: there is no edge x -> y.
    """
    if x not in net.parents[y]:
        msg = f"there is no edge {x} -> {y} to turn into confounding; choose an edge."
        raise TwinError(msg)
    above = net.parents[x]
    response = shuffle_noise(monotone(net.cpts[x], above), rng)
    noise, function = response.noise, response.table
    size = len(noise)
    natural_parents = list(dict.fromkeys([*(p for p in net.parents[y] if p != x), *above]))
    parents_y = (*natural_parents, hidden) if share == 1.0 else (*natural_parents, hidden, x)
    cards = {**net.cards, hidden: size}
    index = dict(zip(parents_y, np.indices([cards[name] for name in parents_y]), strict=True))
    natural = function[(index[hidden], *(index[name] for name in above))]
    read = [natural if name == x else index[name] for name in net.parents[y]]
    table: Floats = net.cpts[y][tuple(read)]
    if share < 1.0:
        present = net.cpts[y][tuple(index[name] for name in net.parents[y])]
        table = share * table + (1.0 - share) * present
    follow = np.moveaxis(function, 0, -1)
    own = (follow[..., None] == np.arange(net.cards[x])).astype(np.float64)
    return net.replace(
        {hidden: noise, x: own, y: table},
        {hidden: (), x: (*above, hidden), y: parents_y},
        {hidden: size},
    )
