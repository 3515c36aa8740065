"""ID and IDC: effects of interventions from the law that is seen, line by line.

References:
    Shpitser and Pearl (2006), Identification of joint interventional distributions in recursive
    semi-Markovian causal models (ID); and Identification of conditional interventional
    distributions (IDC). Both are sound and complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.truth.identify.formula import Chain, Divide, Formula, Measured, Over, Times
from causalbench.truth.identify.mixed import bits

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.truth.identify.mixed import Mixed

    Joint = Callable[[Mixed, int, int], Formula]

__all__ = ["HedgeError", "id_conditional", "id_joint", "moved"]


class HedgeError(Exception):
    """No identification: two c-forests stand in the way.

    Args:
        larger: the nodes of F.
        smaller: the nodes of F', a part of F without the intervened ones.
    """

    def __init__(self, larger: int, smaller: int) -> None:
        super().__init__(larger, smaller)
        self.larger = larger
        self.smaller = smaller


def id_joint(graph: Mixed, y: int, x: int) -> Formula:
    """Return P(y | do(x)) from P(v).

    Args:
        graph: over all the variables.
        y: the outcomes; not empty.
        x: the intervened variables, disjoint from y.

    Raises:
        HedgeError: it is not identified.
    """
    return _identify(graph, y, x, Measured(graph, graph.everything), graph.everything)


def id_conditional(graph: Mixed, y: int, x: int, z: int, joint: Joint = id_joint) -> Formula:
    """Return P(y | do(x), z); line 1 of IDC moves conditions into the intervention, line 2 divides.

    Args:
        graph: over all the variables.
        y: the outcomes; not empty.
        x: the intervened variables.
        z: the conditions.
        joint: what identifies P(y, z | do(x)).

    Raises:
        HedgeError: it is not identified.
    """
    x, z = moved(graph, y, x, z)
    whole = joint(graph, y | z, x)
    return Divide(whole, Over(y, whole)) if z else whole


def moved(graph: Mixed, y: int, x: int, z: int) -> tuple[int, int]:
    """Return the interventions and conditions after rule 2 of do-calculus has moved what it can."""
    waiting = z
    while waiting:
        low = waiting & -waiting
        waiting ^= low
        if graph.separated(y, low, x | z & ~low, cut_in=x, cut_out=low):
            x, z = x | low, z & ~low
            waiting = z
    return x, z


Law = Measured | Chain


def _identify(graph: Mixed, y: int, x: int, law: Law, nodes: int) -> Formula:
    """ID(y, x, P, G); P is a law over the nodes, G the graph on them."""
    if not x & nodes:
        return _line_1(y, law)
    above = graph.ancestors(y, nodes)
    if above != nodes:
        return _line_2(graph, y, x, law, above)
    idle = nodes & ~x & ~graph.ancestors(y, nodes, cut=x)
    if idle:
        return _line_3(graph, y, x | idle, law, nodes)
    parts = graph.components(nodes & ~x)
    if len(parts) > 1:
        return _line_4(graph, y, x, law, nodes, parts)
    (part,) = parts
    for whole in graph.components(nodes):
        if whole == nodes:
            raise _line_5(nodes, part)
        if whole == part:
            return _line_6(y, law, part)
        if whole & part:
            return _line_7(graph, y, x, law, whole)
    raise AssertionError  # the components cover the nodes


def _line_1(y: int, law: Law) -> Formula:
    """Without an intervention: sum the rest out."""
    return law.margin(y).formula()


def _line_2(graph: Mixed, y: int, x: int, law: Law, above: int) -> Formula:
    """Drop what is no ancestor of y."""
    return _identify(graph, y, x & above, law.margin(above), above)


def _line_3(graph: Mixed, y: int, x: int, law: Law, nodes: int) -> Formula:
    """Force what does not matter, too."""
    return _identify(graph, y, x, law, nodes)


def _line_4(graph: Mixed, y: int, x: int, law: Law, nodes: int, parts: list[int]) -> Formula:
    """Take the c-components of G without x one by one."""
    factors = [_identify(graph, part, nodes & ~part, law, nodes) for part in parts]
    summed = nodes & ~(y | x)
    return Over(summed, Times(tuple(factors))) if summed else Times(tuple(factors))


def _line_5(nodes: int, part: int) -> HedgeError:
    """Fail: the graph is one c-component, and so is what is left of it."""
    return HedgeError(nodes, part)


def _line_6(y: int, law: Law, part: int) -> Formula:
    """Multiply the conditionals of a whole c-component."""
    factors = Times(tuple([law.conditional(node) for node in bits(part)]))
    return Over(part & ~y, factors) if part & ~y else factors


def _line_7(graph: Mixed, y: int, x: int, law: Law, whole: int) -> Formula:
    """Go on inside the c-component around what is left, with the law that belongs to it."""
    links = Chain(tuple([(node, law.conditional(node)) for node in bits(whole)]))
    return _identify(graph, y, x & whole, links, whole)
