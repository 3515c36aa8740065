"""Rung-2 identification on textbook diagrams: what is found, how it prints, what it is worth."""

from __future__ import annotations

import numpy as np
import pytest
from identify_builders import ground_of, world_of

import causalbench as cb
from causalbench.errors import (
    AccessError,
    PositivityError,
    QueryError,
    UnknownNameError,
    ZeroProbabilityError,
)
from causalbench.graph import Diagram
from causalbench.query import Atom, Probability, Term, parse
from causalbench.truth.identify.interventional import identify_effect, identify_effects, why_not
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.permitted import Ground, Permitted

BACK_DOOR = "z -> x; z -> y; x -> y"
FRONT_DOOR = "x -> m; m -> y; x <-> y"
NAPKIN = "w -> z; z -> x; x -> y; w <-> x; w <-> y"
BOW = "x -> y; x <-> y"
INSTRUMENT = "z -> x; x -> y; x <-> y"
M_BIAS = "x -> y; x <-> z; z <-> y"
EFFECT = "P(y=1 | do(x=1))"


def quantity(text):
    """Return the one quantity of a query."""
    ((_, found),) = parse(text).terms
    return found


def found(diagram, text, **options):
    """Return the text of the estimand, or None."""
    estimand = identify_effect(ground_of(Diagram.parse(diagram), **options), quantity(text))
    return None if estimand is None else str(estimand)


def error(diagram, text, *, seed=0, cards=(2,), manipulable=None):
    """Return how far the estimand is from the truth in a random world."""
    rng = np.random.default_rng(seed)
    scm = world_of(Diagram.parse(diagram), rng, cards=cards)
    regime = "see" if manipulable is None else "do"
    permitted = Permitted(scm, Knowledge(regime, "diagram", manipulable=manipulable))
    estimand = identify_effect(permitted.ground, quantity(text))
    return abs(estimand.evaluate(permitted) - cb.truth(scm, text).value)


@pytest.mark.parametrize(
    ("diagram", "text", "estimand"),
    [
        (BACK_DOOR, EFFECT, "sum_{z} P(y=1 | x=1, z) P(z)"),
        (BACK_DOOR, "P(y=1 | do(x=1), z=0)", "P(y=1 | x=1, z=0)"),
        (FRONT_DOOR, EFFECT, "sum_{m} P(m | x=1) sum_{x'} P(y=1 | x', m) P(x')"),
        (
            NAPKIN,
            EFFECT,
            "(sum_{w} P(x=1, y=1 | z=0, w) P(w)) / (sum_{w} P(x=1 | z=0, w) P(w))",
        ),
        (M_BIAS, EFFECT, "P(y=1 | x=1)"),
        ("x -> y", EFFECT, "P(y=1 | x=1)"),
        (FRONT_DOOR, "P(x=1 | do(y=1))", "P(x=1)"),
        ("x -> m; m -> y", "P(y=1, m=0 | do(x=1))", "P(y=1 | m=0) P(m=0 | x=1)"),
    ],
)
def test_textbook_estimands(diagram, text, estimand):
    """The estimand prints as the textbook has it."""
    assert found(diagram, text) == estimand


@pytest.mark.parametrize(
    ("diagram", "text", "reason"),
    [
        (BOW, EFFECT, "hedge: {x, y} over {y}"),
        (INSTRUMENT, EFFECT, "hedge: {x, y} over {y}"),
        (FRONT_DOOR + "; x <-> m", EFFECT, "hedge: {x, m} over {m}"),
        (FRONT_DOOR + "; m <-> y", EFFECT, "hedge: {x, m, y} over {m, y}"),
        (M_BIAS, "P(y=1 | do(x=1), z=1)", "hedge: {x, y, z} over {y, z}"),
    ],
)
def test_what_is_not_identified_has_a_hedge(diagram, text, reason):
    """Bow arc, instrument, front doors with another latent, M-bias given the collider."""
    ground = ground_of(Diagram.parse(diagram))
    assert identify_effect(ground, quantity(text)) is None
    assert why_not(ground, quantity(text)) == reason


