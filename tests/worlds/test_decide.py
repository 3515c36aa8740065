"""Decisions: the table route equals the query route, and illegal decisions are named."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench.errors import AnswerError, WorldError, ZeroProbabilityError
from causalbench.query import parse
from causalbench.scm import SCM
from causalbench.task.decide import (
    decision_query,
    decision_values,
    evidence_probability,
    observation_key,
    observations,
    policy_value,
)
from causalbench.task.legal import redo_problem
from causalbench.task.types import UNSEEN, Decision
from causalbench.task.world import list_worlds, load_world
from causalbench.truth import truth, value

NAMES = ("u", "x", "m", "y")
BINARY = ("0", "1")


def random_scm(seed):
    """Build u -> x -> m -> y with u -> y and x -> y, u hidden; m has three values."""
    rng = np.random.default_rng(seed)
    cards = {"u": 2, "x": 2, "m": 3, "y": 2}
    parents = {"u": [], "x": ["u"], "m": ["x"], "y": ["u", "x", "m"]}
    mechanisms = {}
    for name in NAMES:
        shape = [cards[parent] for parent in parents[name]]
        noise = rng.dirichlet(np.ones(4))
        table = rng.integers(cards[name], size=(4, *shape))
        mechanisms[name] = {
            "parents": parents[name],
            "noise": (noise / noise.sum()).tolist(),
            "table": table.tolist(),
        }
    variables = {
        name: {"values": [str(i) for i in range(cards[name])], "hidden": name == "u"}
        for name in NAMES
    }
    return SCM.from_dict({"schema": 1, "variables": variables, "mechanisms": mechanisms})


def brute_force(scm, decision):
    """Value a decision by going through every unit: the independent engine."""
    mechanisms = [scm.mechanism(name) for name in scm.names]
    grid = list(itertools.product(*(range(len(m.noise)) for m in mechanisms)))
    weights = [
        np.prod([m.noise[code] for m, code in zip(mechanisms, codes, strict=True)])
        for codes in grid
    ]

    def outcome(codes, label):
        do = {} if label == "pass" else dict(part.split("=") for part in label.split(", "))
        unit = dict(zip(scm.names, codes, strict=True))
        solved = scm.solve(unit, do)
        return {name: scm.variable(name).label(int(code)) for name, code in solved.items()}

    def utility(result, label):
        if decision.mode == "bet":
            return float(all(result[k] == v for k, v in [label.split("=")]))
        return sum(w for w, event in decision.utility if result[event.split("=")[0]] == event[-1])

    seen = decision.observes or tuple(name for name, _ in decision.given or ())
    mass, worth = {}, {}
    for codes, weight in zip(grid, weights, strict=True):
        facts = outcome(codes, decision.factual if decision.mode == "redo" else "pass")
        key = tuple(facts[name] for name in seen)
        if decision.given and key != tuple(dict(decision.given)[name] for name in seen):
            continue
        mass[key] = mass.get(key, 0) + weight
        for label in decision.actions:
            result = facts if decision.mode == "bet" else outcome(codes, label)
            index = key, label
            worth[index] = worth.get(index, 0) + weight * utility(result, label)
    low, high = decision.bounds
    return {
        key: [(worth[key, label] / total - low) / (high - low) for label in decision.actions]
        for key, total in mass.items()
        if total > 0
    }, mass


DECISIONS = [
    Decision("b", "bet", ("y=0", "y=1"), observes=("m",)),
    Decision("b0", "bet", ("m=0", "m=1", "m=2")),
    Decision("a", "act", ("pass", "m=1", "m=2"), ((1.0, "y=1"), (-0.3, "m=2")), ("x",)),
    Decision("a0", "act", ("x=0", "x=1", "m=0, x=1"), ((-1.0, "y=0"), (0.2, "x=1"))),
    Decision("r", "redo", ("pass", "x=0", "x=1"), ((1.0, "y=1"), (-0.4, "m=0")), ("x", "y")),
    Decision("rf", "redo", ("pass", "x=0", "x=1"), ((1.0, "y=1"),), ("m", "y"), factual="x=0"),
    Decision("rg", "redo", ("pass", "m=0"), ((1.0, "y=1"), (0.1, "x=1")), given=(("y", "0"),)),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: d.id)
@pytest.mark.parametrize("seed", range(5))
def test_values_agree_with_units(decision, seed):
    """The table's values and weights agree with going through every unit, to 1e-12."""
    scm = random_scm(seed)
    expected, mass = brute_force(scm, decision)
    rows = decision_values(scm, decision, readings=False)
    found = {tuple(row.observation.values()): row for row in rows}
    assert set(found) == set(expected)
    for key, values in expected.items():
        assert found[key].values.tolist() == pytest.approx(values, abs=1e-12)
        weight = 1.0 if decision.given else mass[key]
        assert found[key].weight == pytest.approx(weight, abs=1e-12)


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: d.id)
def test_values_agree_with_queries(decision):
    """The table's values are those of the decision's query, and so is the best action."""
    scm = random_scm(11)
    for row in decision_values(scm, decision):
        found = truth(scm, decision_query(decision, row.observation))
        scaled = [decision.scale(raw) for raw in found.values.values()]
        assert row.values.tolist() == pytest.approx(scaled, abs=1e-12)
        assert tuple(found.values) == decision.actions
        assert row.readings["imagine"] == found.value
        assert decision.actions[int(np.round(row.values, 12).argmax())] == found.value


