"""Every counterfactual estimand equals the exact truth, whatever is permitted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ctf_builders import (
    estimate,
    generic_world,
    knowledge_of,
    random_counterfactual,
    truth_of,
)
from identify_builders import ground_of, random_diagram

from causalbench.errors import AccessError, PositivityError, QueryError, ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.query import Vocabulary, parse
from causalbench.scm import Mechanism
from causalbench.truth import Knowledge
from causalbench.truth.identify.counterfactual import (
    identify_counterfactual,
    identify_counterfactuals,
    why_not,
)
from causalbench.truth.permitted import Permitted


def asked(text, diagram):
    """Return the quantities of a query over binary variables, with their weights."""
    vocabulary = Vocabulary(dict(ground_of(diagram).labels))
    return parse(text, vocabulary).terms


def one(text, diagram):
    """Return the only quantity of a query."""
    ((_, quantity),) = asked(text, diagram)
    return quantity


def identified_text(text, edges, manipulable=()):
    """Return the estimand of a one-quantity query as text, with its method."""
    diagram = Diagram.parse(edges)
    ground = ground_of(diagram, manipulable=manipulable)
    found = identify_counterfactual(ground, one(text, diagram))
    return None if found is None else (str(found[0]), found[1])


@pytest.mark.parametrize(("nodes", "cards", "seed"), [(4, (2, 3), 1), (5, (2,), 2), (6, (2,), 3)])
def test_estimands_equal_the_truth(nodes, cards, seed):
    """Random diagrams, worlds and questions of all kinds: identified values are exact to 1e-9."""
    rng = np.random.default_rng(seed)
    methods = Counter()
    for _ in range(200):
        diagram = random_diagram(rng, nodes, edge=0.6, bow=0.25)
        scm = generic_world(diagram, rng, cards=cards)
        for _ in range(4):
            knowledge = knowledge_of(rng, list(diagram.nodes))
            permitted = Permitted(scm, knowledge)
            quantity = random_counterfactual(rng, diagram, permitted.labels)
            try:
                found = identify_counterfactual(permitted.ground, quantity)
                expected = truth_of(scm, quantity)
            except ZeroProbabilityError:
                continue
            if found is not None:
                methods[found[1]] += 1
                actual = found[0].evaluate(permitted)
                assert actual == pytest.approx(expected, abs=1e-9), (diagram, quantity, found)
    assert {"axioms", "ID*", "IDC*", "ctf-ID", "ctf-IDC"} <= set(methods)
    assert methods.total() > 400


def test_every_expansion_of_every_named_quantity():
    """ETT, ETU, NDE, NIE and the probabilities of causation, where they are identified."""
    texts = [
        "ETT(x: 0 -> 1; y=1)",
        "ETU(x: 0 -> 1; y=1)",
        "NDE(x: 0 -> 1; y=1; m)",
        "NIE(x: 0 -> 1; y=1; m)",
        "PN(x: 0 -> 1; y=1)",
        "PNS(x: 0 -> 1; y=1)",
    ]
    rng = np.random.default_rng(5)
    verdicts = Counter()
    for _ in range(40):
        inner = random_diagram(rng, 4, edge=0.6, bow=0.2)
        rename = dict(zip(inner.order(), ["z", "x", "m", "y"], strict=True))
        diagram = Diagram(
            ["x", "y", "z", "m"],
            [(rename[a], rename[b]) for a, b in inner.directed],
            [(rename[a], rename[b]) for a, b in inner.bidirected],
        )
        scm = generic_world(diagram, rng)
        for text in texts:
            knowledge = knowledge_of(rng, list(diagram.nodes))
            permitted = Permitted(scm, knowledge)
            for _, quantity in asked(text, diagram):
                found = identify_counterfactual(permitted.ground, quantity)
                verdicts[text.split("(")[0], found is not None] += 1
                if found is not None:
                    actual = found[0].evaluate(permitted)
                    assert actual == pytest.approx(truth_of(scm, quantity), abs=1e-9)
    assert all(verdicts[name, True] > 0 for name in ("ETT", "ETU", "NDE", "NIE"))
    assert all(verdicts[name, False] > 0 for name in ("ETT", "NDE", "PN", "PNS"))


@pytest.mark.parametrize(
    ("text", "edges", "manipulable", "expected"),
    [
        # Pearl (2001): the mediation formula.
        (
            "P(y[x=1, m=m[x=0]]=1)",
            "x -> m -> y; x -> y",
            (),
            ("sum_{m} P(m | x=0) P(y=1 | x=1, m)", "ctf-ID"),
        ),
        # Effect on the treated through the front door.
        (
            "P(y[x=0]=1 | x=1)",
            "x -> m -> y; x <-> y",
            (),
            ("sum_{m} P(y=1 | x=1, m) P(m | x=0)", "ctf-IDC"),
        ),
        # The example of IDC* in Shpitser and Pearl (2008).
        (
            "P(y[x=1]=1 | x=0, z[d=1]=1, d=1)",
            "x -> w -> y; d -> z -> y; x <-> y",
            ("x", "w", "d", "z", "y"),
            ("(sum_{w} P(x=0, y=1 | do(w, z=1)) P(w | do(x=1))) / P(x=0)", "IDC*"),
        ),
        # Two values: the effect on the treated from an experiment, by consistency.
        (
            "P(y[x=0]=1 | x=1)",
            "x -> y; x <-> y",
            ("x",),
            ("(P(y=1 | do(x=0)) - P(x=0, y=1)) / P(x=1)", "ctf-IDC, consistency"),
        ),
        # Composition puts a counterfactual back into the world that is seen.
        ("P(y[x=1]=1 | x=1)", "x -> y; x <-> y", (), ("P(y=1 | x=1)", "axioms")),
    ],
)
def test_estimands_of_the_literature(text, edges, manipulable, expected):
    """Published estimands come out as published."""
    assert identified_text(text, edges, manipulable) == expected


@pytest.mark.parametrize(
    ("text", "edges", "manipulable", "reason"),
    [
        (
            "P(y[x=1]=1, y[x=0]=0)",
            "x -> y",
            ("x", "y"),
            "the factor {y[x=1], y[x=0]} asks one mechanism at two settings of x",
        ),
        (
            "P(y[x=1, m=m[x=0]]=1)",
            "x -> m -> y; x -> y; m <-> y",
            ("x", "m", "y"),
            "the factor {m[x=0], y[x=1, m]} needs two values of x at once",
        ),
        (
            "P(y[x=0]=1 | x=1)",
            "x -> y; x <-> y",
            (),
            "the c-factor of {y[x=0]} is not identified from what is permitted",
        ),
    ],
)
def test_what_stands_in_the_way_is_said(text, edges, manipulable, reason):
    """why_not names the factor and the variable."""
    diagram = Diagram.parse(edges)
    assert why_not(ground_of(diagram, manipulable=manipulable), one(text, diagram)) == reason


def test_nothing_stands_in_the_way_of_an_identified_quantity():
    """why_not is None where there is an estimand."""
    diagram = Diagram.parse("x -> y")
    assert why_not(ground_of(diagram), one("P(y[x=1]=1 | x=0)", diagram)) is None


def test_networks_of_many_paths_take_no_longer_to_compare():
    """Eighty variables with two parents each have more paths than there are seconds."""
    names = [f"v{i}" for i in range(80)]
    edges = [
        pair for i in range(2, 80) for pair in ((names[i - 1], names[i]), (names[i - 2], names[i]))
    ]
    ground = ground_of(Diagram(names, [("v0", "v1"), *edges]))
    vocabulary = Vocabulary(dict.fromkeys(names, ("0", "1")))
    query = parse("P(v79[v77=0]=0 | v77=1, v79=1)", vocabulary)
    assert identify_counterfactual(ground, query.terms[0][1]) is None


def test_three_values_of_treatment_have_no_effect_on_the_treated():
    """With |X| = 3, P(y[x] | x') is not identified, but P(y[x] | X != x) is."""
    diagram = Diagram.parse("x -> y; x <-> y")
    ground = ground_of(diagram, manipulable=("x", "y"), card=3)
    vocabulary = Vocabulary(dict(ground.labels))
    ((_, single),) = parse("P(y[x=0]=1 | x=1)", vocabulary).terms
    ((_, rest),) = parse("P(y[x=0]=1 | x != 0)", vocabulary).terms
    assert identify_counterfactual(ground, single) is None
    found = identify_counterfactual(ground, rest)
    scm = generic_world(diagram, np.random.default_rng(3), cards=(3,))
    actual = estimate(scm, Knowledge("do", "diagram"), found[0])
    assert actual == pytest.approx(truth_of(scm, rest), abs=1e-9)


def test_a_value_that_never_happens_is_stepped_around():
    """The napkin holds at every value of z; where z is always 1, the second estimand works."""
    diagram = Diagram.parse("w -> z -> x -> y; w <-> x; w <-> y")
    scm = generic_world(diagram, np.random.default_rng(6))
    always = Mechanism(("w",), np.array([1.0]), np.array([[1, 1]]))
    scm = scm.replace(mechanisms={**scm.mechanisms, "z": always})
    permitted = Permitted(scm, Knowledge("see", "diagram"))
    quantity = one("P(y[x=0]=1)", diagram)
    first, second = [
        estimand for estimand, _, _ in identify_counterfactuals(permitted.ground, quantity)
    ]
    with pytest.raises(PositivityError):
        first.evaluate(permitted)
    assert second.evaluate(permitted) == pytest.approx(truth_of(scm, quantity), abs=1e-9)


def test_impossible_events_and_conditions():
    """An event against effectiveness has probability zero; such a condition is an error."""
    diagram = Diagram.parse("x -> y")
    ground = ground_of(diagram)
    estimand, _, _ = identify_counterfactual(ground, one("P(y[x=1]=1, y[x=1]=0)", diagram))
    assert str(estimand) == "0"
    with pytest.raises(ZeroProbabilityError, match="can't happen"):
        identify_counterfactual(ground, one("P(y=1 | x[x=1]=0)", diagram))


def test_hidden_variables_and_missing_numbers_are_refused():
    """Certificates speak of visible variables; a mean needs numbers."""
    diagram = Diagram.parse("x -> y")
    ground = ground_of(diagram)
    for text in ("P(u[x=1]=1, x=0)", "E[u[x=1] | x=0]", "P(y[u=1]=1, x=0)"):
        ((_, quantity),) = parse(text).terms
        with pytest.raises(AccessError, match="hidden or does not exist"):
            identify_counterfactual(ground, quantity)
    bare = type(ground)(diagram, ground.labels, {"x": None, "y": None})
    with pytest.raises(QueryError, match="gives none"):
        identify_counterfactual(bare, parse("E[y[x=1] | x=0]").terms[0][1])
