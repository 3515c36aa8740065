"""Bounds in print, from shipped worlds with the published counts."""

from __future__ import annotations

import pytest
from bounds_builders import DO, DO_BLIND, ends

import causalbench as cb
from causalbench.truth import Knowledge

ROUNDED = 6e-5  # four decimals in print


@pytest.fixture(params=["diagram", "and nobody defies"])
def seeing(request):
    """Return what is known: the diagram, and also that the lot turns nobody off."""

    def known(lot, taken):
        told = () if request.param == "diagram" else (f"monotone: {lot} -> {taken}",)
        return Knowledge("see", "diagram", told)

    return known


def test_vitamin_a(seeing):
    """Vitamin A and mortality, with the same figures where nobody defies the lot.

    Source: Balke and Pearl (1997); counts of Sommer and Zeger (1991).
    """
    scm = cb.load_world("vitamin-a").scm
    known = seeing("offer", "vitamin")
    effect = ends(scm, "ATE(vitamin: no -> yes; alive=yes)", known)
    assert (effect.lower, effect.upper) == pytest.approx((-0.1946, 0.0054), abs=ROUNDED)
    without = ends(scm, "P(alive=yes | do(vitamin=no))", known)
    assert (without.lower, without.upper) == pytest.approx((0.9936, 0.9936), abs=ROUNDED)
    having = ends(scm, "P(alive=yes | do(vitamin=yes))", known)
    assert (having.lower, having.upper) == pytest.approx((0.7990, 0.9990), abs=ROUNDED)
    assert effect.sharp


def test_lipid(seeing):
    """Cholestyramine and cholesterol.

    Source: Balke and Pearl (1997); counts of the R package CausalQueries.
    """
    scm = cb.load_world("lipid").scm
    known = seeing("assigned", "taken")
    effect = ends(scm, "ATE(taken: no -> yes; lower=yes)", known)
    assert (effect.lower, effect.upper) == pytest.approx((0.3913, 0.7792), abs=ROUNDED)
    helped = ends(scm, "PNS(taken: no -> yes; lower=yes)", known)
    assert (helped.lower, helped.upper) == pytest.approx((0.4641, 0.7879), abs=ROUNDED)
    assert effect.sharp
    assert helped.sharp


@pytest.mark.parametrize("known", [DO, DO_BLIND], ids=["diagram", "no diagram"])
def test_drug_lawsuit(known):
    """The drug killed the patient for sure; that it would kill others is nearly open.

    Source: Tian and Pearl (2000).
    """
    scm = cb.load_world("drug-lawsuit").scm
    expected = {
        "PN": (1.0, 1.0),
        "PS": (0.001 / 0.486, 0.015 / 0.486),
        "PNS": (0.002, 0.016),
    }
    for name, (low, high) in expected.items():
        found = ends(scm, f"{name}(drug: no -> yes; dead=yes)", known)
        assert (found.lower, found.upper) == pytest.approx((low, high), abs=1e-9)
        assert found.sharp
    harm = ends(scm, "P(dead[drug=no]=yes, dead[drug=yes]=no)", known)
    assert (harm.lower, harm.upper) == pytest.approx((0.0, 0.014), abs=1e-9)
