"""Queries that no algorithm settles and whose bounds meet: their value, and how it is written."""

from __future__ import annotations

import pytest

import causalbench as cb


@pytest.fixture(scope="module")
def on_the_treated():
    """The effect on those who took vitamin A, which nobody without the offer could get."""
    return cb.certify(cb.load_world("vitamin-a"), "ETT(vitamin: no -> yes; alive=yes)")


def test_with_nobody_treated_unasked_the_effect_on_the_treated_is_the_wald_ratio(on_the_treated):
    """Imbens and Angrist (1994), from the counts of Sommer and Zeger (1991)."""
    offered, others, taken = 12048 / 12094, 11514 / 11588, 9675 / 12094
    assert on_the_treated.identified
    assert on_the_treated.value == pytest.approx((offered - others) / taken, abs=1e-9)


def test_a_difference_stands_in_brackets_after_min_and_max(on_the_treated):
    """Without them, min would seem to belong to the first term alone."""
    text, latex = str(on_the_treated.estimand), on_the_treated.estimand.latex()
    query = on_the_treated.query
    assert text == f"min ({query}) = max ({query}) (linear program over response types)"
    assert latex.startswith(r"\min \left(P(")
    assert latex.count(r"\left(") == latex.count(r"\right)") == 2


def test_a_single_quantity_needs_no_brackets():
    """The lawsuit's PN is settled by its numbers (Tian and Pearl 2000)."""
    pn = "PN(drug: no -> yes; dead=yes)"
    found = cb.certify(cb.load_world("drug-lawsuit"), pn, cb.Knowledge("do", "none"))
    assert str(found.estimand).startswith("min P(")
    assert found.estimand.latex().startswith(r"\min P(")
