"""ID* and IDC*: counterfactual conjunctions from experiments, by the counterfactual graph.

`make_cg` puts one copy of the diagram up for every world of the conjunction and merges copies of a
variable that must be equal: those whose parents are one node, or have the same value in the event.
The algorithms' lines are named in the comments.

Reference: Shpitser and Pearl, Complete identification methods for the causal hierarchy (2008),
algorithms make-cg, ID* and IDC*; and What counterfactuals can be tested (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.graph import Diagram
from causalbench.truth.identify.estimand import (
    Estimand,
    Index,
    Law,
    Linear,
    Product,
    Ratio,
    Setting,
    Sum,
    Value,
)
from causalbench.truth.identify.unnest import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from causalbench.truth.identify.ctf_network import Network
    from causalbench.truth.identify.unnest import Unnester

__all__ = ["CounterfactualGraph", "id_star", "idc_star", "make_cg"]

ZERO = Linear(())

World = tuple[Setting, ...]


@dataclass(eq=False, slots=True)
class _Copy:
    """A node of a counterfactual graph.

    Args:
        variable: what it is a copy of.
        name: a name of its own.
        world: the first world in which it stands.
        parents: per parent variable, the nodes it may be read from, all of one value, or the label
            at which a world fixes it.
        value: its label in the event, or None.
    """

    variable: str
    name: str
    world: World
    parents: dict[str, list[_Copy | str]]
    value: str | None = None

    def above(self) -> Iterator[_Copy]:
        """Yield the parents that are nodes."""
        for options in self.parents.values():
            yield from (parent for parent in options if isinstance(parent, _Copy))


@dataclass(frozen=True, slots=True)
class CounterfactualGraph:
    """What `make_cg` returns.

    Args:
        nodes: the ancestors of the events, causes first.
        places: each event's node.
    """

    nodes: tuple[_Copy, ...]
    places: Mapping[Event, _Copy]


def id_star(network: Network, events: Iterable[Event], unnester: Unnester) -> Estimand | None:
    """Return P(events) in terms of experiments, or None: it is not identified.

    Args:
        network: the diagram.
        events: constant settings and labels only.
        unnester: makes fresh indices.
    """
    gamma = _trivial(events)
    if gamma is None:
        return ZERO  # line 2
    if not gamma:
        return Product(())  # line 1
    graph = make_cg(network, gamma)  # line 4
    if graph is None:
        return ZERO  # line 5
    values: dict[str, Value] = {}
    for node in graph.nodes:
        labels = unnester.labels[node.variable]
        values[node.name] = node.value or unnester.value(node.variable, labels)
    factors: list[Estimand] = []
    for component in _components(network, graph.nodes):  # line 6, and 7 where there is one
        law = _law(network, component, values)
        if law is None:
            return None
        factors.append(law)
    over = tuple([value for value in values.values() if isinstance(value, Index)])
    return Sum(over, Product(tuple(factors))) if over else Product(tuple(factors))


def idc_star(
    network: Network, target: Iterable[Event], given: Iterable[Event], unnester: Unnester
) -> Estimand | None:
    """Return P(target | given) in terms of experiments, or None: it is not identified.

    The condition must be possible; line 1, which asks whether it is, is left to the caller.

    Args:
        network: the diagram.
        target: constant settings and labels only.
        given: the same.
        unnester: makes fresh indices.
    """
    gamma, delta = _trivial(target), _trivial(given)
    if gamma is None or delta is None:
        return ZERO
    while True:
        graph = make_cg(network, (*gamma, *delta))  # line 2
        if graph is None:
            return ZERO  # line 3
        moved = next(_movable(network, graph, gamma, delta), None)
        if moved is None:
            break
        gamma, delta = _move(graph, moved, gamma), _move(graph, moved, delta)  # line 4
    joint = id_star(network, (*gamma, *delta), unnester)  # line 5
    if joint is None or not delta:
        return joint
    below = id_star(network, delta, unnester)
    return None if below is None else Ratio(joint, below)


def make_cg(network: Network, events: Sequence[Event]) -> CounterfactualGraph | None:
    """Return the counterfactual graph of events; None where they contradict each other.

    Reference:
        Shpitser and Pearl (2008), make-cg; lemmas 24 and 25.
    """
    worlds = dict.fromkeys(event.setting for event in events)
    asked: dict[tuple[str, World], str] = {}
    for event in events:
        if asked.setdefault((event.variable, event.setting), str(event.value)) != event.value:
            return None
    placed: dict[tuple[str, World], _Copy] = {}
    merged: dict[tuple[object, ...], _Copy] = {}
    for variable in network.order:
        for world in worlds:
            forced = dict(world)
            if variable in forced:
                continue
            parents: dict[str, _Copy | str] = {
                p: str(forced[p]) if p in forced else placed[p, world]
                for p in network.parents[variable]
            }
            key = (variable, *(_token(parent) for parent in parents.values()))
            name = f"{variable}/{len(merged)}"
            node = merged.setdefault(key, _Copy(variable, name, world, {p: [] for p in parents}))
            for p, parent in parents.items():
                if parent not in node.parents[p]:
                    node.parents[p].append(parent)
            placed[variable, world] = node
            value = asked.get((variable, world))
            if value is not None:
                if node.value not in {None, value}:
                    return None
                node.value = value
    places = {event: placed[event.variable, event.setting] for event in events}
    above = _ancestors(places.values())
    return CounterfactualGraph(tuple(n for n in merged.values() if n.name in above), places)


def _token(parent: _Copy | str) -> object:
    """Return what two parents share if children can't tell them apart."""
    if isinstance(parent, str):
        return ("at", parent)
    return parent.name if parent.value is None else ("at", parent.value)