def test_nothing_stands_in_the_way_of_what_is_identified():
    """There is no reason where there is an estimand."""
    assert why_not(ground_of(Diagram.parse(FRONT_DOOR)), quantity(EFFECT)) is None


def napkin():
    """Return the published napkin: U0, U1 fair coins, Z2 -> Z1 -> X -> Y."""
    bern = lambda *ps: [[1 - p, p] for p in ps]  # noqa: E731
    variables = {
        name: {"values": ["0", "1"], "hidden": name.startswith("u")}
        for name in ("u0", "u1", "w", "z", "x", "y")
    }
    coin = {"parents": [], "noise": [0.5, 0.5], "table": [0, 1]}
    cpts = {
        "w": (["u0", "u1"], [bern(0.1, 0.8), bern(0.3, 0.6)]),
        "z": (["w"], bern(0.2, 0.9)),
        "x": (["z", "u0"], [bern(0.15, 0.5), bern(0.6, 0.95)]),
        "y": (["x", "u1"], [bern(0.1, 0.45), bern(0.7, 0.95)]),
    }
    mechanisms = {"u0": coin, "u1": coin} | {
        name: {"parents": parents, "cpt": cpt, "coupling": "monotone"}
        for name, (parents, cpt) in cpts.items()
    }
    return cb.SCM.from_dict({"schema": 1, "variables": variables, "mechanisms": mechanisms})


@pytest.mark.parametrize(("x", "value"), [("0", 0.275), ("1", 0.825)])
def test_the_published_napkin(x, value):
    """.275 and .825 (ShaktiOSindia/corr2cause-label-audit); P(y | x) would be .243909, .842681."""
    permitted = Permitted(napkin(), Knowledge("see", "diagram"))
    estimand = identify_effect(permitted.ground, quantity(f"P(y=1 | do(x={x}))"))
    assert estimand.evaluate(permitted) == pytest.approx(value, abs=1e-12)


def test_the_napkin_is_right_at_every_value_of_its_idle_variable():
    """Estimands at z = 0 and at z = 1 agree."""
    permitted = Permitted(napkin(), Knowledge("see", "diagram"))
    estimands = list(identify_effects(permitted.ground, quantity(EFFECT)))
    values = [estimand.evaluate(permitted) for estimand in estimands]
    assert len(set(map(str, estimands))) == 2
    assert values == pytest.approx([0.825, 0.825], abs=1e-12)


def test_another_value_of_an_idle_variable_helps_where_one_never_happens():
    """In a napkin whose z is always 1 the estimand at z = 0 says nothing, the one at 1 does."""
    scm = napkin().do(z="1")
    permitted = Permitted(scm, Knowledge("see", "diagram"))
    ground = ground_of(Diagram.parse(NAPKIN))
    first, second = identify_effects(ground, quantity(EFFECT))
    with pytest.raises(PositivityError):
        first.evaluate(permitted)
    assert second.evaluate(permitted) == pytest.approx(0.825, abs=1e-12)


@pytest.mark.parametrize("diagram", [BACK_DOOR, FRONT_DOOR, NAPKIN, M_BIAS])
@pytest.mark.parametrize(
    "text",
    [
        EFFECT,
        "E[y | do(x=1)]",
        "P(y != 1 | do(x=0))",
        "P(y=0, x=1 | do(x=1))",
        "P(y=0 | do(x=1), x=1)",
        "P(y=0 | do(x=1), y != 1)",
        "P(x=2 | do(x=1))",
        "E[x | do(x=1)]",
        "P(y=1 | x=0)",
        "P(y != 0 | x != 1)",
        "E[y | x != 1]",
        "P(y=1)",
    ],
)
def test_values_are_true_with_three_values_each(diagram, text):
    """Events, conditions and means of every form, in a random world with the diagram."""
    assert error(diagram, text, cards=(3,)) < 1e-12


