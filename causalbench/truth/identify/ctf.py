"""Identify counterfactual probabilities: ctf-ID and ctf-IDC, and consistency.

A counterfactual factor is P(V1[pa1] = v1, V2[pa2] = v2, ...) of one c-component. It is consistent
if no variable has two values in it; then it is the c-factor Q[V1, V2, ...] and is identified from
the permitted laws or not at all. An inconsistent factor has no value on rung 2, with one exception
that depends on cardinality and is therefore outside ctf-ID: where the others of the factor want
W = w and the event is W != w, it is the factor without W, minus the consistent one at W = w. (With
two values every W != w is an event W = w', so that P(y[x] | x') is identified from experiments.)

In a ratio, the factors that share no index with anything that differs cancel; those of the
denominator's ancestral components without a target are exactly such.

Reference: Correa, Lee, Bareinboim, Nested counterfactual identification from arbitrary surrogate
experiments (2021), algorithms 1 and 2; for consistency Pearl, Causality (2nd edition), section 7.3.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from causalbench.truth.identify.ctf_nodes import Node, Values, decided, linked
from causalbench.truth.identify.estimand import Estimand, Index, Law, Linear, Product, Ratio, Sum
from causalbench.truth.identify.formula import bind
from causalbench.truth.identify.shpitser import HedgeError
from causalbench.truth.identify.tian import q_factor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from causalbench.truth.identify.ctf_network import Network
    from causalbench.truth.identify.estimand import Value
    from causalbench.truth.identify.unnest import Event, Unnester
    from causalbench.truth.permitted import Ground

__all__ = ["ZERO", "Ctf", "Failure"]

ZERO = Linear(())
_MOST = 256  # terms of a sum that is written out value by value

Factor = tuple[Node, ...]
Shape = frozenset[Any]
Case = tuple[dict[Shape, list[Factor]], Values]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a factor is not identified.

    Args:
        factor: the nodes.
        name: the variable that has two values in it, or None where the c-factor itself fails.
        values: its values.
        curable: whether more can be said once indices among the values are written out.
    """

    factor: Factor
    name: str | None = None
    values: tuple[Value, ...] = ()
    curable: bool = False


