"""Twins agree below their rung, by an independent path: listing every unit of both worlds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench.errors import TwinError
from causalbench.rng import generator
from causalbench.task.proof import TOLERANCE, prove
from causalbench.truth import interventional_tables

MOST = 200_000


def units(scm):
    """Return every unit of a world (noise codes), and each one's probability; None if too many."""
    sizes = [len(scm.mechanism(name).noise) for name in scm.names]
    total = int(np.prod(sizes, dtype=object))
    if total > MOST:
        return None
    codes = np.unravel_index(np.arange(total), sizes)
    unit = dict(zip(scm.names, codes, strict=True))
    weight = np.ones(total)
    for name in scm.names:
        weight = weight * scm.mechanism(name).noise[unit[name]]
    return unit, weight


def seen(scm, unit, weight, do=None):
    """Return the joint law of the visible variables by adding up units."""
    shape = tuple(scm.variable(name).cardinality for name in scm.visible)
    solved = scm.solve(unit, do)
    codes = [np.broadcast_to(solved[name], weight.shape) for name in scm.visible]
    flat = np.bincount(np.ravel_multi_index(codes, shape), weights=weight, minlength=np.prod(shape))
    return flat.reshape(shape)


def small(pairs, rung):
    """Return up to six pairs of a rung whose worlds have few enough units to list."""
    found = []
    for pair in pairs:
        if pair[0].placement.rung == rung:
            listed = [units(case.scm) for case in pair]
            if None not in listed:
                found.append((pair, listed))
        if len(found) == 6:
            break
    assert len(found) >= 3
    return found


def test_rung_one_twins_share_every_variables_own_law(pairs):
    """One-variable laws agree; the joint does not."""
    for (first, second), listed in small(pairs, 1):
        laws = [seen(case.scm, *each) for case, each in zip((first, second), listed, strict=True)]
        for axis in range(laws[0].ndim):
            rest = tuple(other for other in range(laws[0].ndim) if other != axis)
            np.testing.assert_allclose(laws[0].sum(axis=rest), laws[1].sum(axis=rest), atol=1e-9)
        assert np.abs(laws[0] - laws[1]).max() > 1e-3


def test_rung_two_twins_share_the_seen_law(pairs):
    """Joint laws of the visible variables agree; some law under an intervention does not."""
    for (first, second), listed in small(pairs, 2):
        worlds = (first.scm, second.scm)
        laws = [seen(scm, *each) for scm, each in zip(worlds, listed, strict=True)]
        np.testing.assert_allclose(laws[0], laws[1], atol=1e-9)
        gaps = []
        for name in first.scm.visible:
            after = [seen(s, *each, {name: 0}) for s, each in zip(worlds, listed, strict=True)]
            gaps.append(np.abs(after[0] - after[1]).max())
        assert max(gaps) > 1e-3


def test_rung_three_twins_share_every_interventional_law(pairs):
    """Joint laws agree under every intervention on one and on two variables."""
    for (first, second), listed in small(pairs, 3):
        worlds = (first.scm, second.scm)
        names = first.scm.visible
        for pick in [(), *((name,) for name in names), *itertools.combinations(names, 2)]:
            for codes in itertools.product(*(range(2) for _ in pick)):
                do = dict(zip(pick, codes, strict=True))
                laws = [seen(s, *each, do) for s, each in zip(worlds, listed, strict=True)]
                np.testing.assert_allclose(laws[0], laws[1], atol=1e-9)


def test_every_pair_carries_its_proof(pairs):
    """The proof names what was checked, how many numbers, and a deviation within 1e-9."""
    for pair in pairs:
        proof = pair[0].placement.proof
        assert proof == pair[1].placement.proof
        assert proof["cells"] > 0
        assert 0.0 <= proof["max_deviation"] <= TOLERANCE
        assert proof["checked"]


@pytest.mark.parametrize("rung", [2, 3])
def test_pairs_of_the_rung_below_fail_the_proof(pairs, rung):
    """Twins for rung 1 differ in the seen law, twins for rung 2 under interventions: refused."""
    for first, second in [p for p in pairs if p[0].placement.rung == rung - 1][:5]:
        with pytest.raises(TwinError):
            prove((first.scm, second.scm), rung, rng=generator(0, "unused"))


def test_different_orders_are_refused(pairs):
    """Twins whose variables stand in different orders would show their side."""
    first, second = pairs[0]
    turned = second.scm.reorder([*reversed(second.scm.visible), *second.scm.hidden])
    with pytest.raises(TwinError, match="another order"):
        prove((first.scm, turned), 1, rng=generator(0, "unused"))


def test_interventional_tables_cover_every_subset(pairs):
    """The full proof of rung 3 looks at 2 to the number of visible variables tables."""
    first = next(pair[0] for pair in pairs if pair[0].placement.rung == 3)
    assert len(interventional_tables(first.scm)) == 2 ** len(first.scm.visible)