@pytest.mark.parametrize(
    ("op", "bound", "estimand"),
    [
        (">", 0.5, "sum_{y in {1, 2}} P(y | x=1)"),
        (">=", "1", "sum_{y in {1, 2}} P(y | x=1)"),
        ("<", 0.5, "P(y=0 | x=1)"),
        ("<=", "1", "sum_{y in {0, 1}} P(y | x=1)"),
        (">", 2.0, "0"),
        ("<", 9.0, "1"),
    ],
)
def test_order_comparisons_allow_the_labels_whose_numbers_fit(op, bound, estimand):
    """Labels are compared with a number, or with the number of a label."""
    asked = Probability((Atom(Term("y", (("x", "1"),)), op, bound),))
    ground = ground_of(Diagram.parse("x -> y"), card=3)
    assert str(identify_effect(ground, asked)) == estimand


@pytest.mark.parametrize(
    "text", ["P(y=1 | do(x=1), z != 0)", "P(z=1 | do(x=1), y != 2)", "E[y | do(x=1), z != 0]"]
)
def test_a_condition_of_several_labels_is_a_ratio_of_sums(text):
    """Where the joint law is identified, so is what is asked given a set of its values."""
    assert error(BACK_DOOR, text, cards=(3,)) < 1e-12


def test_an_idle_condition_of_several_labels_drops_out():
    """Apart from the bow, u says nothing."""
    assert found("x -> y; u", "P(y=1 | do(x=1), u != 0)", card=3) == "P(y=1 | x=1)"


def test_a_permitted_experiment_is_read_off():
    """Whoever may force x reads the effect off, in the order asked."""
    assert found(BOW, "P(y=1 | do(x=1))", manipulable=("x",)) == EFFECT
    text = "P(y=1, w=0 | do(x=1), z=0)"
    assert found(BOW + "; w -> z", text, manipulable=("x",)) == text


def test_an_experiment_on_something_else_helps():
    """gID: x -> m with x <-> m, m -> y: an experiment on m does not help, one on z does."""
    diagram = "z -> x; x -> y; z <-> x; z <-> y"
    assert found(diagram, EFFECT) is None
    assert found(diagram, EFFECT, manipulable=("z",)) == "P(y=1 | do(z=0), x=1)"
    assert error(diagram, EFFECT, manipulable=("z",)) < 1e-12


def test_surrogate_experiments_are_put_together():
    """Neither experiment alone gives P(y | do(x1, x2)); each gives one of its factors."""
    diagram = "x1 -> m; m -> y; x2 -> y; x1 <-> m; x2 <-> y"
    text = "P(y=1, m=0 | do(x1=1, x2=0))"
    assert found(diagram, text, manipulable=("x1",)) is None
    assert found(diagram, text, manipulable=("x2",)) is None
    assert error(diagram, text, manipulable=("x1", "x2")) < 1e-12


def test_a_condition_against_the_intervention_is_refused():
    """Forced to 1, x cannot be 0."""
    with pytest.raises(ZeroProbabilityError, match="contradicts"):
        found(BACK_DOOR, "P(y=1 | do(x=1), x=0)")


def test_a_hidden_variable_is_refused_by_name():
    """Identification is about visible variables."""
    with pytest.raises(AccessError, match="hidden"):
        found(BACK_DOOR, "P(u=1 | do(x=1))")


def test_an_unknown_label_is_refused():
    """A label that the variable lacks is an error, not an impossible event."""
    with pytest.raises(UnknownNameError, match="no value"):
        found(BACK_DOOR, "P(y=7 | do(x=1))")


def test_rung_three_is_refused():
    """Two worlds in one quantity are another algorithm's."""
    with pytest.raises(QueryError, match="rung 3"):
        found(BACK_DOOR, "P(y[x=1]=1 | x=0)")


def test_rung_three_in_form_only_is_answered():
    """By composition P(y_x | x) is P(y | x)."""
    assert found(BOW, "P(y[x=1]=1 | x=1)") == "P(y=1 | x=1)"


def test_a_mean_without_numbers_is_refused():
    """E needs a number for every value."""
    diagram = Diagram.parse(BACK_DOOR)
    labels = dict.fromkeys("zxy", ("0", "1"))
    ground = Ground(diagram, labels, dict.fromkeys("zxy"))
    with pytest.raises(QueryError, match="numbers"):
        identify_effect(ground, quantity("E[y | do(x=1)]"))