@pytest.mark.parametrize("name", list_worlds())
def test_weights_sum_to_one(name):
    """The observations of a decision carry all probability."""
    world = load_world(name)
    for decision in world.decisions:
        total = sum(weight for _, weight in observations(world.scm, decision))
        assert total == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("decision", "observation", "expected"),
    [
        (
            Decision("b", "bet", ("rain=yes", "rain=no"), observes=("umbrella",)),
            {"umbrella": "no", "wet": UNSEEN},
            "argmax b in {rain=yes, rain=no}: P(b | umbrella=no)",
        ),
        (Decision("b", "bet", ("b=1", "b=0")), {}, "argmax choice in {b=1, b=0}: P(choice)"),
        (
            Decision("a", "act", ("pass", "x=1"), ((-1.0, "y=1"), (0.5, "x=1")), ("z",)),
            {"z": "1"},
            "argmax a in {pass, x=1}: -P(y=1 | do(a), z=1) + 0.5*P(x=1 | do(a), z=1)",
        ),
        (
            Decision("r", "redo", ("pass", "x=1, z=0"), ((1.0, "y=1, w=0"),), factual="x=0"),
            {"y": "0"},
            "argmax a in {pass, (x=1, z=0)}: P(y[a]=1, w[a]=0 | y[x=0]=0)",
        ),
        (
            Decision("q", "act", ('"odd name"="<5"', "pass"), ((1.0, '"odd name"="<5"'),)),
            {},
            'argmax a in {"odd name"="<5", pass}: P("odd name"="<5" | do(a))',
        ),
    ],
)
def test_decision_query(decision, observation, expected):
    """A decision is written as an argmax, which parses, whatever its names."""
    text = decision_query(decision, observation)
    assert text == expected
    assert str(parse(str(parse(text)))) == str(parse(text))
    assert parse(text).labels == decision.actions


@pytest.mark.parametrize("name", list_worlds())
def test_queries_of_decisions_are_in_normal_form(name):
    """A decision's query is stored as the query room would write it."""
    world = load_world(name)
    for decision in world.decisions:
        for seen, _ in observations(world.scm, decision):
            text = decision_query(decision, seen)
            assert parse(str(parse(text, world.vocabulary))) == parse(text, world.vocabulary)


def test_rungs_of_modes():
    """A bet is rung 1, an act rung 2, a redo rung 3."""
    world = load_world("umbrella-rain")
    rungs = [
        parse(decision_query(world.decision(name), seen), world.vocabulary).rung
        for name, seen in [("bet", {"umbrella": "no"}), ("act-cheap", {}), ("redo-dear", None)]
    ]
    assert rungs == [1, 2, 3]


