"""Readings that reason too little, of many candidates at once: what twins must not reward.

These are the readings of `causalbench.task.construct.lures`, for interventions on one variable or
more and for evidence before or after them. There a reader goes by the diagram: it takes one reading
where some edge is drawn, and another where not. Here the readings stand by themselves, and a pair
resists them all if the best of them on one side and the best on the other, whichever they are, lose
as much together as one answer for both would. Then no rule that chooses a reading by the diagram
gains anything: not by whether there is an edge, a path, or how many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.graph import Diagram
    from causalbench.task.construct.batch import Batch
    from causalbench.task.construct.net import Floats

__all__ = ["READERS", "Readings"]

READERS = ("see", "marginal", "half", "adjust", "parents", "mediator", "last-mediator")
"""What is read for P(y | do(x), z), where x may be several variables:

- ``see``: P(y | x, z).
- ``marginal``: P(y | z).
- ``half``: the mean of the two.
- ``adjust``: P(y | x, z) averaged over all visible variables that no x reaches.
- ``parents``: P(y | x, z) averaged over the drawn causes of the x.
- ``mediator``: sum over m of P(m | x, z) P(y | m, z), where some x -> m -> y is drawn.
- ``last-mediator``: the same with another m, where there are several.

Where y is not reached, or no m is drawn, the marginal takes their place.
"""


@dataclass(frozen=True, eq=False)
class Readings:
    """The seen law of every candidate, and what is read off it.

    Args:
        names: the visible variables.
        cards: how many values each has.
        law: float64[candidate, *cards of the names].
    """

    names: tuple[str, ...]
    cards: Mapping[str, int]
    law: Floats
    _known: dict[tuple[str, ...], Floats] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, batch: Batch) -> Readings:
        """Read the law of a batch; its twin has the same."""
        return cls(batch.visible, batch.cards, batch.law(batch.visible))

    def joint(self, names: Sequence[str]) -> Floats:
        """Return P(names), float64[candidate, *cards of the names]."""
        key = tuple(names)
        if key not in self._known:
            axes = [self.names.index(name) for name in key]
            rest = tuple(1 + axis for axis in range(len(self.names)) if axis not in axes)
            left = sorted(axes)
            table = self.law.sum(axis=rest)
            self._known[key] = table.transpose([0, *(1 + left.index(axis) for axis in axes)])
        return self._known[key]

    def read(self, diagram: Diagram, xs: Sequence[str], y: str, seen: Sequence[str]) -> Floats:
        """Return what each reader takes for ``P(y | do(xs), seen)``.

        Args:
            diagram: the one that is shown.
            xs: the variables that are set.
            y: the outcome, another one.
            seen: the evidence, other ones; it may come before or after the xs.

        Returns:
            float64[candidate, reader, values of xs, values of seen, values of y].
        """
        watched = self._given((*xs, *seen), (*xs, *seen), y)
        plain = np.broadcast_to(self._given(seen, (*xs, *seen), y), watched.shape)
        after = {name for x in xs for name in diagram.descendants([x])}
        adjusted, parents = plain, plain
        if y in after:
            free = [name for name in self.names if name not in {*after, *seen, *xs, y}]
            adjusted = parents = self._adjusted(xs, y, seen, after, free)
            drawn = [name for name in free if any((name, x) in diagram.directed for x in xs)]
            if drawn != free:
                parents = self._adjusted(xs, y, seen, after, drawn)
        middles = [
            m
            for m in self.names
            if m not in {*xs, *seen}
            and (m, y) in diagram.directed
            and any((x, m) in diagram.directed for x in xs)
        ]
        through = [self._through(xs, y, seen, m) for m in (*middles[:1], *middles[1:][-1:])]
        through += [plain] * (2 - len(through))
        found = [watched, plain, (watched + plain) / 2, adjusted, parents, *through]
        stacked = np.stack(found, axis=1)
        size = [
            int(np.prod([self.cards[name] for name in part], dtype=np.int64)) for part in (xs, seen)
        ]
        return stacked.reshape(*stacked.shape[:2], *size, self.cards[y])

    def given(self, seen: Sequence[str], y: str) -> Floats:
        """Return P(y | seen), float64[candidate, values of seen, values of y]."""
        table = self._given(seen, seen, y)
        return table.reshape(len(table), -1, self.cards[y])

    def _given(self, given: Sequence[str], axes: Sequence[str], y: str) -> Floats:
        """Return P(y | given), an axis for each name, of size 1 where it is not among the given."""
        kept = [name for name in axes if name in given]
        joint = self.joint((*kept, y))
        shape = [self.cards[name] if name in given else 1 for name in axes]
        return _normal(joint).reshape(len(joint), *shape, self.cards[y])

    def _adjusted(
        self,
        xs: Sequence[str],
        y: str,
        seen: Sequence[str],
        after: set[str],
        free: Sequence[str],
    ) -> Floats:
        """Average P(y, later evidence | x, free, earlier evidence) over the free variables."""
        earlier = [name for name in seen if name not in after]
        later = [name for name in seen if name in after]
        head = (*earlier, *free)
        table = self.joint((*head, *xs, *later, y))
        count = len(table)
        flat = table.reshape(count, *self._sizes(earlier, free, xs, [*later, y]))
        share = flat.sum(axis=(3, 4), keepdims=True)
        then = _normal(flat)
        total = (share * then).sum(axis=2)  # candidate, earlier, xs, (later, y)
        total = total.reshape(
            count, *(self.cards[n] for n in (*earlier, *xs, *later)), self.cards[y]
        )
        order = (*earlier, *xs, *later)
        total = total.transpose([0, *(1 + order.index(n) for n in (*xs, *seen)), total.ndim - 1])
        return _normal(total)

    def _through(self, xs: Sequence[str], y: str, seen: Sequence[str], m: str) -> Floats:
        """Return the sum over m of P(m | x, seen) P(y | m, seen)."""
        first = _normal(self.joint((*xs, *seen, m)))
        then = _normal(self.joint((*seen, m, y)))
        then = then.reshape(len(then), *([1] * len(xs)), *then.shape[1:])
        result: Floats = (first[..., None] * then).sum(axis=-2)
        return result

    def _sizes(self, *groups: Sequence[str]) -> list[int]:
        return [
            int(np.prod([self.cards[name] for name in group], dtype=np.int64)) for group in groups
        ]


def _normal(table: Floats) -> Floats:
    """Divide by the sums over the last axis."""
    mass = table.sum(axis=-1, keepdims=True)
    result: Floats = table / np.where(mass > 0.0, mass, 1.0)
    return result
