"""Monotone mechanisms: what they identify, with and without a diagram, and what they don't."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from ctf_builders import generic_world, random_counterfactual, truth_of
from identify_builders import ground_of, random_diagram

from causalbench.errors import AccessError, PositivityError, ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.query import Vocabulary, parse
from causalbench.truth import Knowledge
from causalbench.truth.identify.counterfactual import identify_counterfactual
from causalbench.truth.identify.monotone import signs_of
from causalbench.truth.identify.undrawn import identify_undrawn
from causalbench.truth.permitted import Permitted

BACK_DOOR = "z -> x; z -> y; x -> y"
FRONT_DOOR = "x -> m -> y; x <-> y"
CAUSATION = ["PNS(x: 0 -> 1; y=1)", "PN(x: 0 -> 1; y=1)", "PS(x: 0 -> 1; y=1)"]


def said(edges):
    """Return the assumptions that edges are monotone."""
    return tuple(sorted(f"monotone: {cause} -> {effect}" for cause, effect in edges))


def asked(text, diagram, card=2):
    """Return the one quantity of a query."""
    ground = ground_of(diagram, card=card)
    ((_, quantity),) = parse(text, Vocabulary(dict(ground.labels))).terms
    return quantity


@pytest.mark.parametrize("text", CAUSATION)
@pytest.mark.parametrize(
    ("edges", "rising"),
    [(BACK_DOOR, {("x", "y")}), (FRONT_DOOR, {("x", "m"), ("m", "y")})],
    ids=["back-door", "front-door"],
)
@pytest.mark.parametrize("regime", ["see", "do"])
def test_probabilities_of_causation_need_monotonicity(text, edges, rising, regime):
    """PNS, PN and PS: not identified on back-door and front-door graphs, identified if monotone."""
    diagram = Diagram.parse(edges)
    quantity = asked(text, diagram)
    scm = generic_world(diagram, np.random.default_rng(8), rising=rising)
    bare = Permitted(scm, Knowledge(regime, "diagram"))
    assert identify_counterfactual(bare.ground, quantity) is None
    permitted = Permitted(scm, Knowledge(regime, "diagram", said(rising)))
    estimand, method, _ = identify_counterfactual(permitted.ground, quantity)
    assert method == "monotonicity"
    assert estimand.evaluate(permitted) == pytest.approx(truth_of(scm, quantity), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PNS(x: 0 -> 1; y=1)", "P(y=0 | do(x=0)) - P(y=0 | do(x=1))"),
        # Pearl (1999): the corrected excess risk ratio, (P(y) - P(y[x'])) / P(x, y).
        (
            "PN(x: 0 -> 1; y=1)",
            "(P(y=0 | do(x=0)) - P(x=0, y=0) - P(x=1, y=0)) / P(x=1, y=1)",
        ),
        ("PS(x: 0 -> 1; y=1)", "(P(x=0, y=0) - P(y=0 | do(x=1)) + P(x=1, y=0)) / P(x=0, y=0)"),
    ],
)
def test_formulas_of_pearl_and_tian(text, expected):
    """With an experiment and data, confounded or not, as in Tian and Pearl (2000)."""
    diagram = Diagram.parse("x -> y; x <-> y")
    ground = replace(ground_of(diagram, manipulable=("x",)), assumptions=("monotone: x -> y",))
    drawn, _, _ = identify_counterfactual(ground, asked(text, diagram))
    undrawn, _, _ = identify_undrawn(
        ground.labels, ground.numbers, ground.manipulable, asked(text, diagram), ground.assumptions
    )
    scm = generic_world(diagram, np.random.default_rng(2), rising={("x", "y")})
    permitted = Permitted(scm, Knowledge("do", "diagram", (), ("x",)))
    answer = pytest.approx(truth_of(scm, asked(text, diagram)), abs=1e-9)
    assert drawn.evaluate(permitted) == answer
    assert undrawn.evaluate(permitted) == answer
    assert str(undrawn) == expected


@pytest.mark.parametrize(("seed", "cards"), [(31, (2,)), (32, (2, 3))])
def test_random_worlds_with_monotone_mechanisms(seed, cards):
    """Whatever is found with stated signs equals the truth, with a diagram and without."""
    rng = np.random.default_rng(seed)
    methods = Counter()
    for _ in range(250):
        diagram = random_diagram(rng, int(rng.integers(2, 5)), edge=0.7, bow=0.25)
        rising = {edge for edge in diagram.directed if rng.random() < 0.8}
        scm = generic_world(diagram, rng, cards=cards, rising=rising)
        for regime, shown in (("see", "diagram"), ("do", "diagram"), ("do", "none")):
            permitted = Permitted(scm, Knowledge(regime, shown, said(rising)))
            quantity = random_counterfactual(rng, diagram, permitted.labels)
            try:
                if shown == "none":
                    found = identify_undrawn(
                        permitted.labels,
                        permitted.numbers,
                        permitted.manipulable,
                        quantity,
                        said(rising),
                    )
                else:
                    found = identify_counterfactual(permitted.ground, quantity)
                if found is None:
                    continue
                expected = truth_of(scm, quantity)
                actual = found[0].evaluate(permitted)
            except (PositivityError, ZeroProbabilityError):
                continue  # monotone worlds make some conditions impossible
            methods[shown, found[1]] += 1
            assert actual == pytest.approx(expected, abs=1e-9), (diagram, quantity, found)
    assert methods["diagram", "monotonicity"] > 5
    assert methods["none", "monotonicity"] + methods["none", "consistency"] > 5


def test_several_values_are_identified_at_a_threshold_only():
    """For |y| = 3, P(y[0] low, y[1] high) is identified, the joint law at two values is not."""
    diagram = Diagram.parse("x -> y; x <-> y")
    assumptions = ("monotone: x -> y",)
    ground = replace(ground_of(diagram, manipulable=("x",), card=3), assumptions=assumptions)
    single = asked("P(y[x=0]=0, y[x=1]=1)", diagram, card=3)
    low = asked("P(y[x=0]=0, y[x=1] != 0)", diagram, card=3)
    never = asked("P(y[x=0]=2, y[x=1] != 2)", diagram, card=3)
    scm = generic_world(diagram, np.random.default_rng(4), cards=(3,), rising={("x", "y")})
    permitted = Permitted(scm, Knowledge("do", "diagram", assumptions, ("x",)))
    assert identify_counterfactual(ground, single) is None
    for quantity in (low, never):
        estimand, _, _ = identify_counterfactual(ground, quantity)
        assert estimand.evaluate(permitted) == pytest.approx(truth_of(scm, quantity), abs=1e-9)
    assert str(identify_counterfactual(ground, never)[0]) == "0"


def test_signs_must_agree_along_all_paths():
    """An antitone path beside a monotone one, or a path without a sign, licenses nothing."""
    diagram = Diagram.parse("x -> m -> y; x -> y")
    quantity = asked("PNS(x: 0 -> 1; y=1)", diagram)
    ground = ground_of(diagram, manipulable=("x", "m", "y"))
    direct = ("monotone: x -> y",)
    rising = ("monotone: m -> y", "monotone: x -> m", "monotone: x -> y")
    mixed = ("antitone: x -> m", "monotone: m -> y", "monotone: x -> y")
    agree = ("antitone: m -> y", "antitone: x -> m", "monotone: x -> y")
    verdicts = [
        identify_counterfactual(replace(ground, assumptions=assumptions), quantity) is not None
        for assumptions in ((), direct, rising, mixed, agree)
    ]
    assert verdicts == [False, False, True, False, True]


def test_a_direct_sign_is_enough_with_the_mediator_held():
    """y[x=0, m] and y[x=1, m] differ by x alone."""
    diagram = Diagram.parse("x -> m -> y; x -> y; m <-> y")
    assumptions = ("monotone: x -> y",)
    quantity = asked("P(y[x=0, m=1]=0, y[x=1, m=1]=1)", diagram)
    ground = ground_of(diagram, manipulable=("x", "m"))
    assert identify_counterfactual(ground, quantity) is None
    estimand, _, _ = identify_counterfactual(replace(ground, assumptions=assumptions), quantity)
    assert str(estimand) == "P(y=0 | do(x=0, m=1)) - P(y=0 | do(x=1, m=1))"


def test_without_a_diagram_other_variables_must_be_held():
    """A third variable may carry an effect, unless it is set; with two variables none can."""
    two, three = {"x": ("0", "1"), "y": ("0", "1")}, dict.fromkeys("xyz", ("0", "1"))
    assumptions = ("monotone: x -> y",)

    def verdict(labels, text):
        ((_, quantity),) = parse(text, Vocabulary(labels)).terms
        none = dict.fromkeys(labels)
        return identify_undrawn(labels, none, frozenset(labels), quantity, assumptions) is not None

    assert verdict(two, "PNS(x: 0 -> 1; y=1)")
    assert not verdict(three, "PNS(x: 0 -> 1; y=1)")
    assert verdict(three, "P(y[x=0, z=1]=0, y[x=1, z=1]=1)")
    assert verdict(three, "P(y[x=0, z=1]=0, y[x=1, z=1]=1 | z=1)") is False


def test_what_holds_in_every_world_without_a_diagram():
    """Composition and consistency; the last for two values, or for the event X != x."""
    labels = {"x": ("0", "1"), "y": ("0", "1"), "t": ("0", "1", "2")}
    numbers = {"x": None, "y": (0.0, 1.0), "t": None}

    def found(text, manipulable=("x", "t")):
        ((_, quantity),) = parse(text, Vocabulary(labels)).terms
        result = identify_undrawn(labels, numbers, frozenset(manipulable), quantity)
        return None if result is None else (str(result[0]), result[1])

    assert found("P(y[x=1]=1 | x=1)", ()) == ("P(y=1 | x=1)", "axioms")
    assert found("P(y[t=t[x=1], x=1]=1)") == ("P(y=1 | do(x=1))", "axioms")
    assert found("P(y[x=1]=1 | x=0)") == (
        "(P(y=1 | do(x=1)) - P(x=1, y=1)) / P(x=0)",
        "consistency",
    )
    assert found("E[y[x=1] | x=0]") == ("(P(y=1 | do(x=1)) - P(x=1, y=1)) / P(x=0)", "consistency")
    assert found("P(y[t=1]=1 | t != 1)")[1] == "consistency"
    assert found("P(y[t=1]=1 | t=0)") is None
    assert found("P(y[x=1]=1 | x=0)", ()) is None
    assert found("P(y[x=1]=1 | t=0)") is None


def test_undrawn_refusals():
    """The same errors as with a diagram."""
    labels = {"x": ("0", "1"), "y": ("0", "1")}
    with pytest.raises(AccessError, match="hidden or does not exist"):
        identify_undrawn(labels, {}, frozenset(), parse("E[u[x=1]]").terms[0][1])
    with pytest.raises(ZeroProbabilityError, match="can't happen"):
        identify_undrawn(labels, {}, frozenset(), parse("P(y=1 | x=1, x=0)").terms[0][1])


def test_signs_are_read_from_assumptions():
    """Monotone and antitone edges count; couplings say something else."""
    texts = ("antitone: a -> b", "coupling:y=monotone", "monotone: x -> y")
    assert signs_of(texts) == {("a", "b"): -1, ("x", "y"): 1}