def test_impossible_observations_are_left_out():
    """In the casino the inclination and the machine played always agree."""
    world = load_world("greedy-casino")
    decision = Decision("b", "bet", ("payout=yes", "payout=no"), observes=("inclination", "play"))
    seen = [tuple(o.values()) for o, _ in observations(world.scm, decision)]
    assert seen == [("one", "one"), ("two", "two")]


def test_stated_evidence_that_never_happens():
    """A stated observation of probability zero raises."""
    world = load_world("greedy-casino")
    facts = (("inclination", "one"), ("play", "two"))
    decision = Decision("r", "redo", ("pass", "play=one"), ((1.0, "payout=yes"),), given=facts)
    with pytest.raises(ZeroProbabilityError, match="never happens"):
        decision_values(world.scm, decision)
    with pytest.raises(ZeroProbabilityError, match="never happens"):
        evidence_probability(world.scm, decision)


def test_redo_after_nature_and_after_being_sent_differ():
    """Greedy casino: P(Y_1 | e = (0, 0)) is .453 after the natural course, .336 after do(0)."""
    world = load_world("greedy-casino")
    worth = {}
    for name in ("redo", "redo-after-being-sent"):
        decision = world.decision(name)
        (row,) = decision_values(world.scm, decision)
        low, high = decision.bounds
        worth[name] = low + row.values[1] * (high - low) + 0.4  # without the price of machine two
    assert worth["redo"] == pytest.approx(0.77 / 1.7, abs=1e-12)
    assert worth["redo-after-being-sent"] == pytest.approx(0.94 / 2.8, abs=1e-12)


def test_redo_after_both_courses_calls_for_other_actions():
    """Greedy casino: switch after losing by inclination, stay after losing where one was sent."""
    world = load_world("greedy-casino")
    best = {}
    for name in ("redo", "redo-after-being-sent"):
        (row,) = decision_values(world.scm, world.decision(name))
        best[name] = row.readings["imagine"]
    assert best == {"redo": "play=two", "redo-after-being-sent": "play=one"}


def test_best_policies_of_the_casino():
    """Greedy casino: the best policy that sees the inclination earns .45, one that doesn't .30."""
    world = load_world("greedy-casino")
    seeing = world.decision("act")
    against = {(("inclination", "one"),): "play=two", (("inclination", "two"),): "play=one"}
    assert policy_value(world.scm, seeing, against) == pytest.approx(0.45, abs=1e-12)
    assert policy_value(world.scm, seeing, lambda _: "play=one") == pytest.approx(0.3, abs=1e-12)
    assert policy_value(world.scm, seeing, lambda _: "pass") == pytest.approx(0.15, abs=1e-12)


def test_policy_value_of_the_best_policy():
    """The value of the best policy is the weighted sum of the best values."""
    scm = random_scm(3)
    for decision in DECISIONS:
        rows = decision_values(scm, decision, readings=False)
        best = {
            observation_key(row.observation): decision.actions[int(row.values.argmax())]
            for row in rows
        }
        expected = sum(row.weight * row.values.max() for row in rows)
        assert policy_value(scm, decision, best) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("policy", [{}, lambda _: "jump"])
