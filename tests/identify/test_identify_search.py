"""Verdicts on random diagrams: ID and IDC, Q-factors, and numbers alone must agree."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from identify_builders import (
    ground_of,
    random_diagram,
    random_effect,
    random_question,
    world_of,
    world_with_zeros,
)
from witness_search import Family, Search, effect_query, settles

import causalbench as cb
from causalbench.errors import PositivityError, ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.query import Query, parse
from causalbench.truth.identify.formula import bind
from causalbench.truth.identify.interventional import identify_effect, why_not
from causalbench.truth.identify.mixed import Mixed, bits
from causalbench.truth.identify.shpitser import HedgeError, id_conditional, id_joint
from causalbench.truth.identify.simplify import simplify
from causalbench.truth.identify.tian import factor_joint, tian_identify
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.permitted import Permitted


def draws(seed, number, *, bows=6):
    """Yield random diagrams with up to 6 nodes, each with a question and a generator."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        nodes = int(rng.integers(2, 7))
        diagram = random_diagram(rng, nodes, rng.choice([0.3, 0.5, 0.7]), rng.choice([0.15, 0.4]))
        if len(diagram.bidirected) <= bows:
            yield diagram, random_effect(rng, diagram.nodes, conditions=2), rng


def some(rng, diagram):
    """Draw one or two variables to experiment on."""
    size = min(int(rng.integers(1, 3)), len(diagram.nodes))
    return tuple(sorted(rng.choice(diagram.nodes, size=size, replace=False).tolist()))


def truth_of(scm, quantity):
    """Return the exact value."""
    return cb.truth(scm, Query(((1.0, quantity),))).value


def test_the_verdict_from_what_is_seen_is_that_of_numbers():
    """IDC finds an estimand exactly where no second model with equal laws is in sight."""
    verdicts = []
    for diagram, quantity, rng in draws(1, 300):
        found = identify_effect(ground_of(diagram), quantity) is not None
        assert (diagram, quantity, found) == (
            diagram,
            quantity,
            settles(diagram, [()], quantity, rng),
        )
        verdicts.append(found)
    assert min(verdicts.count(True), verdicts.count(False)) > 40


def test_the_verdict_from_experiments_is_that_of_numbers():
    """Likewise by gID with conditions."""
    verdicts = []
    for diagram, quantity, rng in draws(2, 160, bows=5):
        able = some(rng, diagram)
        sets = [s for size in range(len(able) + 1) for s in combinations(able, size)]
        found = identify_effect(ground_of(diagram, manipulable=able), quantity) is not None
        assert (diagram, quantity, able, found) == (
            diagram,
            quantity,
            able,
            settles(diagram, sets, quantity, rng),
        )
        verdicts.append(found)
    assert min(verdicts.count(True), verdicts.count(False)) > 5


@pytest.mark.parametrize("able", [False, True])
def test_estimands_evaluate_to_the_truth(able):
    """Exactly, in random worlds with the diagram, whatever the diagram's size."""
    values, truths = [], []
    for diagram, quantity, rng in draws(3 + able, 300, bows=99):
        manipulable = some(rng, diagram) if able else None
        knowledge = Knowledge("do" if able else "see", "diagram", manipulable=manipulable)
        permitted = Permitted(world_of(diagram, rng), knowledge)
        estimand = identify_effect(permitted.ground, quantity)
        if estimand is not None:
            values.append(estimand.evaluate(permitted))
            truths.append(truth_of(permitted._scm, quantity))
    assert len(values) > 200
    assert values == pytest.approx(truths, abs=1e-9)


def test_with_zeros_an_estimand_is_true_or_says_nothing():
    """In worlds full of zeros, whatever value comes out is the truth, where there is one."""
    counts = {"true": 0, "nothing": 0}
    for diagram, quantity, rng in draws(8, 400):
        permitted = Permitted(world_with_zeros(diagram, rng), Knowledge("see", "diagram"))
        estimand = identify_effect(permitted.ground, quantity)
        if estimand is None:
            continue
        try:
            value = estimand.evaluate(permitted)
        except PositivityError:
            counts["nothing"] += 1
            continue
        try:
            truth = truth_of(permitted._scm, quantity)
        except ZeroProbabilityError:
            continue
        assert value == pytest.approx(truth, abs=1e-9)
        counts["true"] += 1
    assert counts["true"] > 150
    assert counts["nothing"] > 15


