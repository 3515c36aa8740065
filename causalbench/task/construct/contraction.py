"""How a law is summed out of tables: worked out once for a structure, then done with many batches.

A search asks the same laws of batch after batch of one structure. Which tables take part, in which
order variables are summed out, and how axes are turned depends on the structure alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from causalbench.task.construct.net import Floats

    _Turn = tuple[tuple[int, ...], tuple[int, ...]]

__all__ = ["Contraction", "ancestors", "contraction"]

_KEPT = 4096  # structures and questions that are remembered


@dataclass(slots=True)
class _Step:
    """Tables multiplied into one, whose last axis may be summed out.

    Args:
        sources: which tables, by when they came about.
        turns: for each: the order of its axes, and the sizes that spread them over the product's.
        sizes: of the product's axes.
        summed: whether its last axis is summed out.
    """

    sources: tuple[int, ...]
    turns: tuple[_Turn, ...]
    sizes: tuple[int, ...]
    summed: bool

    def done(self, tables: Sequence[Floats], count: int) -> Floats:
        """Return the product of the tables of so many candidates."""
        total = np.empty((count, *self.sizes))
        parts = [
            tables[source].transpose(order).reshape((count, *sizes))
            for source, (order, sizes) in zip(self.sources, self.turns, strict=True)
        ]
        if len(parts) == 1:
            total[...] = parts[0]
        elif parts:
            np.multiply(parts[0], parts[1], out=total)
        else:
            total[...] = 1.0
        for part in parts[2:]:
            np.multiply(total, part, out=total)
        if not self.summed:
            return total
        if self.sizes[-1] == 2:  # noqa: PLR2004  (the same sum, without a reduction's overhead)
            return np.add(total[..., 0], total[..., 1])
        result: Floats = total.sum(axis=-1)
        return result


@dataclass(slots=True)
class Contraction:
    """The way to P(names | do) in one structure.

    Args:
        reads: for each table that takes part: its variable; its axes that stand for variables that
            are set, last first, each with that variable; and, of a variable that is itself set and
            asked for, its number of values, else 0.
        steps: what is multiplied and summed out, one after another; the last gives the law.
    """

    reads: tuple[tuple[str, tuple[tuple[int, str], ...], int], ...]
    steps: tuple[_Step, ...]

    def law(self, cpts: Mapping[str, Floats], forced: Mapping[str, int], count: int) -> Floats:
        """Return the law of so many candidates.

        Args:
            cpts: variable -> P(value | parents), the candidates' axis first.
            forced: variable -> code that is set.
            count: of candidates.
        """
        table: Floats
        tables: list[Floats] = []
        for name, axes, card in self.reads:
            if card:
                table = np.zeros((count, card))
                table[:, forced[name]] = 1.0
            else:
                table = cpts[name]
                for axis, parent in axes:
                    table = np.take(table, forced[parent], axis=axis)
            tables.append(table)
        for step in self.steps:
            tables.append(step.done(tables, count))
        return tables[-1]


@lru_cache(_KEPT)
def contraction(
    names: tuple[str, ...],
    forced: frozenset[str],
    cards: tuple[tuple[str, int], ...],
    parents: tuple[tuple[str, tuple[str, ...]], ...],
) -> Contraction:
    """Multiply and sum out, one variable after another, cheapest first.

    Args:
        names: an axis each of the law.
        forced: the variables that are set.
        cards: (variable, number of values), in declared order.
        parents: (variable, its parents).
    """
    size, above = dict(cards), dict(parents)
    needed = ancestors(above, names, forced)
    reads: list[tuple[str, tuple[tuple[int, str], ...], int]] = []
    axes: list[tuple[str, ...]] = []
    for name, card in size.items():
        if name not in needed:
            continue
        if name in forced:
            if name in names:
                reads.append((name, (), card))
                axes.append((name,))
            continue
        own = above[name]
        taken = [(1 + place, each) for place, each in enumerate(own) if each in forced]
        reads.append((name, tuple(reversed(taken)), 0))
        axes.append((*(parent for parent in own if parent not in forced), name))
    steps: list[_Step] = []
    live = list(range(len(axes)))
    bit = {name: 1 << place for place, name in enumerate(size)}
    masks = [sum(bit[each] for each in own) for own in axes]
    rest = [name for name in size if name in needed and name not in forced and name not in names]
    while rest:
        name = _cheapest(rest, [masks[place] for place in live], bit, size)
        rest.remove(name)
        mine = [place for place in live if masks[place] & bit[name]]
        live = [place for place in live if not masks[place] & bit[name]]
        left = tuple(dict.fromkeys(n for place in mine for n in axes[place] if n != name))
        steps.append(_step(mine, axes, (*left, name), size, summed=True))
        live.append(len(axes))
        axes.append(left)
        masks.append(sum(bit[each] for each in left))
    steps.append(_step(live, axes, names, size, summed=False))
    return Contraction(tuple(reads), tuple(steps))


def _cheapest(
    rest: Sequence[str], masks: Sequence[int], bit: Mapping[str, int], size: Mapping[str, int]
) -> str:
    """Return the variable, the first of several, whose summing out makes the smallest table."""
    if len(rest) == 1:
        return rest[0]
    best, least = rest[0], math.inf
    for name in rest:
        joined, own, cells = 0, bit[name], 1
        for mask in masks:
            if mask & own:
                joined |= mask
        for other, place in bit.items():
            if joined & place:
                cells *= size[other]
        if cells < least:
            best, least = name, cells
    return best


def ancestors(
    parents: Mapping[str, Sequence[str]], names: Sequence[str], cut: Collection[str] = ()
) -> set[str]:
    """Return the names and all that reaches them, not through variables that are set."""
    found: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(() if name in cut else parents[name])
    return found


def _step(
    sources: Sequence[int],
    known: Sequence[tuple[str, ...]],
    axes: tuple[str, ...],
    size: Mapping[str, int],
    *,
    summed: bool,
) -> _Step:
    """Return the product of tables over some axes, among which the known axes of each are."""
    at = {name: place for place, name in enumerate(axes)}
    turns = []
    for source in sources:
        places = [at[name] for name in known[source]]
        order = sorted(range(len(places)), key=places.__getitem__)
        sizes = [1] * len(axes)
        for name, place in zip(known[source], places, strict=True):
            sizes[place] = size[name]
        turns.append(((0, *(1 + place for place in order)), tuple(sizes)))
    return _Step(tuple(sources), tuple(turns), tuple(size[name] for name in axes), summed)
