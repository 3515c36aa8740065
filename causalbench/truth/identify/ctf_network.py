"""Write P(counterfactual events) as a sum of products of counterfactual factors.

Events are minimised (only the settings that reach a variable are kept), their counterfactual
ancestors are added, every one at an index to sum over, and each variable is then read off its own
mechanism: W[pa(W) = ...]. Copies that turn out to be the same variable are merged, and their
values set equal. By independence of mechanisms without a common hidden cause, the probability is
the sum over the indices of the product over c-components.

Reference: Correa, Lee, Bareinboim, Nested counterfactual identification from arbitrary surrogate
experiments (2021), definitions 2.1 and 4.1, lemmas 2 and 3, theorem 2.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.truth.identify.estimand import Index, Setting, Value
from causalbench.truth.identify.mixed import Mixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from causalbench.graph import Diagram
    from causalbench.truth.identify.unnest import Event, Unnester

__all__ = ["Copies", "Network", "Node", "Values", "certain", "decided", "linked"]

Copies = dict[tuple[str, tuple[Setting, ...]], Value]  # (variable, minimal setting) -> value


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


class Network:
    """What events and nodes of one diagram need; keeps what it has worked out.

    Args:
        diagram: over the visible variables.
    """

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.graph = Mixed(diagram)
        self.order = self.graph.names
        self.parents = {name: diagram.parents(name) for name in diagram.nodes}
        self.siblings = {name: frozenset(diagram.siblings(name)) for name in diagram.nodes}
        self._kept: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}

    def minimal(self, variable: str, setting: tuple[Setting, ...]) -> tuple[Setting, ...]:
        """Return the settings that a directed path takes to a variable, past no other setting."""
        if not setting:
            return setting
        forced = tuple([name for name, _ in setting])
        kept = self._kept.get((variable, forced))
        if kept is None:
            found: set[str] = {variable} & set(forced)
            seen, stack = {variable}, [] if found else [variable]
            while stack:
                for parent in self.parents[stack.pop()]:
                    if parent in forced:
                        found.add(parent)
                    elif parent not in seen:
                        seen.add(parent)
                        stack.append(parent)
            kept = self._kept[variable, forced] = frozenset(found)
        return tuple([entry for entry in setting if entry[0] in kept])

    def settle(self, events: Iterable[Event], values: Values) -> Copies | None:
        """Minimise events, use effectiveness, join equal copies, drop what is certain.

        Returns:
            None where the events can't happen together.
        """
        waiting = tuple(events)
        while True:
            known = len(values.bound)
            copies: Copies = {}
            for event in waiting:
                setting = self.minimal(event.variable, values.setting(event.setting))
                own = dict(setting).get(event.variable)
                if own is None:
                    own = copies.setdefault((event.variable, setting), event.value)
                if not values.equal(own, event.value):
                    return None
            if len(values.bound) == known:
                break
        return certain({key: values.resolve(value) for key, value in copies.items()})

    def world(self, copies: Copies) -> tuple[tuple[Setting, ...], tuple[Setting, ...]] | None:
        """Put settled copies into one world, by exclusion and composition.

        Returns:
            The outcomes and what is forced in that world, causes first; None where it takes more
            worlds than one.
        """
        seen = {name: value for (name, _), value in copies.items()}
        if len(seen) < len(copies):
            return None
        forced: dict[str, Value] = {}
        for _, setting in copies:
            for name, value in setting:
                if forced.setdefault(name, value) != value or seen.get(name, value) != value:
                    return None
        # On the event, what is seen at the value that others want it at need not be forced.
        for name, setting in copies:
            others = tuple(sorted((n, v) for n, v in forced.items() if n != name))
            if self.minimal(name, others) != setting:
                return None
        return (
            tuple([(name, seen[name]) for name in self.order if name in seen]),
            tuple([(n, forced[n]) for n in self.order if n in forced and n not in seen]),
        )

    def nodes(self, copies: Copies, values: Values) -> tuple[Node, ...] | None:
        """Add the ancestors of settled copies and read each off its mechanism.

        Returns:
            In topological order; None where the events can't happen together.
        """
        unnester = values.unnester
        every = dict(copies)
        stack = list(copies)
        while stack:
            variable, setting = stack.pop()
            forced = dict(setting)
            for parent in self.parents[variable]:
                if parent not in forced:
                    key = (parent, self.minimal(parent, setting))
                    if key not in every:
                        every[key] = unnester.value(parent, unnester.labels[parent])
                        stack.append(key)
        by_variable: dict[str, list[tuple[Setting, ...]]] = {}
        for variable, setting in every:
            by_variable.setdefault(variable, []).append(setting)

        def read() -> Iterator[Node]:
            for variable in self.order:
                for setting in by_variable.get(variable, ()):
                    forced = dict(setting)
                    parents = tuple(
                        [
                            (p, forced[p] if p in forced else every[p, self.minimal(p, setting)])
                            for p in self.parents[variable]
                        ]
                    )
                    yield Node(variable, parents, every[variable, setting])

        return self.merged(read(), values)

    def merged(self, nodes: Iterable[Node], values: Values) -> tuple[Node, ...] | None:
        """Join nodes of one mechanism at equal parents; None where their values can't be equal.

        Args:
            nodes: in topological order: what joining tells of a value reaches only later nodes.
            values: what is known of values; added to.
        """
        found: dict[tuple[str, tuple[Setting, ...]], Value] = {}
        for node in nodes:
            key = (node.variable, values.setting(node.parents))
            value = found.setdefault(key, node.value)
            if not values.equal(value, node.value):
                return None
        merged = tuple(
            [
                Node(variable, parents, values.resolve(value))
                for (variable, parents), value in found.items()
            ]
        )
        excluded = next(_excluded(merged), None)
        if excluded is not None:
            index, label = excluded
            left = index.among or values.unnester.labels[index.variable]
            left = tuple(other for other in left if other != label)
            if not left:
                return None
            values.bound[index] = values.unnester.value(index.variable, left)
            return self.merged(_resolved(merged, values), values)
        implied = next(_implied(merged, values.unnester.labels), None)
        if implied is not None:
            node, label = implied
            if not values.equal(node.value, label):
                return None
            rest = [other for other in merged if other is not node]
            return self.merged(_needed(_resolved(rest, values)), values)
        return merged

    def factors(self, nodes: Sequence[Node]) -> list[tuple[Node, ...]]:
        """Split nodes by the c-components of their variables."""
        groups: list[tuple[Node, ...]] = []
        left = {node.variable for node in nodes}
        for node in nodes:
            if node.variable in left:
                component: set[str] = set()
                stack = [node.variable]
                while stack:
                    name = stack.pop()
                    if name in left:
                        left.discard(name)
                        component.add(name)
                        stack.extend(self.siblings[name])
                groups.append(tuple([n for n in nodes if n.variable in component]))
        return groups


def certain(copies: Copies) -> Copies:
    """Leave out the copies that may have any value, as long as nothing else is at that value."""
    left = dict(copies)
    while True:
        used = Counter(left.values())
        used.update(value for _, setting in left for _, value in setting)
        free = [key for key, value in left.items() if _anything(value) and used[value] == 1]
        if not free:
            return left
        for key in free:
            del left[key]


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


def _excluded(nodes: Sequence[Node]) -> Iterator[tuple[Index, str]]:
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


def _implied(
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


def _resolved(nodes: Iterable[Node], values: Values) -> list[Node]:
    """Return nodes with all that is known of values put in."""
    return [Node(n.variable, values.setting(n.parents), values.resolve(n.value)) for n in nodes]


def _needed(nodes: Iterable[Node]) -> list[Node]:
    """Leave out the nodes that may have any value and that no other node looks at."""
    left = list(nodes)
    while True:
        used = Counter(index for node in left for index in node.indices())
        kept = [n for n in left if not (_anything(n.value) and used[n.value] == 1)]  # type: ignore[index]
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


def _anything(value: Value) -> bool:
    return isinstance(value, Index) and value.among is None
