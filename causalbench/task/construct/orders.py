"""Rung 2: draw one seen law under two causal orders, each time with no more arrows than it needs.

References:
    Verma and Pearl (1990), Causal networks: semantics and expressiveness: the map of an order is a
    minimal I-map. Pearl (1988), Probabilistic Reasoning in Intelligent Systems, section 3.3: where
    nothing has probability zero it is the only one of that order.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.task.construct.net import Net

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from causalbench.task.construct.net import Floats

__all__ = [
    "LEAST_ROW",
    "arrows",
    "independent",
    "least_row",
    "minimal_map",
    "reordered",
    "two_orders",
]

LEAST_ROW = 1e-3  # the least probability of the causes' values under which a table is asked
_TURNED = 2  # fewer arrows than that turned round is what a covered reversal does


def independent(law: Floats, first: int, second: int, given: Sequence[int]) -> bool:
    """Say whether two variables are independent given others, up to rounding and no further.

    Args:
        law: float64[values of each variable], a joint law without zeros whose entries are products
            of as many factors as there are variables.
        first: the axis of one variable.
        second: the axis of the other.
        given: the axes of what is known.
    """
    kept = [*sorted(given), first, second]
    rest = tuple(axis for axis in range(law.ndim) if axis not in kept)
    place = sorted(kept)
    both = law.sum(axis=rest).transpose([place.index(axis) for axis in kept])
    ones, others = both.sum(axis=-1, keepdims=True), both.sum(axis=-2, keepdims=True)
    here, there = both * ones.sum(axis=-2, keepdims=True), ones * others
    # Of positive numbers, n factors and N terms leave a relative error of at most (n + N) eps in a
    # marginal; each side has two of these and a product, and the sides differ by both errors.
    allowed = 2 * (2 * (law.ndim + law.size) + 1) * np.finfo(np.float64).eps
    return bool((np.abs(here - there) <= allowed * np.maximum(here, there)).all())


def minimal_map(
    law: Floats,
    names: Sequence[str],
    order: Sequence[str],
    known: dict[tuple[str, frozenset[str]], frozenset[str]] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return the parents of every variable in the one minimal network of a law and a causal order.

    They are those before it of which a variable is not independent given the others before it.

    Args:
        law: float64[values of each variable].
        names: the variables, in the order of the law's axes.
        order: the same, in the causal order wanted.
        known: remembers (variable, those before it) -> parents from one order to the next.

    Raises:
        TwinError: something has probability zero, so that the parents may not be unique.
    """
    if float(law.min()) <= 0.0:
        msg = "the law has a zero, and an order may have several minimal networks; take another."
        raise TwinError(msg)
    memory = {} if known is None else known
    axis = {name: place for place, name in enumerate(names)}
    parents = {}
    for count, name in enumerate(order):
        before = frozenset(order[:count])
        if (name, before) not in memory:
            memory[name, before] = frozenset(
                other
                for other in before
                if not independent(
                    law, axis[name], axis[other], [axis[each] for each in before - {other}]
                )
            )
        parents[name] = tuple(each for each in names if each in memory[name, before])
    return {name: parents[name] for name in names}


def reordered(net: Net, parents: Mapping[str, tuple[str, ...]]) -> Net:
    """Return the network with other parents whose tables are the conditionals of a net's law.

    Args:
        net: a net without hidden variables.
        parents: variable -> parents, without a cycle.
    """
    tables = {}
    for name, above in parents.items():
        joint = net.law((*above, name))
        tables[name] = joint / joint.sum(axis=-1, keepdims=True)
    return Net(cards=net.cards, parents=dict(parents), cpts=tables)


def arrows(parents: Mapping[str, Sequence[str]]) -> frozenset[tuple[str, str]]:
    """Return the (cause, effect) pairs."""
    return frozenset((cause, name) for name, above in parents.items() for cause in above)


def least_row(net: Net) -> float:
    """Return the least probability of any combination of values of any variable's parents."""
    return min((float(net.law(above).min()) for above in net.parents.values() if above), default=1)


def two_orders(
    rng: np.random.Generator, net: Net, *, kept: Collection[tuple[str, str]] = ()
) -> tuple[Net, Net] | None:
    """Draw two causal orders in which the law of a net takes equally many arrows, but not the same.

    Args:
        rng: draws the orders.
        net: a net without hidden variables.
        kept: (cause, effect) pairs that are arrows in both.

    Returns:
        The two minimal networks. They differ in two arrows or more, leave at least one pair of
        variables without an arrow, and use every row of every table with probability 0.001 or
        more. None where no such orders were found.
    """
    names = net.visible
    law = net.law(names)
    orders = [
        order
        for order in itertools.permutations(names)
        if all(order.index(cause) < order.index(effect) for cause, effect in kept)
    ]
    known: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
    most = len(names) * (len(names) - 1) // 2
    drawn: dict[frozenset[tuple[str, str]], Mapping[str, tuple[str, ...]]] = {}
    for place in draws.permutation(rng, len(orders)):
        parents = minimal_map(law, names, orders[int(place)], known)
        edges = arrows(parents)
        if not edges.issuperset(kept) or len(edges) >= most or edges in drawn:
            continue
        for others, above in drawn.items():
            if len(others) == len(edges) and len(edges - others) >= _TURNED:
                first, second = (reordered(net, each) for each in (above, parents))
                return (
                    (first, second) if min(map(least_row, (first, second))) >= LEAST_ROW else None
                )
        drawn[edges] = parents
    return None