def _ancestors(nodes: Iterable[_Copy]) -> set[str]:
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node.name not in found:
            found.add(node.name)
            stack.extend(node.above())
    return found


def _trivial(events: Iterable[Event]) -> tuple[Event, ...] | None:
    """Drop events that effectiveness makes certain (line 3); None if it makes one impossible."""
    kept = []
    for event in dict.fromkeys(events):
        forced = dict(event.setting).get(event.variable)
        if forced is None:
            kept.append(event)
        elif forced != event.value:
            return None
    return tuple(kept)


def _components(network: Network, nodes: Sequence[_Copy]) -> Iterator[list[_Copy]]:
    """Yield the c-components; copies of one variable share its noise."""
    left = list(nodes)
    while left:
        group, stack = [], [left.pop(0)]
        while stack:
            node = stack.pop()
            group.append(node)
            near = network.siblings[node.variable] | {node.variable}
            stack += [other for other in left if other.variable in near]
            left = [other for other in left if other.variable not in near]
        yield group


def _law(network: Network, component: Sequence[_Copy], values: Mapping[str, Value]) -> Law | None:
    """Return P_x(var(S)), line 9; None where S meets two values of one variable, line 8."""
    own: dict[str, Value] = {}
    every: dict[str, Value] = {}
    for node in component:
        pairs = [(node.variable, values[node.name])]
        own.setdefault(*pairs[0])
        pairs += [
            (p, parent if isinstance(parent, str) else values[parent.name])
            for p, options in node.parents.items()
            for parent in options
        ]
        for name, value in pairs:
            if every.setdefault(name, value) != value:
                return None
    return Law(
        tuple([(name, own[name]) for name in network.order if name in own]),
        (),
        tuple([(name, every[name]) for name in network.order if name in every and name not in own]),
    )


def _movable(
    network: Network,
    graph: CounterfactualGraph,
    gamma: Sequence[Event],
    delta: Sequence[Event],
) -> Iterator[_Copy]:
    """Yield the conditions that rule 2 of do-calculus makes interventions."""
    targets = {graph.places[event].name for event in gamma}
    conditions = {graph.places[event].name: graph.places[event] for event in delta}
    for name, node in conditions.items():
        others = set(conditions) - {name}
        if name in targets or targets <= others:
            continue
        if _diagram(network, graph, cut=name).d_separated(name, targets - others, others):
            yield node


def _diagram(network: Network, graph: CounterfactualGraph, cut: str) -> Diagram:
    """Return the counterfactual graph without the edges that leave one node."""
    nodes = graph.nodes
    directed = [
        (parent.name, node.name) for node in nodes for parent in node.above() if parent.name != cut
    ]
    bidirected = [
        (one.name, two.name)
        for place, one in enumerate(nodes)
        for two in nodes[place + 1 :]
        if one.variable == two.variable or two.variable in network.siblings[one.variable]
    ]
    return Diagram([node.name for node in nodes], directed, bidirected)


def _move(graph: CounterfactualGraph, moved: _Copy, events: Sequence[Event]) -> tuple[Event, ...]:
    """Drop a node's events and force its value in the worlds of its descendants."""
    found = []
    for event in events:
        node = graph.places[event]
        if node is moved:
            continue
        setting = event.setting
        if moved.name in _ancestors([node]):
            setting = tuple(sorted({**dict(setting), moved.variable: str(moved.value)}.items()))
        found.append(Event(event.variable, setting, event.value))
    return tuple(dict.fromkeys(found))
