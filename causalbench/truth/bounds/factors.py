"""Work out Q[W], the law of a group of variables with all else set, from permitted laws.

Where W's other parents may be set together, Q[W] is the law of that experiment. Where the siblings
of W may be set, it is the product of P(v | predecessors) over W in the experiment that sets them.

Reference: Tian and Pearl (2002), A general identification condition for causal effects.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from causalbench.truth.bounds.responses import Shape
    from causalbench.truth.permitted import Permitted

    Array = NDArray[np.float64]

__all__ = ["Factors"]

Group = tuple[int, ...]
_SETTINGS = 256  # experiments that are run through at once


class Factors:
    """The factors Q[W] of one world, each worked out once.

    Args:
        permitted: the laws.
        shape: the diagram they are read with.
    """

    def __init__(self, permitted: Permitted, shape: Shape) -> None:
        self._permitted = permitted
        self._shape = shape
        self._known: dict[Group, Array | None] = {}

    def q(self, group: Group) -> Array | None:
        """Return Q[W], one axis a member and then one an outer parent, in causal order.

        Args:
            group: positions in causal order.

        Returns:
            NaN where the laws say nothing: a context of probability zero. None where no permitted
            law gives it.
        """
        if group not in self._known:
            self._known[group] = self._make(group)
        return self._known[group]

    def _make(self, group: Group) -> Array | None:
        shape = self._shape
        outer = shape.outer(group)
        if shape.settable.issuperset(outer):
            return self._table(group, outer, ())
        if shape.settable >= shape.beside(group):
            return self._product(group, group)
        home = shape.components[shape.home[group[0]]]
        for other in home.laws:
            if other[: len(group)] == group and shape.settable >= shape.beside(other):
                return self._product(group, other)
        for other in home.laws:
            if set(group) < set(other) and home.ancestral(group, other):
                return self._summed(group, other)
        return None

    def _table(self, names: Group, free: Group, fixed: Group) -> Array:
        """Return P(names | do(free = each value, fixed = their first value)), free axes last."""
        structure = self._shape.structure
        labels = structure.values
        cards = [structure.cards[p] for p in free]
        table = np.empty((*(structure.cards[p] for p in names), *cards))
        rest = {structure.names[p]: labels[p][0] for p in fixed}
        wanted = [structure.names[p] for p in names]
        for codes in product(*(range(card) for card in cards)):
            do = {structure.names[p]: labels[p][c] for p, c in zip(free, codes, strict=True)}
            at: Any = (..., *codes)
            table[at] = self._permitted.law(wanted, {**do, **rest})
        return table

    def _product(self, group: Group, whole_group: Group) -> Array:
        """Return the product over a group that starts a larger one, whose siblings are set."""
        shape = self._shape
        parents = shape.structure.parents
        outer = shape.outer(group)
        set_here = shape.beside(whole_group) | (set(outer) & shape.settable)
        axes = (*group, *outer)
        total = np.ones(tuple(shape.structure.cards[p] for p in axes))
        for member in group:
            near = self._joined(member, group)
            context = (set(near) | {p for m in near for p in parents[m]}) - {member}
            part = self._given(member, context, set_here, axes)
            more = shape.settable - set(near)
            if np.isnan(part).any() and more > set_here and self._few(more):
                # What never occurs by itself may occur in wider experiments.
                part = np.where(np.isnan(part), self._given(member, context, more, axes), part)
            total = np.where(total == 0.0, 0.0, total * part)
        return total

    def _few(self, positions: Iterable[int]) -> bool:
        cards = self._shape.structure.cards
        return math.prod(cards[p] for p in positions) <= _SETTINGS

    def _given(self, member: int, context: set[int], forced: frozenset[int], axes: Group) -> Array:
        """Return P(member | context) where some variables are set, over the given axes.

        Set variables outside the context do not matter to it, but to what occurs: where they are
        few, all their values are pooled.
        """
        watched = (*sorted(context - forced), member)
        free = tuple(sorted(context & forced))
        others = tuple(sorted(forced - context))
        if self._few(forced):
            table = self._table(watched, (*free, *others), ())
            table = table.sum(axis=tuple(range(len(watched) + len(free), table.ndim)))
        else:
            table = self._table(watched, free, others)
        whole = table.sum(axis=len(watched) - 1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(whole > 0.0, table / whole, np.nan)
        return _aligned(part, (*watched, *free), axes)

    def _joined(self, member: int, group: Group) -> Group:
        """Return the members that ``<->`` paths join to one, among those not after it."""
        before = {p for p in group if p <= member}
        found, stack = {member}, [member]
        while stack:
            for other in self._shape.siblings[stack.pop()] & before:
                if other not in found:
                    found.add(other)
                    stack.append(other)
        return tuple(sorted(found))

    def _summed(self, group: Group, other: Group) -> Array | None:
        """Return Q of an ancestral part of another group, the rest summed out."""
        table = self.q(other)
        if table is None:
            return None
        shape = self._shape
        axes = (*other, *shape.outer(other))
        wanted = (*group, *shape.outer(group))
        summed = tuple(axes.index(p) for p in other if p not in group)
        left = [p for p in axes if p in group or p not in other]
        total = table.sum(axis=summed)
        # Outer parents of the rest do not matter to the group: any defined value serves.
        for p in [p for p in left if p not in wanted]:
            at = left.index(p)
            count = np.isfinite(total).sum(axis=at)
            with np.errstate(invalid="ignore", divide="ignore"):
                total = np.where(count > 0, np.nansum(total, axis=at) / count, np.nan)
            left.remove(p)
        return _aligned(total, tuple(left), wanted)


def _aligned(table: Array, axes: Group, wanted: Group) -> Array:
    """Return a table with its axes in another order, and new ones of length 1."""
    order = sorted(range(len(axes)), key=lambda i: wanted.index(axes[i]))
    turned = table.transpose(order)
    held = set(axes)
    sizes = iter(turned.shape)
    return turned.reshape(tuple(next(sizes) if p in held else 1 for p in wanted))
