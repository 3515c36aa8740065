"""Ask dowhy, y0 and causaleffect what `identify.py` asks.

dowhy gives a verdict; y0 and causaleffect give an expression, and neither evaluates one, so both
are evaluated here, on the exact law of what is seen. Only their own part is timed: verdict and
expression.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.truth.laws import law

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.graph import Diagram
    from causalbench.query.ast import Probability
    from causalbench.scm import SCM

__all__ = ["RIVALS", "Rival"]


@dataclass(frozen=True)
class Table:
    """Numbers with one axis a name, in the order of the names."""

    names: tuple[str, ...]
    numbers: np.ndarray

    def over(self, names: tuple[str, ...]) -> np.ndarray:
        """Return the numbers with these axes, of length 1 where they do not depend on one."""
        held = [self.names.index(name) for name in names if name in self.names]
        shape = [
            self.numbers.shape[self.names.index(name)] if name in self.names else 1
            for name in names
        ]
        return self.numbers.transpose(held).reshape(shape)

    def keep(self, names: set[str]) -> Table:
        """Sum over all other axes."""
        gone = tuple(i for i, name in enumerate(self.names) if name not in names)
        left = tuple(name for name in self.names if name in names)
        return Table(left, self.numbers.sum(axis=gone))

    def drop(self, names: set[str]) -> Table:
        """Sum over these axes."""
        return self.keep(set(self.names) - names)

    def _with(self, other: Table, merge: Callable[..., np.ndarray]) -> Table:
        names = tuple(dict.fromkeys((*self.names, *other.names)))
        return Table(names, merge(self.over(names), other.over(names)))

    def __mul__(self, other: Table) -> Table:
        return self._with(other, np.multiply)

    def __truediv__(self, other: Table) -> Table:
        return self._with(other, np.divide)

    def given(self, outcome: set[str], condition: set[str]) -> Table:
        """Return the law of some of its names given others."""
        joint = self.keep(outcome | condition)
        return joint / joint.keep(condition) if condition else joint


ONE = Table((), np.ones(()))


@dataclass(frozen=True)
class Rival:
    """A package that identifies effects from diagram and observational law.

    Args:
        identify: its expression, or True where it gives a verdict alone; None: not identified.
        table: what its expression is worth on the law of all that is seen; None: it has none.
        conditions: whether it takes questions with a condition.
    """

    identify: Callable[[Diagram, Probability], Any]
    table: Callable[[Any, Table], Table] | None
    conditions: bool

    def value(self, expression: Any, scm: SCM, quantity: Probability) -> float | None:
        """Return the number of an expression; where it depends on more names, at their first."""
        if self.table is None:
            return None
        joint = Table(scm.visible, law(scm, scm.visible))
        found = self.table(expression, joint)
        labels = {
            **{atom.term.variable: atom.value for atom in (*quantity.event, *quantity.given)},
            **dict(quantity.event[0].term.subscript),
        }
        codes = {name: (scm.variable(name).values or ()).index(labels[name]) for name in labels}
        return float(found.numbers[tuple(codes.get(name, 0) for name in found.names)])


def _parts(quantity: Probability) -> tuple[set[str], set[str], set[str]]:
    """Return outcome, what is forced, and condition."""
    outcome, given = (
        {atom.term.variable for atom in part} for part in (quantity.event, quantity.given)
    )
    return outcome, {name for name, _ in quantity.event[0].term.subscript}, given


def _dowhy(diagram: Diagram, quantity: Probability) -> bool | None:
    """Return dowhy's verdict: an adjustment set or a front door, or no directed path."""
    from dowhy.causal_identifier import EstimandType, identify_effect_auto

    outcome, forced, _ = _parts(quantity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = identify_effect_auto(
            diagram.to_networkx(),
            list(forced),
            list(outcome),
            list(diagram.nodes),
            EstimandType.NONPARAMETRIC_ATE,
        )
    kinds = ("backdoor", "frontdoor", "general_adjustment")
    return found.no_directed_path or any(found.estimands.get(kind) for kind in kinds) or None


def _y0(diagram: Diagram, quantity: Probability) -> Any:
    from y0.algorithm.identify import identify_outcomes
    from y0.dsl import Variable
    from y0.graph import NxMixedGraph

    pairs = [
        [(Variable(a), Variable(b)) for a, b in sorted(edges)]
        for edges in (diagram.directed, diagram.bidirected)
    ]
    graph = NxMixedGraph.from_edges(
        nodes=[Variable(name) for name in diagram.nodes], directed=pairs[0], undirected=pairs[1]
    )
    outcome, forced, given = ({Variable(name) for name in part} for part in _parts(quantity))
    return identify_outcomes(graph, treatments=forced, outcomes=outcome, conditions=given or None)


def _y0_table(expression: Any, joint: Table) -> Table:
    from y0 import dsl

    if isinstance(expression, dsl.One):
        return ONE
    if isinstance(expression, dsl.Sum):
        return _y0_table(expression.expression, joint).drop({v.name for v in expression.ranges})
    if isinstance(expression, dsl.Product):
        return reduce(Table.__mul__, (_y0_table(each, joint) for each in expression.expressions))
    if isinstance(expression, dsl.Fraction):
        return _y0_table(expression.numerator, joint) / _y0_table(expression.denominator, joint)
    if type(expression) is not dsl.Probability:
        raise TypeError(f"y0 answers with a {type(expression).__name__}: {expression}.")
    outcome, given = (
        {variable.name for variable in part}
        for part in (expression.distribution.children, expression.distribution.parents)
    )
    return joint.given(outcome, given)


def _causaleffect(diagram: Diagram, quantity: Probability) -> Any:
    import causaleffect
    from igraph import Graph

    # Its own createGraph reads "A->B" strings, which may hold no isolated node.
    directed = sorted(diagram.directed)
    both = sorted(diagram.bidirected)
    graph = Graph(directed=True)
    graph.add_vertices(sorted(diagram.nodes))
    graph.add_edges([*directed, *both, *((b, a) for a, b in both)])
    graph.es["confounding"] = [0] * len(directed) + [1] * len(both) + [-1] * len(both)
    outcome, forced, given = _parts(quantity)
    found = causaleffect.ID(outcome, forced, graph, cond=given)
    return found if found.identifiable else None


def _causaleffect_table(expression: Any, joint: Table) -> Table:
    """Evaluate as its ``printLatex`` writes: a sum of a product or a law, over its divisor."""
    said = expression.attributes()
    if said["recursive"]:
        # Its class keeps the children as a set of objects; the dict lists them without the objects.
        parts = [_causaleffect_table(each, joint) for each in expression._children]  # noqa: SLF001
        whole = reduce(Table.__mul__, parts, ONE)
    else:
        whole = joint.given(said["var"], said["cond"]) if said["var"] else ONE
    whole = whole.drop(said["sumset"])
    if not said["fraction"]:
        return whole
    return whole / _causaleffect_table(expression._divisor, joint)  # noqa: SLF001


RIVALS = {
    "dowhy": Rival(_dowhy, None, conditions=False),
    "y0": Rival(_y0, _y0_table, conditions=True),
    "causaleffect": Rival(_causaleffect, _causaleffect_table, conditions=True),
}