def test_policy_without_a_legal_action(policy):
    """A policy that lacks an observation, or names no action, raises."""
    with pytest.raises(AnswerError, match="the policy answers"):
        policy_value(random_scm(0), DECISIONS[2], policy)


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (Decision("d", "act", ("pass", "x=1"), ((1.0, "y=1"),), ("y",)), "'y' is an effect"),
        (Decision("d", "act", ("pass", "x=1"), ((1.0, "y=1"),), ("m",)), "'m' is an effect"),
        (Decision("d", "act", ("pass", "x=1"), ((1.0, "y=1"),), ("x",)), "that is intent"),
        (Decision("d", "act", ("pass", "m=1"), ((1.0, "y=1"),), ("u",)), "'u' is hidden"),
        (Decision("d", "act", ("pass", "u=1"), ((1.0, "y=1"),)), "'u' is hidden"),
        (Decision("d", "act", ("pass", "x=1"), ((1.0, "u=1"),)), "'u' is hidden"),
        (Decision("d", "act", ("pass", "x=9"), ((1.0, "y=1"),)), "'9'"),
        (Decision("d", "act", ("pass", "q=1"), ((1.0, "y=1"),)), "'q'"),
        (Decision("d", "act", ("pass", "m=1"), ((1.0, "y=1"),), ("q",)), "no variable 'q'"),
        (Decision("d", "act", ("x=1", "x=1"), ((1.0, "y=1"),)), "each once"),
        (Decision("d", "act", ("pass", "x=1"), ((0.0, "y=1"),)), "all weights are zero"),
        (Decision("d", "act", ("pass", "m=1"), ((1.0, "y=1"),), ("x", "x")), "observed twice"),
        (Decision("d", "act", ("pass", "x=1"), ((1.0, "y[x=0]=1"),)), "realised"),
        (Decision("d", "bet", ("pass", "y=1")), "'pass' is no bet"),
        (Decision("d", "act", ("pass", "x=1, m=0"), ((1.0, "y=1"),)), "as 'm=0, x=1'"),
        (Decision("d", "act", ("pass", "x = 1"), ((1.0, "y=1"),)), "as 'x=1'"),
        (Decision("d", "bet", ("y=1", "y = 0")), "as 'y=0'"),
        (
            Decision("d", "redo", ("pass", "x=1"), ((1.0, "y=1"),), ("x",), (("y", "0"),)),
            "must state exactly",
        ),
        (Decision("d", "redo", ("pass", "x=1"), ((1.0, "y=1"),), (), (("y", "7"),)), "'7'"),
    ],
)
def test_illegal_decision_is_named(decision, told):
    """An illegal decision raises a WorldError that names it and what is wrong."""
    with pytest.raises(WorldError, match="decision 'd'") as caught:
        decision_values(random_scm(0), decision)
    assert told in str(caught.value)


def test_linear_worlds_have_no_decisions():
    """A decision in a linear world is refused."""
    world = load_world("salary")
    with pytest.raises(WorldError, match="discrete"):
        decision_values(world.scm, Decision("d", "bet", ("salary=1", "salary=2")))


@pytest.mark.parametrize(
    ("decision", "trivial"),
    [
        (Decision("r", "redo", ("pass", "x=1"), ((1.0, "y=1"),), ("x", "y")), True),
        (Decision("r", "redo", ("pass", "x=1"), ((1.0, "y=1"),), ("x",)), False),
        (Decision("r", "redo", ("pass", "x=1"), ((1.0, "y=1"), (0.1, "x=1")), ("x", "y")), False),
        (Decision("r", "redo", ("pass", "x=1", "x=0"), ((1.0, "y=1"),), ("x", "y")), False),
        (Decision("a", "act", ("pass", "x=1"), ((1.0, "y=1"),)), False),
    ],
)
def test_redo_rule(decision, trivial):
    """A redo needs two other actions, a cost of switching, or an outcome partly unseen."""
    assert (redo_problem(decision) is not None) == trivial


def test_values_lie_in_the_unit_interval():
    """Scaled values are in [0, 1], the scale of losses and rewards."""
    for name in list_worlds():
        world = load_world(name)
        for decision in world.decisions:
            for row in decision_values(world.scm, decision, readings=False):
                assert row.values.min() >= -1e-15
                assert row.values.max() <= 1 + 1e-15


def test_bet_pays_what_is_probable():
    """A bet's value is the probability of its event."""
    world = load_world("sprinkler")
    rows = decision_values(world.scm, world.decision("bet"), readings=False)
    wet = next(row for row in rows if row.observation == {"grass": "wet"})
    expected = value(world, "P(rain=yes | grass=wet)")
    assert wet.values[0] == pytest.approx(expected, abs=1e-15)
