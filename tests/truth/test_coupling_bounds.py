"""Bounds over couplings: never beaten, attained where they say so, and equal to hand figures."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.errors import CouplingError, QueryError, ZeroProbabilityError
from causalbench.query import parse
from causalbench.scm import SCM, Mechanism, TableMechanism, Variable, random_scm
from causalbench.truth import truth, truth_many, value
from causalbench.truth.bounds.couplings import coupling_bounds, open_mechanisms

EPS = 1e-9


def world(cpt, root=(0.5, 0.5)):
    """Build x -> y with a table at y."""
    cpt = np.array(cpt)
    labels = tuple(str(code) for code in range(cpt.shape[-1]))
    variables = {
        "x": Variable("x", tuple("01")),
        "y": Variable("y", labels, numbers=range(len(labels))),
    }
    return SCM(variables, {"x": TableMechanism((), root), "y": TableMechanism(("x",), cpt)})


def stripped(scm):
    """Return a world with its couplings taken away."""
    tables = {name: TableMechanism(scm.parents(name), scm.cpt(name)) for name in scm.names}
    return SCM(scm.variables, tables)


def any_coupling(scm, rng):
    """Couple each table by a random mixture of random orders of its rows' values."""
    made = {}
    for name in scm.uncoupled:
        cpt = scm.cpt(name)
        rows = cpt.reshape(-1, cpt.shape[-1])
        turns = [rng.permutation(rows.shape[1]) for _ in rows]
        cuts = [np.cumsum(row[turn]) for row, turn in zip(rows, turns, strict=True)]
        edges = np.unique(np.concatenate([[1.0], *[cut[:-1] for cut in cuts]]))
        edges = edges[(edges > 0) & (edges <= 1)]
        middles = edges - np.diff(edges, prepend=0.0) / 2
        table = np.stack(
            [
                turn[np.searchsorted(cut[:-1], middles)]
                for cut, turn in zip(cuts, turns, strict=True)
            ],
            axis=1,
        )
        made[name] = Mechanism(
            scm.parents(name), np.diff(edges, prepend=0.0), table.reshape(-1, *cpt.shape[:-1])
        )
    return scm.replace(mechanisms=made)


def test_tian_and_pearl_without_confounding():
    """PNS lies in [max(0, p1 - p0), min(p1, 1 - p0)] (Tian and Pearl 2000, exogenous case)."""
    found = coupling_bounds(world([[0.7, 0.3], [0.4, 0.6]]), "PNS(x: 0 -> 1; y=1)")
    assert (found.lower, found.upper) == pytest.approx((0.3, 0.6), abs=1e-12)
    assert found.sharp


def test_pn_without_confounding():
    """PN lies in [max(0, p1 - p0) / p1, min(p1, 1 - p0) / p1]."""
    found = coupling_bounds(world([[0.7, 0.3], [0.4, 0.6]]), "PN(x: 0 -> 1; y=1)")
    assert (found.lower, found.upper) == pytest.approx((0.5, 1.0), abs=1e-12)
    assert found.sharp
    assert found.source == "Balke and Pearl (1994)"


