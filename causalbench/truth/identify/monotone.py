"""Use monotone mechanisms: where Y1 <= Y2 in every unit, joint events of the two fall apart.

"monotone: x -> y" says that y's mechanism does not fall when x is raised, y's other parents and
its noise held. It says nothing by itself of what x does by way of others, so two copies of y are
compared parent by parent: a parent is equal in both worlds, or ordered, being forced, known from
the event, or by the same argument; and every ordered parent must have a stated sign, all to one
effect. Without a diagram every other variable may be a parent of y, and none can be followed up.

Where Y1 <= Y2, {Y1 low, Y2 high} is {Y1 low} less {Y2 low}, {Y1 high, Y2 low} is impossible, and
{both high} is {Y1 high}, for any threshold; with two values these are all the events. So
PNS = P(y[x]) - P(y[x']) and PN = (P(y) - P(y[x'])) / P(x, y).

References: Pearl, Probabilities of causation: three counterfactual interpretations and their
identification (1999); Tian and Pearl, Probabilities of causation: bounds and identification (2000).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from causalbench.truth.identify.estimand import Index
from causalbench.truth.identify.unnest import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.truth.identify.ctf_network import Copies, Network
    from causalbench.truth.identify.estimand import Setting, Value
    from causalbench.truth.identify.unnest import Unnester

__all__ = ["Monotone", "signs_of"]

Codes = frozenset[int]
Parts = list[tuple[float, Codes | None, Codes | None]]  # weight, lower event, higher event
Weighted = list[tuple[float, tuple[Event, ...]]]


def signs_of(assumptions: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """Return (cause, effect) -> 1 for stated monotone mechanisms, -1 for antitone ones."""
    found = {}
    for text in assumptions:
        kind, _, edge = text.partition(":")
        sign = {"monotone": 1, "antitone": -1}.get(kind.strip())
        cause, arrow, effect = edge.partition("->")
        if sign is not None and arrow:
            found[cause.strip(), effect.strip()] = sign
    return found


class Monotone:
    """Rewrites of events under stated signs.

    Args:
        assumptions: as in `Knowledge`.
        unnester: has the labels, in rising order, and makes indices.
        network: the diagram, or None where none is shown.
    """

    def __init__(
        self, assumptions: tuple[str, ...], unnester: Unnester, network: Network | None
    ) -> None:
        self.signs = signs_of(assumptions)
        self.unnester = unnester
        self.labels = unnester.labels
        self.network = network

    def rewrites(self, copies: Copies) -> Iterator[Weighted]:
        """Yield weighted conjunctions whose probabilities add up to that of the copies.

        Every way uses one pair of copies of one variable, and leaves one of them out.

        Args:
            copies: (variable, minimal setting) -> value.
        """
        if not self.signs:
            return
        used = Counter(copies.values())
        used.update(value for _, setting in copies for _, value in setting)
        free = [key for key, value in copies.items() if isinstance(value, str) or used[value] == 1]
        for place, first in enumerate(free):
            for second in free[place + 1 :]:
                if first[0] != second[0]:
                    continue
                order = self._by_parents(first[0], first[1], second[1], copies)
                if not order:
                    continue
                low, high = (first, second) if order > 0 else (second, first)
                parts = _split(
                    self._codes(first[0], copies[low]),
                    self._codes(first[0], copies[high]),
                    frozenset(range(len(self.labels[first[0]]))),
                )
                if parts is not None:
                    others = [
                        Event(name, setting, value)
                        for (name, setting), value in copies.items()
                        if (name, setting) not in {low, high}
                    ]
                    yield [
                        (weight, (*others, *self._events(low, one), *self._events(high, two)))
                        for weight, one, two in parts
                    ]

    def _by_parents(
        self, name: str, first: tuple[Setting, ...], second: tuple[Setting, ...], copies: Copies
    ) -> int | None:
        """Return 1 if a variable is never larger under the first setting, -1, 0; None if open."""
        if self.network is not None:
            parents = self.network.parents[name]
        else:
            parents = tuple(other for other in self.labels if other != name)
        result = 0
        for parent in parents:
            order = self._order(parent, first, second, copies)
            if order == 0:
                continue
            sign = self.signs.get((parent, name))
            if order is None or sign is None or result == -order * sign:
                return None
            result = order * sign
        return result

    def _order(
        self, name: str, first: tuple[Setting, ...], second: tuple[Setting, ...], copies: Copies
    ) -> int | None:
        """Return how a parent is ordered: by what is known of it, or by its own parents."""
        one, two = self._value(name, first, copies), self._value(name, second, copies)
        if one is not None and one == two:
            return 0
        if isinstance(one, str) and isinstance(two, str):
            labels = self.labels[name]
            return 1 if labels.index(one) < labels.index(two) else -1
        if name in dict(first) or name in dict(second) or self.network is None:
            return None
        if self.network.minimal(name, first) == self.network.minimal(name, second):
            return 0
        return self._by_parents(name, first, second, copies)

    def _value(self, name: str, setting: tuple[Setting, ...], copies: Copies) -> Value | None:
        """Return the value that a variable has under a setting, if it is known."""
        forced = dict(setting).get(name)
        if forced is not None:
            return forced
        minimal = self.network.minimal(name, setting) if self.network else setting
        return copies.get((name, minimal))

    def _codes(self, name: str, value: Value) -> Codes:
        """Return the codes of a label, or of those an index runs over."""
        labels = self.labels[name]
        wanted = (value.among or labels) if isinstance(value, Index) else (value,)
        return frozenset(labels.index(label) for label in wanted)

    def _events(
        self, key: tuple[str, tuple[Setting, ...]], codes: Codes | None
    ) -> tuple[Event, ...]:
        """Return the event that a copy's code is among some; none for None."""
        if codes is None:
            return ()
        name, setting = key
        labels = tuple(label for code, label in enumerate(self.labels[name]) if code in codes)
        return (Event(name, setting, self.unnester.value(name, labels)),)


def _split(low: Codes, high: Codes, every: Codes) -> Parts | None:
    """Write {Y1 in low, Y2 in high}, for Y1 <= Y2, by events of one; None if it can't be."""
    for turn_low in (False, True):
        for turn_high in (False, True):
            first = every - low if turn_low else low
            second = every - high if turn_high else high
            parts = _implied(first, second, every)
            if parts is None:
                continue
            # 1[A and B] is 1[A] - 1[A and not B], and so on.
            sign = -1.0 if turn_low != turn_high else 1.0
            parts = [(sign * weight, one, two) for weight, one, two in parts]
            if turn_low and turn_high:
                return [(1.0, None, None), (-1.0, first, None), (-1.0, None, second), *parts]
            if turn_low:
                return [(1.0, None, high), *parts]
            return [(1.0, low, None), *parts] if turn_high else parts
    return None


def _implied(low: Codes, high: Codes, every: Codes) -> Parts | None:
    """Return the events if one of the two implies the other, or they exclude each other."""
    if not low or not high or max(high) < min(low):
        return []
    if all(code in high for code in every if code >= min(low)):
        return [(1.0, low, None)]
    if all(code in low for code in every if code <= max(high)):
        return [(1.0, None, high)]
    return None
