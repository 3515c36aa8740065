"""Prove that two worlds agree on every rung below a pair's own, and keep what was checked."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.graph import Diagram
from causalbench.task.construct.net import Net, cpt_of
from causalbench.task.rungs import ASSOCIATION, COUNTERFACTUAL, INTERVENTION
from causalbench.truth import interventional_tables, law
from causalbench.truth.linear import moments

if TYPE_CHECKING:
    from causalbench.scm import SCM

__all__ = ["FULL_CELLS", "TOLERANCE", "prove"]

TOLERANCE = 1e-9
FULL_CELLS = 2**20
_QUERIES = 1000
_NORMAL = {
    ASSOCIATION: "mean and variance of each visible variable",
    INTERVENTION: "means and covariances of the visible variables",
    COUNTERFACTUAL: "",
}
_WIDE = 4  # the most variables of a random query


def prove(
    sides: tuple[SCM, SCM], rung: int, *, rng: np.random.Generator, mixed: bool = False
) -> dict[str, Any]:
    """Check that two worlds agree on all rungs below ``rung``.

    Rung 1: the law of every visible variable. Rung 2: the joint law of the visible variables.
    Rung 3: the local identities from which the rest follows, and the joint law under every
    intervention. The former are the tables given all parents; or, where hidden causes are mixed
    otherwise, the laws of all sets of variables that hidden causes join, given their other causes.
    Where the tables have over 2**20 cells, 1,000 or more random probabilities of the lower rungs
    stand in for them. Normal laws are compared by their means and covariances.

    Args:
        sides: the two worlds; their visible variables are the same, in the same order.
        rung: of the question, 1 to 3.
        rng: draws the random laws, where they are needed.
        mixed: rung 3: the twins may differ in the laws of hidden causes.

    Returns:
        ``checked`` (what), ``cells`` (how many numbers) and ``max_deviation``.

    Raises:
        TwinError: a number differs by more than 1e-9.

    Reference:
        Tian and Pearl (2002), A general identification condition for causal effects: every law
        under intervention is a product of those of sets that hidden causes join.
    """
    first, second = sides
    if first.visible != second.visible:
        msg = "twins declare different visible variables or another order; reorder one of them."
        raise TwinError(msg)
    for name in first.visible:
        if first.variable(name) != second.variable(name):
            msg = f"twins disagree on the values of '{name}'; give both the same."
            raise TwinError(msg)
    if first.is_linear and second.is_linear:
        return _proved([_NORMAL[rung]], _normal(first, second, rung), rung)
    cells = math.prod(first.variable(name).cardinality for name in first.visible)
    checked, differences = [], []
    if rung == ASSOCIATION:
        checked.append("law of each visible variable")
        differences += [law(first, [name]) - law(second, [name]) for name in first.visible]
    elif rung == INTERVENTION and cells <= FULL_CELLS:
        checked.append("joint law of the visible variables")
        differences.append(law(first, first.visible) - law(second, second.visible))
    elif rung == COUNTERFACTUAL and cells * 2 ** len(first.visible) <= FULL_CELLS:
        checked.append("joint law under every intervention")
        tables = interventional_tables(second)
        differences += [
            table - tables[names] for names, table in interventional_tables(first).items()
        ]
    else:
        checked.append(f"{_QUERIES} or more random probabilities of the rungs below")
        differences += _random_differences(first, second, rung, rng)
    if rung == COUNTERFACTUAL and mixed:
        checked.append("laws of all sets that hidden causes join, given their other causes")
        differences += _joined(first, second)
    elif rung == COUNTERFACTUAL:
        checked.append("tables given all parents")
        differences += _local(first, second)
    return _proved(checked, differences, rung)


def _proved(checked: list[str], differences: list[np.ndarray], rung: int) -> dict[str, Any]:
    """Return the proof, or refuse what differs."""
    worst = max(float(np.abs(each).max()) for each in [np.zeros(1), *differences])
    if not worst <= TOLERANCE:
        msg = (
            f"twins for rung {rung} differ by {worst:.3g} in: {' or '.join(checked)}; rebuild them."
        )
        raise TwinError(msg)
    return {
        "checked": " and ".join(checked),
        "cells": sum(each.size for each in differences),
        "max_deviation": worst,
    }


def _normal(first: SCM, second: SCM, rung: int) -> list[np.ndarray]:
    """Return the differences of two normal laws, or of their variables' own laws.

    Raises:
        TwinError: the rung is 3.
    """
    if rung == COUNTERFACTUAL:
        msg = "linear-Gaussian worlds have no twins for rung 3: experiments settle it; take rung 2."
        raise TwinError(msg)
    (here, left), (there, right) = moments(first), moments(second)
    if rung == ASSOCIATION:
        left, right = np.diag(left), np.diag(right)
    return [here - there, left - right]


def _local(first: SCM, second: SCM) -> list[np.ndarray]:
    """Return the differences of every table given all parents, hidden ones too."""
    found = []
    for name in first.names:
        above = first.parents(name)
        if name not in second.names or set(second.parents(name)) != set(above):
            msg = f"twins for rung 3 give '{name}' different parents; only couplings may differ."
            raise TwinError(msg)
        places = [second.parents(name).index(parent) for parent in above]
        other = cpt_of(second, name).transpose([*places, len(places)])
        found.append(cpt_of(first, name) - other)
    return found


def _joined(first: SCM, second: SCM) -> list[np.ndarray]:
    """Return the differences of P(w | do(other causes of W)), for every set W that is joined."""
    diagram = first.diagram
    if diagram != second.diagram:
        msg = "twins for rung 3 have different diagrams; only what is hidden may differ."
        raise TwinError(msg)
    nets = Net.from_scm(first), Net.from_scm(second)
    found = []
    for component in diagram.c_components():
        for size in range(1, len(component) + 1):
            for group in combinations(sorted(component), size):
                if not _is_joined(group, diagram):
                    continue
                above = sorted({cause for name in group for cause in diagram.parents(name)})
                above = [name for name in above if name not in group]
                for codes in product(*(range(nets[0].cards[name]) for name in above)):
                    do = dict(zip(above, codes, strict=True))
                    found.append(nets[0].law(group, do) - nets[1].law(group, do))
    return found


def _is_joined(group: tuple[str, ...], diagram: Diagram) -> bool:
    """Say whether ``<->`` among a set of variables leads from any of them to any other."""
    edges = [edge for edge in diagram.bidirected if set(edge) <= set(group)]
    return len(Diagram(group, [], edges).c_components()) == 1


def _random_differences(
    first: SCM, second: SCM, rung: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Compare joint laws of random variables, at rung 3 under random interventions."""
    found: list[np.ndarray] = []
    while sum(each.size for each in found) < _QUERIES:
        order = draws.permutation(rng, len(first.visible))
        names = [first.visible[int(place)] for place in order[:_WIDE]]
        do = {}
        if rung == COUNTERFACTUAL:
            forced = names.pop()
            do = {forced: draws.choice(rng, first.variable(forced).labels)}
        found.append(law(first, names, do) - law(second, names, do))
    return found
