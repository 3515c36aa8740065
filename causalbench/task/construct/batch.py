"""Many parameter sets of one shape at once: what a search draws, evaluates and picks from.

Everything has a leading axis, the candidates. One pass of NumPy serves all of them, so a search
that throws most candidates away costs little more than one that keeps the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench import rng as draws
from causalbench.task.construct.net import Net
from causalbench.task.construct.walk import ancestors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.task.construct.net import Floats

    _Factor = tuple[tuple[str, ...], Floats]

__all__ = ["Batch", "draw_batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Nets of one shape.

    Args:
        cards: variable -> number of values.
        parents: variable -> its parents, in the order of the axes of its tables.
        cpts: variable -> P(value | parents), float64[candidate, *cards of the parents, card].
        hidden: the variables that are never shown.
    """

    cards: Mapping[str, int]
    parents: Mapping[str, tuple[str, ...]]
    cpts: Mapping[str, Floats]
    hidden: frozenset[str] = field(default_factory=frozenset)
    _known: dict[tuple[tuple[str, ...], tuple[tuple[str, int], ...]], Floats] = field(
        default_factory=dict, repr=False
    )

    def __len__(self) -> int:
        """Count the candidates."""
        return len(next(iter(self.cpts.values())))

    @property
    def visible(self) -> tuple[str, ...]:
        """The variables that are shown, in declared order."""
        return tuple(name for name in self.cards if name not in self.hidden)

    def ancestors(self, names: Sequence[str], cut: Sequence[str] = ()) -> set[str]:
        """Return the names and all that reaches them, not through variables that are set."""
        return ancestors(self.parents, names, cut)

    @cached_property
    def noted(self) -> dict[Any, Any]:
        """What a search has worked out of these tables, under keys of its own."""
        return {}

    def descendants(self, name: str) -> set[str]:
        """Return the name and all that it reaches."""
        return {other for other in self.cards if name in self.ancestors([other])}

    def law(self, names: Sequence[str], do: Mapping[str, int] | None = None) -> Floats:
        """Return P(names | do) of every candidate.

        Args:
            names: an axis each, in this order, after the candidates' own.
            do: variable -> code that is set.

        Returns:
            float64[candidate, *cards of the names]; kept, so do not write into it.
        """
        forced = do or {}
        key = tuple(names), tuple(sorted(forced.items()))
        if key not in self._known:
            self._known[key] = self._law(key[0], forced)
        return self._known[key]

    def replace(
        self,
        cpts: Mapping[str, Floats],
        parents: Mapping[str, tuple[str, ...]] | None = None,
        hidden: Mapping[str, int] | None = None,
    ) -> Batch:
        """Return a batch with some tables changed, and hidden variables (name -> card) added."""
        return Batch(
            cards={**self.cards, **(hidden or {})},
            parents={**self.parents, **(parents or {})},
            cpts={**self.cpts, **cpts},
            hidden=self.hidden | frozenset(hidden or {}),
        )

    def take(self, places: Sequence[int]) -> Batch:
        """Return some of the candidates."""
        return Batch(
            self.cards,
            self.parents,
            {name: table[list(places)] for name, table in self.cpts.items()},
            self.hidden,
        )

    def pick(self, place: int) -> Net:
        """Return one candidate as a net."""
        tables = {name: table[place].copy() for name, table in self.cpts.items()}
        return Net(dict(self.cards), dict(self.parents), tables, self.hidden)

    def _law(self, names: tuple[str, ...], forced: Mapping[str, int]) -> Floats:
        """Multiply and sum out, one variable after another, cheapest first."""
        needed = self.ancestors(names, cut=list(forced))
        factors: list[_Factor] = []
        for name in self.cards:
            if name not in needed:
                continue
            if name in forced:
                if name in names:
                    row = np.zeros((len(self), self.cards[name]))
                    row[:, forced[name]] = 1.0
                    factors.append(((name,), row))
                continue
            axes, table = self.parents[name], self.cpts[name]
            for place in range(len(axes) - 1, -1, -1):
                if axes[place] in forced:
                    table = np.take(table, forced[axes[place]], axis=place + 1)
            kept = tuple(parent for parent in axes if parent not in forced)
            factors.append(((*kept, name), table))
        rest = [name for name in self.cards if name in needed and name not in {*names, *forced}]
        while rest:
            name = min(rest, key=lambda each: self._width(each, factors))
            rest.remove(name)
            mine = [factor for factor in factors if name in factor[0]]
            factors = [factor for factor in factors if name not in factor[0]]
            axes = tuple(dict.fromkeys(n for own, _ in mine for n in own if n != name))
            factors.append((axes, self._product(mine, (*axes, name)).sum(axis=-1)))
        return self._product(factors, names)

    def _width(self, name: str, factors: Sequence[_Factor]) -> int:
        """Return the cells of the table that summing a variable out would make."""
        joined = {other for own, _ in factors if name in own for other in own}
        cells = 1
        for other in joined:
            cells *= self.cards[other]
        return cells

    def _product(self, factors: Sequence[_Factor], axes: Sequence[str]) -> Floats:
        total: Floats = np.ones((len(self), *(self.cards[name] for name in axes)))
        for own, table in factors:
            order = sorted(range(len(own)), key=lambda place: axes.index(own[place]))
            shape = [len(self)] + [1] * len(axes)
            for place in order:
                shape[1 + axes.index(own[place])] = self.cards[own[place]]
            total = total * table.transpose([0, *(1 + place for place in order)]).reshape(shape)
        return total


def draw_batch(
    rng: np.random.Generator,
    shape: Mapping[str, Sequence[str]],
    cards: Mapping[str, int],
    count: int,
    *,
    minimum: float = 0.05,
) -> Batch:
    """Draw tables on the grid of 1/1024 for a shape, many times over.

    Args:
        rng: draws everything.
        shape: variable -> parents; names that start with ``u`` are hidden.
        cards: variable -> number of values.
        count: of candidates.
        minimum: the least probability in a table.
    """
    tables = {
        name: draws.simplex(
            rng, cards[name], minimum, (count, *(cards[parent] for parent in above))
        )
        for name, above in shape.items()
    }
    return Batch(
        cards={name: cards[name] for name in shape},
        parents={name: tuple(above) for name, above in shape.items()},
        cpts=tables,
        hidden=frozenset(name for name in shape if name.startswith("u")),
    )
