"""Formulas over sets of variables, before values are put in; what the algorithms compute with.

In a formula every variable stands for one value: the value given from outside, or that of the
innermost sum over it. `bind` puts labels and indices in, and makes an estimand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from causalbench.truth.identify.estimand import (
    Estimand,
    Index,
    Law,
    Product,
    Ratio,
    Sum,
    Value,
)
from causalbench.truth.identify.mixed import Mixed, bits

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Chain", "Divide", "Formula", "Measured", "Over", "Plain", "Times", "bind", "free"]


@dataclass(frozen=True, slots=True)
class Plain:
    """P(outcome | given, do(forced)), as sets of variables."""

    outcome: int
    given: int = 0
    forced: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """A product."""

    factors: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """A sum over all values of a set of variables."""

    summed: int
    body: Formula


@dataclass(frozen=True, slots=True)
class Divide:
    """A ratio."""

    above: Formula
    below: Formula


Formula = Plain | Times | Over | Divide


def free(formula: Formula) -> int:
    """Return the variables whose values a formula needs."""
    match formula:
        case Plain(outcome, given, forced):
            return outcome | given | forced
        case Times(factors):
            found = 0
            for factor in factors:
                found |= free(factor)
            return found
        case Over(summed, body):
            return free(body) & ~summed
        case Divide(above, below):
            return free(above) | free(below)


def bind(formula: Formula, graph: Mixed, values: Mapping[int, Value]) -> Estimand:
    """Put values in; a sum over a variable that has a value already gets the next mark.

    Args:
        formula: any.
        graph: has the names.
        values: position -> label or index, for every free variable of the formula; conditions
            print in this order.
    """
    match formula:
        case Plain(outcome, given, forced):
            return Law(
                tuple([(graph.names[at], values[at]) for at in bits(outcome)]),
                tuple([(graph.names[at], v) for at, v in values.items() if given >> at & 1]),
                tuple([(graph.names[at], v) for at, v in values.items() if forced >> at & 1]),
            )
        case Times(factors):
            # Effects before causes, as P(y | x, z) P(z) is written.
            return Product(tuple([bind(factor, graph, values) for factor in reversed(factors)]))
        case Over(summed, body):
            inner = dict(values)
            over = []
            for at in bits(summed):
                outer = values.get(at)
                mark = 0 if outer is None else outer.mark + 1 if isinstance(outer, Index) else 1
                inner[at] = index = Index(graph.names[at], mark)
                over.append(index)
            return Sum(tuple(over), bind(body, graph, inner))
        case Divide(above, below):
            return Ratio(bind(above, graph, values), bind(below, graph, values))


@dataclass(frozen=True, slots=True)
class Measured:
    """A law that is measured: P(scope | do(forced)).

    Args:
        graph: its diagram is G[scope].
        scope: the variables.
        forced: the variables that the experiment sets.
    """

    graph: Mixed
    scope: int
    forced: int = 0

    def margin(self, keep: int) -> Measured:
        """Return the law of a part; an ancestral set, or one that is not asked for conditionals."""
        return replace(self, scope=keep)

    def conditional(self, node: int) -> Formula:
        """Return P(node | all before it), by its blanket alone."""
        return Plain(1 << node, self.graph.blanket(node, self.scope), self.forced)

    def formula(self) -> Formula:
        """Return the law itself."""
        return Plain(self.scope, 0, self.forced)


@dataclass(frozen=True, slots=True)
class Chain:
    """A law given as a product of conditionals, with some of their variables summed out.

    Args:
        links: (node, its conditional given nodes before it and fixed ones), causes first.
        summed: the nodes that are summed out.
    """

    links: tuple[tuple[int, Formula], ...]
    summed: int = 0

    def margin(self, keep: int) -> Chain:
        """Sum out all nodes but some; a node that no other link needs goes without a sum."""
        kept: list[tuple[int, Formula]] = []
        needed = summed = 0
        for node, formula in reversed(self.links):
            bit = 1 << node
            if not (keep | needed) & bit:
                continue
            if not keep & bit:
                summed |= bit
            needed |= free(formula)
            kept.append((node, formula))
        return Chain(tuple(reversed(kept)), summed)

    def conditional(self, node: int) -> Formula:
        """Return P(node | the nodes before it that are not summed out)."""
        scope = sum(1 << at for at, _ in self.links) & ~self.summed
        upto = self.margin(scope & ((2 << node) - 1))
        before = self.margin(scope & ((1 << node) - 1))
        if not upto.summed:
            return dict(self.links)[node]
        return Divide(upto.formula(), before.formula())

    def formula(self) -> Formula:
        """Return the law itself."""
        whole = Times(tuple([formula for _, formula in self.links]))
        return Over(self.summed, whole) if self.summed else whole