class Ctf:
    """Identification on one ground.

    Args:
        ground: what may be set.
        network: the diagram.
        unnester: makes fresh indices.
        idle: which of its labels a variable gets on whose value an estimand does not depend.

    Attributes:
        failure: the first factor that was not identified.
        used_consistency: whether an inconsistent factor was rewritten.
    """

    def __init__(self, ground: Ground, network: Network, unnester: Unnester, idle: int = 0) -> None:
        self.ground = ground
        self.unnester = unnester
        self.network = network
        self.idle = idle
        self.place = {name: at for at, name in enumerate(self.network.order)}
        self.failure: Failure | None = None
        self.used_consistency = False
        self._terms = 0
        self._called: dict[Any, int] = {}

    def possible(self, events: Iterable[Event]) -> bool:
        """Tell whether the events can happen together in some world."""
        return self._nodes(events, Values(self.unnester)) is not None

    def measured(self, events: Iterable[Event]) -> Estimand | None:
        """Return P(events) if it is a law of one world that may be measured, else None."""
        copies = self.network.settle(events, Values(self.unnester))
        if copies is None:
            return ZERO
        world = self.network.world(copies)
        if world is None or not self.ground.manipulable.issuperset(name for name, _ in world[1]):
            return None
        outcome, forced = world
        return _over([value for _, value in outcome + forced], Law(outcome, (), forced))

    def joint(self, events: Iterable[Event]) -> Estimand | None:
        """Return P(events), or None if it is not identified this way (ctf-ID)."""
        known = self.measured(events)
        if known is not None:
            return known
        values = Values(self.unnester)
        nodes = self._nodes(events, values)
        return ZERO if nodes is None else self._whole(self.network.factors(nodes), values)

    def conditional(self, both: Iterable[Event], given: Iterable[Event]) -> Estimand | None:
        """Return P(both) / P(given), or None if it is not identified this way (ctf-IDC).

        Args:
            both: target and condition.
            given: the condition alone; it is possible.
        """
        values, values_below = Values(self.unnester), Values(self.unnester)
        above, below = self._nodes(both, values), self._nodes(given, values_below)
        if above is None:
            return ZERO
        tops = self._cases(above, values)
        bottoms = self._cases(below or (), values_below)
        shared = frozenset.intersection(*[frozenset(groups) for groups, _ in tops + bottoms])
        numerator = None if shared else self.measured(both)
        if numerator is None:
            numerator = self._total(tops, shared)
        if numerator is None:
            return None
        denominator = None if shared else self.measured(given)
        if denominator is None:
            denominator = self._total(bottoms, shared)
        return None if denominator is None else Ratio(numerator, denominator)

    def _cases(self, nodes: Sequence[Node], values: Values) -> list[Case]:
        """Return groups of factors that share no index; a sum of such products, if need be.

        Where y[x] is known for every x, which of them y is depends on x alone: the sum over x is
        written out, so that the events that say so can cancel.
        """
        index = next(decided(nodes, self.ground.labels), None)
        if index is None:
            groups = linked(self.network.factors(nodes))
            return [({_shape(group, self.place, self._called): group for group in groups}, values)]
        cases = []
        for label in index.among or self.ground.labels[index.variable]:
            put = self._put(nodes, index, label, values)
            if put is not None:
                cases += self._cases(*put)
        return cases

    def _total(self, cases: Iterable[Case], left_out: frozenset[Shape]) -> Estimand | None:
        """Return the sum of cases without some of their groups."""
        terms = []
        for groups, values in cases:
            part = self._groups([g for key, g in groups.items() if key not in left_out], values)
            if part is None:
                return None
            terms.append((1.0, part))
        return terms[0][1] if len(terms) == 1 else Linear(tuple(terms))

    def _nodes(self, events: Iterable[Event], values: Values) -> tuple[Node, ...] | None:
        """Return the nodes of P(events); None if it is zero."""
        copies = self.network.settle(events, values)
        return None if copies is None else self.network.nodes(copies, values)

    def _whole(self, factors: Iterable[Factor], values: Values) -> Estimand | None:
        return self._groups(linked(factors), values)

    def _groups(self, groups: Iterable[Sequence[Factor]], values: Values) -> Estimand | None:
        """Return the product over groups of factors that share no index."""
        found = []
        for group in groups:
            estimand = self._sum(group, values)
            if estimand is None:
                return None
            found.append(estimand)
        return _times(found)

    def _sum(self, group: Sequence[Factor], values: Values) -> Estimand | None:
        """Return the sum over a group's indices of the product of its factors."""
        nodes = [node for factor in group for node in factor]
        uses = Counter(index for node in nodes for index in node.indices())
        own = dict.fromkeys(n.value for n in nodes if isinstance(n.value, Index))
        local = {index for index in own if uses[index] == 1}
        found = []
        for factor in group:
            estimand = self._factor(factor, local)
            if isinstance(estimand, Failure):
                spread = [v for v in estimand.values if isinstance(v, Index) and v not in local]
                if spread and estimand.curable:
                    return self._written_out(nodes, spread[0], estimand, values)
                self.failure = self.failure or estimand
                return None
            found.append(estimand)
        return _over([index for index in own if index not in local], _times(found))

    def _written_out(
        self, nodes: Sequence[Node], index: Index, failure: Failure, values: Values
    ) -> Estimand | None:
        """Return a sum with one of its indices written out, label by label."""
        labels = index.among or self.ground.labels[index.variable]
        self._terms += len(labels)
        terms: list[tuple[float, Estimand]] = []
        for label in labels:
            put = self._put(nodes, index, label, values)
            if put is None:
                continue
            part = self._whole(self.network.factors(put[0]), put[1])
            if part is None or self._terms > _MOST:
                self.failure = self.failure or failure
                return None
            terms.append((1.0, part))
        return Linear(tuple(terms))

    def _put(
        self, nodes: Sequence[Node], index: Index, label: str, values: Values
    ) -> tuple[tuple[Node, ...], Values] | None:
        """Put a label in for an index; None where the events can't happen with it."""
        known = Values(self.unnester)
        known.bound = {**values.bound, index: label}
        ordered = sorted(nodes, key=lambda node: self.place[node.variable])
        fixed = [replace(node, value=known.resolve(node.value)) for node in ordered]
        merged = self.network.merged(fixed, known)
        return None if merged is None else (merged, known)

    def _factor(self, factor: Factor, local: set[Index]) -> Estimand | Failure:
        """Return a factor's estimand, summed over its local indices."""
        wanted: dict[str, set[Value]] = {}
        for node in factor:
            for name, value in node.parents:
                wanted.setdefault(name, set()).add(value)
        for name, options in wanted.items():
            if len(options) > 1:
                return Failure(factor, name, tuple(options))
        for node in factor:
            want = next(iter(wanted.get(node.variable, {node.value})))
            if want != node.value:
                return self._inconsistent(factor, node, want, local)
        at = {name: next(iter(options)) for name, options in wanted.items()}
        at |= {node.variable: node.value for node in factor}
        members = frozenset(node.variable for node in factor)
        found = self._q(members, at)
        if found is None:
            return Failure(factor)
        return _over([n.value for n in factor if n.value in local], found)

    def _q(self, members: frozenset[str], at: dict[str, Value]) -> Estimand | None:
        """Return Q[members] at a point: straight from an experiment, or by gID."""
        order = self.network.order
        outside = {name for name in at if name not in members}
        if outside <= self.ground.manipulable:
            return Law(
                tuple([(name, at[name]) for name in order if name in members]),
                (),
                tuple([(name, at[name]) for name in order if name in outside]),
            )
        graph = self.network.graph
        try:
            formula = q_factor(graph, graph.mask(members), graph.mask(self.ground.manipulable))
        except HedgeError:
            return None
        # A formula may name variables on which its value does not depend.
        labels = self.ground.labels
        values = {
            place: at.get(name, labels[name][self.idle % len(labels[name])])
            for place, name in enumerate(order)
        }
        return bind(formula, graph, values)

    def _inconsistent(
        self, factor: Factor, node: Node, want: Value, local: set[Index]
    ) -> Estimand | Failure:
        """Use that node != want is everything less node = want, if that is what the factor says."""
        labels = self.ground.labels[node.variable]
        failure = Failure(factor, node.variable, (node.value, want))
        if node.value not in local and len(labels) > 2:  # noqa: PLR2004
            return failure  # some value would be left that is neither want nor all the others
        if isinstance(want, Index) or (isinstance(node.value, Index) and node.value not in local):
            return replace(failure, curable=True)
        held = (node.value,) if isinstance(node.value, str) else node.value.among or labels
        if set(held) != set(labels) - {want}:
            return failure
        others = tuple(other for other in factor if other is not node)
        without = self._apart(others, local)
        if isinstance(without, Failure):
            return without
        at_want = self._apart(
            tuple(replace(other, value=want) if other is node else other for other in factor), local
        )
        if isinstance(at_want, Failure):
            return at_want
        self.used_consistency = True
        return Linear(((1.0, without), (-1.0, at_want)))

    def _apart(self, nodes: Factor, local: set[Index]) -> Estimand | Failure:
        """Return the probability of some events of a factor; they may fall apart."""
        found = []
        for factor in self.network.factors(nodes):
            estimand = self._factor(factor, local)
            if isinstance(estimand, Failure):
                return estimand
            found.append(estimand)
        return _times(found)


def _times(factors: Sequence[Estimand]) -> Estimand:
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _over(indices: Sequence[Value], body: Estimand) -> Estimand:
    """Return a sum, if there is anything to sum over."""
    kept = tuple(dict.fromkeys(index for index in indices if isinstance(index, Index)))
    return Sum(kept, body) if kept else body


def _shape(group: Sequence[Factor], place: Mapping[str, int], numbers: dict[Any, int]) -> Shape:
    """Return what a group of factors says, whatever its indices are called.

    Args:
        group: factors that share indices.
        place: variable to its place in the order.
        numbers: what indices stand for, numbered as met. A number hashes at once, where nested
            parents would be walked along every path of the diagram.
    """
    nodes = sorted((n for factor in group for n in factor), key=lambda n: place[n.variable])
    called: dict[Value, Any] = {}
    found = set()
    for node in nodes:
        parents = tuple([(name, called.get(value, value)) for name, value in node.parents])
        value: Any = node.value
        if isinstance(value, Index):
            called[value] = numbers.setdefault((node.variable, parents), len(numbers))
            value = (value.among,)
        found.add((node.variable, parents, value))
    return frozenset(found)
