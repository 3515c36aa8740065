"""Nodes of a counterfactual probability, W[pa(W) = ...] = value, and what they say of each other.

Two nodes of one mechanism at equal parents have equal values. So where two nodes have different
values, their parents differ (contraposition); where every value of a parent leads to one value, the
node has it; and where every value of a parent leads to a known one, the parent decides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.truth.identify.estimand import Index, Setting, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from causalbench.truth.identify.unnest import Unnester

__all__ = [
    "Node",
    "Values",
    "anything",
    "decided",
    "excluded",
    "implied",
    "linked",
    "needed",
    "resolved",
]


@dataclass(frozen=True, slots=True)
class Node:
    """A variable under its own mechanism: W[parents] = value."""

    variable: str
    parents: tuple[Setting, ...]
    value: Value

    def indices(self) -> Iterator[Index]:
        """Yield the indices among its value and its parents' values."""
        for value in (self.value, *(value for _, value in self.parents)):
            if isinstance(value, Index):
                yield value


class Values:
    """Equalities between values found on the way."""

    def __init__(self, unnester: Unnester) -> None:
        self.unnester = unnester
        self.bound: dict[Index, Value] = {}

    def resolve(self, value: Value) -> Value:
        """Return what a value is known to be."""
        while isinstance(value, Index):
            better = self.bound.get(value)
            if better is None:
                return value
            value = better
        return value

    def setting(self, setting: Iterable[Setting]) -> tuple[Setting, ...]:
        """Return a setting with its values resolved."""
        return tuple((name, self.resolve(value)) for name, value in setting)

    def equal(self, first: Value, second: Value) -> bool:
        """Set two values equal; False where they can't be."""
        first, second = self.resolve(first), self.resolve(second)
        if first == second:
            return True
        if isinstance(first, str):
            first, second = second, first
        if isinstance(first, str):
            return False
        if isinstance(second, str):
            if first.among is not None and second not in first.among:
                return False
            self.bound[first] = second
            return True
        if first.among is None or first.among == second.among:
            self.bound[first] = second
        elif second.among is None:
            self.bound[second] = first
        else:
            both = tuple(label for label in first.among if label in second.among)
            if not both:
                return False
            one = self.unnester.value(first.variable, both)
            self.bound[first] = self.bound[second] = one
        return True


def linked(factors: Iterable[tuple[Node, ...]]) -> list[list[tuple[Node, ...]]]:
    """Group factors that share an index, directly or by way of others."""
    groups: list[tuple[set[Index], list[tuple[Node, ...]]]] = []
    for factor in factors:
        near = {index for node in factor for index in node.indices()}
        together = [factor]
        apart = []
        for indices, group in groups:
            if indices & near:
                near |= indices
                together = group + together
            else:
                apart.append((indices, group))
        groups = [*apart, (near, together)]
    return [group for _, group in groups]


def excluded(nodes: Sequence[Node]) -> Iterator[tuple[Index, str]]:
    """Yield (index, label) where the index can't be the label: two copies would differ for it."""
    for place, one in enumerate(nodes):
        for two in nodes[place + 1 :]:
            if one.variable != two.variable or not _apart(one.value, two.value):
                continue
            differ = [
                {first[1], second[1]}
                for first, second in zip(one.parents, two.parents, strict=True)
                if first != second
            ]
            if len(differ) == 1:
                indices = [value for value in differ[0] if isinstance(value, Index)]
                labels = [value for value in differ[0] if isinstance(value, str)]
                if indices and labels and labels[0] in (indices[0].among or labels):
                    yield indices[0], labels[0]


def decided(nodes: Sequence[Node], labels: Mapping[str, tuple[str, ...]]) -> Iterator[Index]:
    """Yield indices whose labels decide on the value of another node, copy by copy."""
    for _, index, found in _copies_at(nodes, labels):
        if all(isinstance(value, str) for value in found):
            yield index


def implied(
    nodes: Sequence[Node], labels: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Node, str]]:
    """Yield (node, label) where the node has that label whatever one of its parents is."""
    for node, _, found in _copies_at(nodes, labels):
        value = found.pop() if len(found) == 1 else None
        if isinstance(value, str):
            yield node, value


def _copies_at(
    nodes: Sequence[Node], labels: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Node, Index, set[Value | None]]]:
    """Yield a node, the index of a parent, and the known values of its copies at every label."""
    known = {(node.variable, node.parents): node.value for node in nodes}
    for node in nodes:
        for place, (name, index) in enumerate(node.parents):
            if isinstance(index, Index):
                options = index.among or labels[name]
                copies = (_put(node.parents, place, (name, label)) for label in options)
                yield node, index, {known.get((node.variable, parents)) for parents in copies}


def _put(parents: tuple[Setting, ...], place: int, entry: Setting) -> tuple[Setting, ...]:
    return (*parents[:place], entry, *parents[place + 1 :])


def resolved(nodes: Iterable[Node], values: Values) -> list[Node]:
    """Return nodes with all that is known of values put in."""
    return [Node(n.variable, values.setting(n.parents), values.resolve(n.value)) for n in nodes]


def needed(nodes: Iterable[Node]) -> list[Node]:
    """Leave out the nodes that may have any value and that no other node looks at."""
    left = list(nodes)
    while True:
        used = Counter(index for node in left for index in node.indices())
        kept = [n for n in left if not (anything(n.value) and used[n.value] == 1)]  # type: ignore[index]
        if len(kept) == len(left):
            return left
        left = kept


def _apart(first: Value, second: Value) -> bool:
    """Tell whether two values are surely different."""
    if isinstance(first, str):
        if isinstance(second, str):
            return first != second
        return second.among is not None and first not in second.among
    if isinstance(second, str) or first.among is None or second.among is None:
        return isinstance(second, str) and _apart(second, first)
    return not set(first.among) & set(second.among)


def anything(value: Value) -> bool:
    """Tell whether a value may be any of its variable's."""
    return isinstance(value, Index) and value.among is None