def answer(call):
    """Return a number, or "zero" where the condition never happens."""
    try:
        return call()
    except ZeroProbabilityError:
        return "zero"


def test_questions_of_every_form_are_answered_as_the_engine_does():
    """Comparisons, means, overlaps: the truth, and a condition of probability zero is refused."""
    rng = np.random.default_rng(9)
    numbers = 0
    for _ in range(250):
        diagram = random_diagram(rng, int(rng.integers(2, 5)), 0.5, 0.2)
        scm = world_of(diagram, rng, cards=(3,), hidden_card=2)
        permitted = Permitted(scm, Knowledge("see", "diagram"))
        quantity = random_question(rng, diagram.nodes)
        estimand = answer(lambda p=permitted, q=quantity: identify_effect(p.ground, q))
        if estimand is None:
            continue
        truth = answer(lambda s=scm, q=quantity: truth_of(s, q))
        if "zero" in {estimand, truth}:
            assert estimand == truth
            continue
        numbers += 1
        assert estimand.evaluate(permitted) == pytest.approx(truth, abs=1e-9)
    assert numbers > 150


def conditional(graph, quantity, joint):
    """Return the formula that a joint algorithm gives for a conditional quantity, or None."""
    y, z = (graph.mask(a.term.variable for a in part) for part in (quantity.event, quantity.given))
    x = graph.mask(name for name, _ in quantity.event[0].term.subscript)
    try:
        return id_conditional(graph, y, x, z, joint)
    except HedgeError:
        return None


def test_id_and_q_factors_agree():
    """Two algorithms: the same verdict, and equal values at a point with all values named."""
    identified = 0
    for diagram, quantity, rng in draws(5, 300, bows=99):
        graph = Mixed(diagram)
        first, second = (conditional(graph, quantity, how) for how in (id_joint, factor_joint))
        assert (first is None) == (second is None)
        if first is None:
            continue
        identified += 1
        permitted = Permitted(world_of(diagram, rng), Knowledge("see", "diagram"))
        at = {node: str(rng.integers(2)) for node in bits(graph.everything)}
        for atom in (*quantity.event, *quantity.given):
            at[graph.index[atom.term.variable]] = atom.value
        for name, label in quantity.event[0].term.subscript:
            at[graph.index[name]] = label
        values = [
            simplify(bind(formula, graph, at)).evaluate(permitted) for formula in (first, second)
        ]
        assert values == pytest.approx([truth_of(permitted._scm, quantity)] * 2, abs=1e-9)
    assert identified > 150


def test_simplifying_changes_no_value():
    """The estimand before and after, in random worlds."""
    checked = 0
    for diagram, quantity, rng in draws(6, 100, bows=99):
        graph = Mixed(diagram)
        formula = conditional(graph, quantity, id_joint)
        if formula is None:
            continue
        checked += 1
        permitted = Permitted(world_of(diagram, rng), Knowledge("see", "diagram"))
        at = {node: str(rng.integers(2)) for node in bits(graph.everything)}
        plain = bind(formula, graph, at)
        values = [plain.evaluate(permitted), simplify(plain).evaluate(permitted)]
        assert values[0] == pytest.approx(values[1], abs=1e-12)
    assert checked > 40


