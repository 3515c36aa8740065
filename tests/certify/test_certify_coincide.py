"""Queries that no algorithm settles: bounds that meet, how it is written, what is not decided."""

from __future__ import annotations

import pytest

import causalbench as cb
from causalbench.errors import CertificateError


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


def test_what_assumptions_leave_undecided_is_said_with_what_to_drop():
    """A coupling told of a mechanism whose noise is shared finds no second world as it stands."""
    tables = {
        "u": {"parents": [], "cpt": [0.6, 0.4]},
        "x": {"parents": ["u"], "cpt": [[0.8, 0.2], [0.3, 0.7]], "coupling": "monotone"},
        "y": {
            "parents": ["x", "u"],
            "cpt": [[[0.9, 0.1], [0.5, 0.5]], [[0.4, 0.6], [0.1, 0.9]]],
            "coupling": "monotone",
        },
    }
    values = {"values": ["0", "1"]}
    variables = {"u": {**values, "hidden": True}, "x": values, "y": values}
    bow = cb.SCM.from_dict({"schema": 1, "variables": variables, "mechanisms": tables})
    told = cb.Knowledge("see", "diagram", ("coupling:y=monotone",))
    with pytest.raises(CertificateError, match=r"not decided.*drop an assumption, or ask"):
        cb.certify(bow, "P(y=1 | do(x=1))", told)
