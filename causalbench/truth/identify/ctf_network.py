"""Write P(counterfactual events) as a sum of products of counterfactual factors.

Events are minimised (only the settings that reach a variable are kept), their counterfactual
ancestors are added, every one at an index to sum over, and each variable is then read off its own
mechanism: W[pa(W) = ...]. Copies that turn out to be the same variable are merged, and their
values set equal. By independence of mechanisms without a common hidden cause, the probability is
the sum over the indices of the product over c-components.

Reference: Correa, Lee, Bareinboim, Nested counterfactual identification from arbitrary surrogate
experiments (2021): counterfactual ancestors, counterfactual factors and their factorisation.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from causalbench.truth.identify.ctf_nodes import (
    Node,
    anything,
    excluded,
    implied,
    needed,
    resolved,
)
from causalbench.truth.identify.estimand import Setting, Value
from causalbench.truth.identify.mixed import Mixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from causalbench.graph import Diagram
    from causalbench.truth.identify.ctf_nodes import Values
    from causalbench.truth.identify.unnest import Event

__all__ = ["Copies", "Network", "certain"]

Copies = dict[tuple[str, tuple[Setting, ...]], Value]  # (variable, minimal setting) -> value


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
        narrowed = next(excluded(merged), None)
        if narrowed is not None:
            index, label = narrowed
            left = index.among or values.unnester.labels[index.variable]
            left = tuple(other for other in left if other != label)
            if not left:
                return None
            values.bound[index] = values.unnester.value(index.variable, left)
            return self.merged(resolved(merged, values), values)
        known = next(implied(merged, values.unnester.labels), None)
        if known is not None:
            node, label = known
            if not values.equal(node.value, label):
                return None
            rest = [other for other in merged if other is not node]
            return self.merged(needed(resolved(rest, values)), values)
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
        free = [key for key, value in left.items() if anything(value) and used[value] == 1]
        if not free:
            return left
        for key in free:
            del left[key]
