"""Q-factors: Q[C] = P(c | do(all else)), from the law that is seen or from experiments.

A second way to identification, apart from ID; with experiments it is gID. Both are complete.

References:
    Tian and Pearl (2002), A general identification condition for causal effects; Tian (2002),
    Studies in causal reasoning and learning (Identify); Huang and Valtorta (2006), Identifiability
    in causal Bayesian networks: a sound and complete algorithm (its completeness); Lee, Correa and
    Bareinboim (2019), General identifiability with arbitrary surrogate experiments (gID); Kivva,
    Mokhtarian, Etesami and Kiyavash (2022), Revisiting the general identifiability problem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.truth.identify.estimand import Index
from causalbench.truth.identify.formula import Chain, Formula, Measured, Over, Times, bind
from causalbench.truth.identify.mixed import Mixed, bits
from causalbench.truth.identify.shpitser import HedgeError
from causalbench.truth.identify.simplify import simplify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.graph import Diagram
    from causalbench.truth.identify.estimand import Estimand

__all__ = ["factor_joint", "identify_factor", "q_factor", "tian_identify"]

Law = Measured | Chain


def tian_identify(
    diagram: Diagram, target: Iterable[str], given: Iterable[str] | None = None
) -> Estimand | None:
    """Identify Q[target] from Q[given], or say that it cannot be done.

    Args:
        diagram: over the visible variables.
        target: a set C; its c-components are identified one by one.
        given: a set T that C is a part of, whose Q-factor is known: P(t | do(the others)); None
            for all variables, whose Q-factor is the law that is seen.

    Returns:
        An estimand in which every variable stands for its value, ``P(y | x)``, or None.
    """
    graph = Mixed(diagram)
    scope = graph.everything if given is None else graph.mask(given)
    try:
        formula = identify_factor(graph, graph.mask(target), graph.everything & ~scope)
    except HedgeError:
        return None
    return simplify(bind(formula, graph, {at: Index(n) for at, n in enumerate(graph.names)}))


def identify_factor(graph: Mixed, target: int, forced: int = 0) -> Formula:
    """Return Q[target] from P(v | do(forced)), c-component by c-component.

    Raises:
        HedgeError: it is not identified.
    """
    parts = [_from_law(graph, part, forced) for part in graph.components(target)]
    return parts[0] if len(parts) == 1 else Times(tuple(parts))


def factor_joint(graph: Mixed, y: int, x: int, settable: int = 0) -> Formula:
    """Return P(y | do(x)) = the sum over d of Q[d], where D = An(Y) in G without X.

    Args:
        graph: over all the variables.
        y: the outcomes.
        x: the intervened variables.
        settable: what experiments may set, alone or together.

    Raises:
        HedgeError: it is not identified.
    """
    around = graph.ancestors(y, graph.everything & ~x)
    parts = [q_factor(graph, part, settable) for part in graph.components(around)]
    whole = parts[0] if len(parts) == 1 else Times(tuple(parts))
    return Over(around & ~y, whole) if around & ~y else whole


def q_factor(graph: Mixed, part: int, settable: int = 0) -> Formula:
    """Return Q[part] of one c-component, from as small an experiment as will do.

    The law that is seen is tried first. A larger experiment leaves a smaller graph, in which every
    c-forest that stands in the way stood before; so the largest one decides, and what can be left
    out of it is left out.

    Args:
        graph: over all the variables.
        part: a set that is a c-component of its own graph.
        settable: what experiments may set, alone or together.

    Raises:
        HedgeError: no experiment identifies it.
    """
    try:
        return _from_law(graph, part, 0)
    except HedgeError:
        if not settable & ~part:
            raise
    forced = settable & ~part
    formula = _from_law(graph, part, forced)
    for node in bits(forced):
        try:
            formula = _from_law(graph, part, forced & ~(1 << node))
        except HedgeError:
            continue
        forced &= ~(1 << node)
    return formula


def _from_law(graph: Mixed, part: int, forced: int) -> Formula:
    """Return Q[part] from P(v | do(forced))."""
    scope = graph.everything & ~forced
    law = Measured(graph, scope, forced)
    whole = graph.component((part & -part).bit_length() - 1, scope)
    return _identify(graph, part, whole, _within(law, whole))


def _within(law: Law, part: int) -> Chain:
    """Return Q[part] of a c-component of a law's graph: the product of its conditionals."""
    return Chain(tuple([(node, law.conditional(node)) for node in bits(part)]))


def _identify(graph: Mixed, target: int, whole: int, law: Chain) -> Formula:
    """Identify(C, T, Q[T]): go down to An(C) and to C's component in it, as long as that helps."""
    above = graph.ancestors(target, whole)
    if above == target:
        return law.margin(target).formula()
    if above == whole:
        raise HedgeError(whole, target)
    inner = graph.component((target & -target).bit_length() - 1, above)
    return _identify(graph, target, inner, _within(law.margin(above), inner))
