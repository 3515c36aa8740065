"""Bound how alike two worlds look in one unit where the table of all interventions is too large.

The affinity under an intervention is a sum of products of small tables, one for each group of
variables that share a hidden cause. Summed out one variable at a time, it never needs the whole
table. To set a variable, and to what, is decided as the variable is summed out, as if everything
not yet summed out had been seen: that can only lower the sum, so the result bounds the least
affinity from below.

Reference: Dechter, Bucket elimination: a unifying framework for reasoning (1999).
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from causalbench.task.affinity import LARGEST, group_table, groups, peeled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causalbench.task.construct.net import Floats, Net

__all__ = ["eliminated"]


class _Factor(NamedTuple):
    """A table with named axes, in the order of the names; a switch is named ``do x``.

    Attributes:
        names: of the axes, sorted.
        table: an axis a name.
    """

    names: tuple[str, ...]
    table: Floats


def eliminated(nets: tuple[Net, Net], *, watched: bool, first: Iterable[str] = ()) -> float | None:
    """Bound the affinity of one unit from below.

    Args:
        nets: the worlds, with the same visible variables.
        watched: True for a unit that is watched, of which the affinity is exact; False for the
            least over all ways of setting variables.
        first: variables to sum out first, so that to set them may depend on all others.

    Returns:
        In [0, 1]; None where a table would have over `LARGEST` numbers.
    """
    nets = peeled(nets, frozenset())
    factors: list[_Factor] = []
    for group in groups(nets):
        made = _factor(nets, group, watched=watched)
        if made is None:
            return None
        factors.append(made)
    left, early = set(nets[0].visible), set(first) & set(nets[0].visible)
    while left:
        open_to = sorted(early & left) or sorted(left)
        name = min(open_to, key=lambda each: _size(factors, each))
        if _size(factors, name) > LARGEST:
            return None
        held = [factor for factor in factors if name in factor.names]
        factors = [factor for factor in factors if name not in factor.names]
        factors.append(_summed(reduce(_times, held), name))
        left.remove(name)
    result = math.prod(float(factor.table) for factor in factors)
    return max(0.0, min(1.0, result))


def _factor(nets: tuple[Net, Net], group: Sequence[str], *, watched: bool) -> _Factor | None:
    """Return a group's sqrt(p q) by its values, its parents' and, unless watched, its switches."""
    hidden = nets[0].hidden | nets[1].hidden
    scope = {*group}
    for net in nets:
        stack = list(group)
        while stack:
            own = net.parents[stack.pop()]
            stack += [parent for parent in own if parent in net.hidden]
            scope.update(parent for parent in own if parent not in hidden)
    names = tuple(sorted(scope))
    table = group_table(nets, names, group)
    if table is None:
        return None
    cards = tuple(nets[0].cards[name] for name in names)
    switches = (2,) * len(group)
    table = np.broadcast_to(table.reshape(*switches, *table.shape[len(names) :]), switches + cards)
    if watched:
        return _Factor(names, table[(0,) * len(group)])
    return _sorted((*(_switch(name) for name in group), *names), table)


def _switch(name: str) -> str:
    return f"do {name}"


def _sorted(names: Sequence[str], table: Floats) -> _Factor:
    order = sorted(range(len(names)), key=names.__getitem__)
    return _Factor(tuple(names[place] for place in order), table.transpose(order))


def _size(factors: Sequence[_Factor], name: str) -> int:
    """Return how many numbers the product of all factors of a variable has."""
    cards: dict[str, int] = {}
    for factor in factors:
        if name in factor.names:
            cards.update(zip(factor.names, factor.table.shape, strict=True))
    return math.prod(cards.values())


def _times(first: _Factor, second: _Factor) -> _Factor:
    """Multiply two factors."""
    names = tuple(sorted({*first.names, *second.names}))
    spread = [
        factor.table.reshape(
            [
                factor.table.shape[factor.names.index(name)] if name in factor.names else 1
                for name in names
            ]
        )
        for factor in (first, second)
    ]
    return _Factor(names, spread[0] * spread[1])


def _summed(factor: _Factor, name: str) -> _Factor:
    """Sum a variable out, or, where its switch says that it is set, take its least value."""
    names, table = factor
    switch = _switch(name)
    if switch not in names:
        axis = names.index(name)
        return _Factor(names[:axis] + names[axis + 1 :], table.sum(axis=axis))
    place = names.index(switch)
    names = names[:place] + names[place + 1 :]
    axis = names.index(name)
    free, held = (np.take(table, at, axis=place) for at in (0, 1))
    least = np.minimum(free.sum(axis=axis), held.min(axis=axis))
    return _Factor(names[:axis] + names[axis + 1 :], least)
