"""certify on random worlds of two variables, against linear programs written out by hand.

A unit is what x and y are, and what each would be under any value of the other; of two variables
one comes first, so there are two programs, and what is left open is their union.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from oracle import evaluate, units
from scipy.optimize import linprog
from second_path import brute_value

import causalbench as cb
from causalbench.query import parse
from causalbench.query.ast import Expectation
from causalbench.rng import generator
from causalbench.scm import SCM
from causalbench.scm.random import random_scm

LABELS = ("0", "1")
ORDERS = (("v1", "v2"), ("v2", "v1"))
QUERIES = (
    "P(v2=1 | do(v1=1))",
    "P(v2=1 | do(v1=1)) - P(v2=1 | do(v1=0))",
    "P(v2[v1=1]=1 | v1=0)",
    "P(v2[v1=0]=0 | v1=1, v2=1)",
    "P(v2[v1=1]=1, v2[v1=0]=0)",
    "2*P(v2[v1=1]=1, v2 != 1) - P(v1=1) + 0.5",
    "E[v2[v1=0] | v1=1] - E[v2]",
    "P(v2[v1=1]=1, v1[v2=1]=1)",
)
TOLD = {  # what a regime tells, worlds of one unit at a time
    "see": [((),)],
    "do": [((),), *(((s,),) for s in product(("v1", "v2"), LABELS))],
    "replay": [((), (("v1", "0"),), (("v1", "1"),))],
}


class Unit:
    """One response type: the first variable's value, and the second's answer to it."""

    def __init__(self, order, value, answers):
        self.order, self.first, self.answers = order, value, answers

    def __call__(self, name, subscript):
        """The value of a variable in the world that a subscript makes."""
        forced = dict(subscript)
        if name in forced:
            return forced[name]
        if name == self.order[0]:
            return self.first
        return self.answers[LABELS.index(forced.get(self.order[0], self.first))]


def _holds(unit, atoms):
    return all((unit(a.term.variable, a.term.subscript) == a.value) == (a.op == "=") for a in atoms)


def _told(regime, of, weights):
    """The permitted laws as one dict, from units and their chances."""
    found = {}
    for unit, weight in zip(of, weights, strict=True):
        for number, worlds in enumerate(TOLD[regime]):
            key = number, tuple(unit(name, s) for s in worlds for name in ORDERS[0])
            found[key] = found.get(key, 0.0) + weight
    return found


def _form(of, quantity):
    """P(event, given) or E[term; given] as a linear form of the units' chances."""
    known = np.array([float(_holds(unit, quantity.given)) for unit in of])
    if isinstance(quantity, Expectation):
        term = quantity.term
        return known * [float(unit(term.variable, term.subscript)) for unit in of]
    return known * [float(_holds(unit, quantity.event)) for unit in of]


def _ends(scm, regime, query):
    """The least and the largest value over both orders; conditions here are of actual facts."""
    worlds = [
        (lambda name, s, unit=unit: evaluate(scm, unit, name, s), chance)
        for chance, unit in units(scm)
    ]
    data = _told(regime, *zip(*worlds, strict=True))
    ends = []
    for order in ORDERS:
        of = [Unit(order, v, a) for v, a in product(LABELS, product(LABELS, LABELS))]
        known = [_told(regime, [unit], [1.0]) for unit in of]
        keys = sorted({*data, *(key for each in known for key in each)})
        rows = np.array([[each.get(key, 0.0) for each in known] for key in keys])
        told = np.array([data.get(key, 0.0) for key in keys])
        cost = np.zeros(len(of))
        for weight, quantity in query.terms:
            chance = sum(c for world, c in worlds if _holds(world, quantity.given))
            cost += weight * _form(of, quantity) / (chance if quantity.given else 1.0)
        for sign in (1, -1):
            found = linprog(sign * cost, A_eq=rows, b_eq=told, bounds=(0, None), method="highs")
            if found.status == 0:
                ends.append(query.constant + sign * found.fun)
    return min(ends), max(ends)


def _worlds():
    for number in range(4):
        yield random_scm(rng=generator(number, "pairs"), n=2, hidden=number % 2, edge=0.7)


@pytest.mark.parametrize("regime", list(TOLD))
@pytest.mark.parametrize("query", QUERIES)
def test_two_variables_without_a_diagram_are_certified_exactly(query, regime):
    """Identified iff the ends meet; else the bounds are the ends, and the witnesses attain them."""
    settable = ("v1",) if regime == "replay" else None
    for scm in _worlds():
        asked = parse(query, scm.vocabulary)
        low, high = _ends(scm, regime, asked)
        found = cb.certify(scm, query, cb.Knowledge(regime, "none", (), settable))
        assert found.identified == (high - low < 1e-7)
        if found.identified:
            assert found.value == pytest.approx(brute_value(scm, query), abs=1e-9)
            continue
        assert found.sharp
        assert (found.lower, found.upper) == pytest.approx((low, high), abs=1e-7)
        for witness, end in zip(found.witnesses, (low, high), strict=True):
            assert brute_value(witness.scm, query) == pytest.approx(end, abs=1e-7)


@pytest.mark.parametrize("regime", ["see", "do", "intent", "replay"])
@pytest.mark.parametrize("shown", ["none", "diagram"])
@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("E[x[x=1]]", 2.5),
        ("E[x[x=1] | y=1]", 2.5),
        ("E[x | do(x=1), y=1]", 2.5),
        ("P(x[x=1]=1 | y[x=0]=1)", 1.0),
        ("P(x[x=1]=0, y=1)", 0.0),
        ("P(y=1 | do(x=1)) - P(y=1 | do(x=1)) + 2*P(x[x=1]=1)", 2.0),
    ],
)
def test_what_an_action_itself_decides_needs_no_law(query, value, shown, regime):
    """Effectiveness: a variable that is set has that value, and that number, given anything."""
    world = SCM.from_dict(
        {
            "schema": 1,
            "variables": {
                "x": {"values": ["0", "1"], "numbers": [0, 2.5]},
                "y": {"values": ["0", "1"]},
            },
            "mechanisms": {
                "x": {"cpt": [0.5, 0.5], "coupling": "monotone"},
                "y": {"parents": ["x"], "cpt": [[0.7, 0.3], [0.4, 0.6]], "coupling": "independent"},
            },
        }
    )
    assert cb.certify(world, query, cb.Knowledge(regime, shown)).value == pytest.approx(value)