def test_a_condition_that_hangs_on_the_coupling():
    """P(y[x=1]=2 | y[x=0]=0 or y[x=1]=0, coupled) is a ratio; its ends are attained."""
    scm = world([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
    query = "P(y[x=1]=2 | y[x=0]!=2, y[x=1]!=0)"
    found = coupling_bounds(scm, query)
    assert found.sharp
    # Of the mass .75 with y0 in {0, 1}, what goes to y1=1 and y1=2 is free up to .25 and .5.
    assert (found.lower, found.upper) == pytest.approx((0.5, 1.0), abs=1e-9)
    for witness, end in zip(found.witnesses, (found.lower, found.upper), strict=True):
        assert value(witness.scm, query) == pytest.approx(end, abs=EPS)


def test_means_and_sums_are_bounded_as_a_whole():
    """A difference of two quantities is one linear form; here the coupling cancels out of it."""
    scm = world([[0.5, 0.5], [0.5, 0.5]])
    query = "P(y=1, y[x=1]=1) - P(y=1, y[x=0]=1)"
    found = coupling_bounds(scm, query)
    assert found.sharp
    assert (found.lower, found.upper) == pytest.approx((0.0, 0.0), abs=1e-12)
    mean = coupling_bounds(scm, "E[y[x=0] | x=1, y=1]")
    assert (mean.lower, mean.upper) == pytest.approx((0.0, 1.0), abs=1e-12)


def test_no_coupling_matters():
    """Where every table is read at one row, the bounds are the value."""
    scm = world([[0.7, 0.3], [0.4, 0.6]])
    found = coupling_bounds(scm, "ETT(x: 0 -> 1; y=1)")
    assert found.lower == found.upper == truth(scm, "ETT(x: 0 -> 1; y=1)").value
    assert found.sharp
    assert open_mechanisms(scm, parse("P(y[x=0]=1 | x=1)", scm.vocabulary)) == ()


def test_a_function_has_one_coupling():
    """Deterministic tables are answered at several rows: nothing is left open."""
    scm = world([[1.0, 0.0], [0.0, 1.0]])
    assert scm.couplings_known
    assert truth(scm, "PNS(x: 0 -> 1; y=1)").value == 1.0


QUERIES = (
    "P({y}[{x}={a}]={v} | {x}={b}, {y}={w})",
    "P({y}[{x}={a}]={v}, {y}[{x}={b}]={w})",
    "P({x}={a} | {y}[{x}={a}]={v}, {y}={w})",
    "P({y}[{x}={a}]={v} | {y}[{x}={b}]={w}, {z}={c})",
)


@pytest.mark.parametrize("seed", range(12))
def test_no_coupling_beats_the_bounds(seed):
    """Random couplings of random worlds, hidden causes too, stay within; witnesses keep L2."""
    rng = np.random.default_rng(seed)
    scm = stripped(random_scm(n=5, hidden=1, cards=(2, 2 + seed % 2), rng=rng))
    edges = [(p, y) for y in scm.visible for p in scm.full_diagram.ancestors({y}) - {y}]
    edges = [(x, y) for x, y in sorted(edges) if x in scm.visible]
    x, y = edges[rng.integers(len(edges))]
    z = next(name for name in scm.visible if name not in {x, y})
    label = {name: scm.variable(name).labels for name in scm.names}
    for form in QUERIES:
        text = form.format(
            x=x,
            y=y,
            z=z,
            a=label[x][0],
            b=label[x][1],
            v=label[y][0],
            w=label[y][-1],
            c=label[z][0],
        )
        try:
            found = coupling_bounds(scm, text)
        except ZeroProbabilityError:
            continue
        assert found.lower <= found.inner_lower + EPS
        assert found.inner_upper <= found.upper + EPS
        for _ in range(25):
            try:
                number = value(any_coupling(scm, rng), text)
            except ZeroProbabilityError:
                continue
            assert found.lower - EPS <= number <= found.upper + EPS
        for witness in found.witnesses or ():
            assert found.lower - EPS <= value(witness.scm, text) <= found.upper + EPS
            for name in scm.names:
                assert witness.scm.cpt(name) == pytest.approx(scm.cpt(name), abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_program_finds_what_a_search_over_vertices_finds(seed):
    """For one table of two rows, the ends are those of the corners of the transport polytope."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, 9, size=(2, 3)).astype(float)
    rows /= rows.sum(axis=1, keepdims=True)
    scm = world(rows, (0.25, 0.75))
    query = "P(y[x=0]=0, y[x=1]!=1) + 0.5*P(y[x=0]=1, y[x=1]=1)"
    gain = np.zeros((3, 3))
    gain[0, [0, 2]] += 1.0
    gain[1, 1] += 0.5
    ends = []
    # The north-west corner rule over all orders of rows and columns reaches every corner.
    from itertools import permutations

    for first in permutations(range(3)):
        for second in permutations(range(3)):
            left, right, total = rows[0, list(first)], rows[1, list(second)], 0.0
            left, right = left.copy(), right.copy()
            i = j = 0
            while i < 3 and j < 3:
                mass = min(left[i], right[j])
                total += mass * gain[first[i], second[j]]
                left[i] -= mass
                right[j] -= mass
                i, j = (i + 1, j) if left[i] <= right[j] else (i, j + 1)
            ends.append(total)
    found = coupling_bounds(scm, query)
    assert found.sharp
    assert found.lower <= min(ends) + EPS
    assert found.upper >= max(ends) - EPS
    assert (found.lower, found.upper) == pytest.approx((min(ends), max(ends)), abs=EPS)


def test_several_open_tables_are_bounded_by_frechet():
    """On a chain both tables matter: the bounds hold and say that they are not sharp."""
    rows = [[0.8, 0.2], [0.3, 0.7]]
    variables = {name: Variable(name, ("0", "1")) for name in "xmy"}
    scm = SCM(
        variables,
        {
            "x": TableMechanism((), [0.5, 0.5]),
            "m": TableMechanism(("x",), rows),
            "y": TableMechanism(("m",), rows),
        },
    )
    found = coupling_bounds(scm, "PNS(x: 0 -> 1; y=1)")
    p1, p0 = 0.7 * 0.7 + 0.3 * 0.2, 0.2 * 0.7 + 0.8 * 0.2
    assert (found.lower, found.upper) == pytest.approx((p1 - p0, min(p1, 1 - p0)), abs=1e-12)
    assert not found.sharp
    assert found.method.startswith("Frechet")
    assert found.inner_lower == pytest.approx(found.lower, abs=1e-12)  # monotone attains it
    assert found.inner_upper < found.upper


def test_truth_says_the_bounds_in_one_line():
    """The message names the variable, the range and the way out; choices list their actions."""
    scm = world([[0.7, 0.3], [0.4, 0.6]])
    with pytest.raises(CouplingError, match=r"coupling of 'y'.* it lies in \[0.5, 1\]; name one"):
        truth(scm, "PN(x: 0 -> 1; y=1)")
    with pytest.raises(CouplingError, match=r"x=0 lies in \[.*\], x=1 lies in \[") as caught:
        truth(scm, "argmax a in {x=0, x=1}: P(y[a]=1 | y=0)")
    assert "\n" not in str(caught.value)
    with pytest.raises(CouplingError, match="depends on the coupling of 'y'"):
        value(scm, "PN(x: 0 -> 1; y=1)")
    assert np.isnan(truth_many(scm, ["PN(x: 0 -> 1; y=1)"], errors="nan")).all()
    with pytest.raises(QueryError, match="a choice has no number"):
        coupling_bounds(scm, "argmax a in {x=0, x=1}: P(y[a]=1 | y=0)")


def test_a_condition_that_never_happens():
    """A condition of probability zero is said to be one, not bounded."""
    scm = world([[0.7, 0.3], [1.0, 0.0]])
    with pytest.raises(ZeroProbabilityError):
        coupling_bounds(scm, "PN(x: 0 -> 1; y=1)")


def test_partly_coupled_worlds_are_answered_where_enough_is_named():
    """Naming the couplings that a question needs is enough; the other tables stay tables."""
    scm = stripped(random_scm(n=5, rng=np.random.default_rng(3)))
    x, y = next((scm.parents(name)[0], name) for name in scm.uncoupled)
    labels = scm.variable(x).labels
    query = f"P({y}[{x}={labels[0]}]={scm.variable(y).labels[0]}, {y}={scm.variable(y).labels[1]})"
    named = open_mechanisms(scm, parse(query, scm.vocabulary))
    assert y in named
    few = scm.coupled(dict.fromkeys(named, "monotone"))
    assert truth(few, query).value == pytest.approx(
        value(scm.coupled("monotone"), query), abs=1e-12
    )