@pytest.mark.parametrize(
    ("diagram", "target", "given", "estimand"),
    [
        ("x -> y; x <-> y", "y", None, None),
        ("x -> y; x <-> y", "y", "y", "P(y | do(x))"),
        ("x -> m; m -> y; x <-> y", "y", None, "sum_{x'} P(y | x', m) P(x')"),
        ("x -> m; m -> y; x <-> y", "m", None, "P(m | x)"),
        ("z -> x; x -> y; z <-> x", "zx", None, "P(z, x)"),
    ],
)
def test_q_factors_by_hand(diagram, target, given, estimand):
    """Q[C] from the law that is seen, or from another Q-factor, as a function of all values."""
    found = tian_identify(Diagram.parse(diagram), target, given)
    assert (None if found is None else str(found)) == estimand


def test_every_failure_has_a_hedge():
    """A reason is given exactly where there is no estimand."""
    for diagram, quantity, _ in draws(7, 200, bows=99):
        ground = ground_of(diagram)
        missing = identify_effect(ground, quantity) is None
        assert missing == (why_not(ground, quantity) is not None)


@pytest.mark.parametrize(
    "diagram",
    [
        "x -> y; x <-> y",
        "z -> x; x -> y; x <-> y",
        "x -> m; m -> y; x <-> y; x <-> m",
        "x -> m; m -> y; x <-> y; m <-> y",
    ],
)
def test_two_worlds_witness_what_is_not_identified(diagram):
    """Bow, instrument and front doors with another latent: equal laws, another effect."""
    parsed = Diagram.parse(diagram)
    ((_, quantity),) = parse("P(y=1 | do(x=1))").terms
    family = Family(parsed)
    search = Search(family, [()], effect_query(family, quantity))
    theta = family.draw(np.random.default_rng(0))
    other = search.witness(theta)
    assert np.abs(search.laws(other)[0] - search.laws(theta)[0]).max() <= 1e-12
    assert abs(search.query(other)[0] - search.query(theta)[0]) > 1e-3


def test_the_napkin_leaves_no_leeway():
    """And the M: numbers alone say that both effects are settled."""
    ((_, quantity),) = parse("P(y=1 | do(x=1))").terms
    rng = np.random.default_rng(0)
    for text in ("w -> z; z -> x; x -> y; w <-> x; w <-> y", "x -> y; x <-> z; z <-> y"):
        assert settles(Diagram.parse(text), [()], quantity, rng)


def test_one_hidden_variable_may_serve_a_clique():
    """Three bidirected edges in a triangle and one beside it: two hidden variables, not four."""
    diagram = Diagram.parse("x <-> y; y <-> z; x <-> z; z <-> w")
    hidden = [Family(diagram, cliques=True).latents, Family(diagram).latents]
    assert [sorted(map(len, groups.values())) for groups in hidden] == [[2, 3], [2, 2, 2, 2]]


@pytest.mark.parametrize("text", ["P(y[x=1]=1 | x=0)", "P(y=1 | do(x=1))", "P(y[x=1]=1, y[x=0]=0)"])
def test_the_families_laws_are_the_engines(text):
    """A family's probability, rung 3 included, is that of the engine in the same world."""
    diagram = Diagram.parse("z -> x; z -> y; x -> y; x <-> y")
    family = Family(diagram, states=2, responses=True)
    theta = family.draw(np.random.default_rng(0))
    ((_, quantity),) = parse(text).terms
    assert effect_query(family, quantity)(theta)[0] == pytest.approx(
        truth_of(family.scm(theta), quantity), abs=1e-12
    )


def test_the_families_slopes_are_those_of_small_steps():
    """Derivatives by one factor left out agree with central differences."""
    diagram = Diagram.parse("z -> x; z -> y; x -> y; x <-> y")
    family = Family(diagram, states=2, responses=True)
    rng = np.random.default_rng(0)
    theta = family.draw(rng)
    ((_, quantity),) = parse("P(y[x=1]=1, y[x=0]=0 | z=0)").terms
    query = effect_query(family, quantity)
    step = 1e-5 * rng.normal(size=family.size)
    difference = (query(theta + step)[0] - query(theta - step)[0]) / 2
    # The third derivative leaves about |step|^3.
    assert query(theta)[1] @ step == pytest.approx(difference, abs=10 * np.linalg.norm(step) ** 3)
