"""The agent that experiments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causalbench.agent.discover import causal_order, effects, without
from causalbench.agent.model_based import ModelLearned
from causalbench.agent.protocol import Clock
from causalbench.query import parse
from causalbench.scm import Variable
from causalbench.scm.couplings import couple
from causalbench.task.answer import Abstain, Choice, Estimate
from causalbench.task.decide import decision_query, decision_values
from causalbench.task.world import load_world
from causalbench.truth import value

RICH = {"rows": 2000, "interventions": 4000, "replays": 4000}


def _study(scm, dossier, made, seed=0, **options):
    agent = ModelLearned(**options)
    lab = made.open_lab(scm, dossier, seed)
    agent.study(dossier, lab, rng=np.random.default_rng(0), clock=Clock())
    return agent, lab


def test_seeing_is_counted(made):
    """P(y=1 | x=1) = .76 within five standard errors of the half of n rows that meet x=1."""
    scm, n = made.confounded_pair(), 4000
    agent, _ = _study(scm, made.lab_dossier(scm, "see", rows=n), made)
    found = agent.answer(made.ask("P(y=1 | x=1)"), rng=None)
    assert found.value == pytest.approx(0.76, abs=5 * math.sqrt(0.25 / (n / 2)))


def test_seeing_does_not_settle_an_effect(made):
    """Under regime see an effect is called unidentified: any of its values fits what is seen."""
    scm = made.confounded_pair()
    agent, _ = _study(scm, made.lab_dossier(scm, "see", rows=500), made)
    found = agent.answer(made.ask("P(y=1 | do(x=1))"), rng=None)
    assert isinstance(found, Abstain)
    assert found.unidentified


@pytest.mark.parametrize("hidden", [(), ("z",)])
def test_doing_is_found_by_experiment(made, hidden):
    """P(y=1 | do(x=1)) = .55, also where the confounder is hidden.

    Of 4,000 interventions 40% are spread over at most six settings, so x=1 has 250 units at least;
    the learned world counts for 20 more and is off by at most .3. Five standard errors and that.
    """
    base = made.confounded_pair()
    scm = base.replace(variables={"z": Variable("z", ("0", "1"), hidden="z" in hidden)})
    agent, _ = _study(scm, made.lab_dossier(scm, "do", rows=500, interventions=4000), made)
    found = agent.answer(made.ask("P(y=1 | do(x=1))"), rng=None)
    assert found.value == pytest.approx(0.55, abs=5 * math.sqrt(0.25 / 250) + 0.3 * 20 / 270)


@pytest.mark.parametrize("coupling", ["monotone", {"antitone": {"in": "x"}}])
def test_replays_tell_couplings_apart(made, coupling):
    """PN is counted in replays: P(y=1, x=1) = .38 of at least 600 units meet the evidence."""
    base = made.confounded_pair()
    table = base.mechanism("y").cpt(2)
    scm = base.replace(mechanisms={"y": couple(table, coupling, ("z", "x"))})
    query = "P(y[x=0]=0 | x=1, y=1)"
    agent, _ = _study(scm, made.lab_dossier(scm, "replay", **RICH), made)
    found = agent.answer(made.ask(query), rng=None)
    bound = 5 * math.sqrt(0.25 / (0.38 * 600)) + 20 / (0.38 * 600 + 20)
    expected = value(scm, query)
    assert expected == pytest.approx(found.value, abs=bound)


def test_a_redo_is_chosen_rightly_in_both_twins(made):
    """In the dear umbrella world the monotone twin passes and the antitone twin seeds."""
    for name, expected in (("umbrella-rain", "pass"), ("umbrella-rain-antitone", "seed=yes")):
        loaded = load_world(name)
        decision = loaded.decision("redo-dear")
        dossier = made.lab_dossier(loaded.scm, "replay", (decision,), **RICH)
        agent, _ = _study(loaded.scm, dossier, made)
        (row,) = decision_values(loaded.scm, decision)
        assert expected == decision.actions[int(np.argmax(row.values))]
        query = decision_query(decision)
        found = agent.answer(made.ask(query, "redo", decision.actions), rng=None)
        assert Choice(expected) == found


def test_the_budget_is_kept_and_nearly_spent(made):
    """All rows are watched; at most one unit a setting of the interventions is left over."""
    scm = made.world(3)
    _, lab = _study(scm, made.lab_dossier(scm, "replay", **RICH), made)
    assert lab.left.rows == 0
    assert lab.left.interventions <= sum(scm.variable(v).cardinality for v in scm.visible)


def test_nothing_to_learn_from_is_abstained_from(made):
    """An empty budget gives no answer, and no crash."""
    scm = made.confounded_pair()
    agent, _ = _study(scm, made.lab_dossier(scm, "see"), made)
    assert isinstance(agent.answer(made.ask("P(y=1 | x=1)"), rng=None), Abstain)


def test_the_same_lab_gives_the_same_answer(made):
    """Nothing random is in the agent itself."""
    scm = made.world(5, hidden=1)
    dossier = made.lab_dossier(scm, "do", rows=300, interventions=900)
    question = made.ask(made.effects(scm)[0])
    said = [_study(scm, dossier, made)[0].answer(question, rng=None) for _ in range(2)]
    assert said[0] == said[1]
    assert isinstance(said[0], Estimate)


def test_hidden_causes_make_no_arrows(made):
    """X <- u -> y: x and y go together, and no experiment moves either."""
    scm = made.make({"u": (), "x": ("u",), "y": ("u",)}, hidden=("u",), seed=2)
    agent, _ = _study(scm, made.lab_dossier(scm, "do", rows=2000, interventions=4000), made)
    assert {"x": set(), "y": set()} == effects(agent._records)


def test_one_unit_that_flips_proves_an_effect(made):
    """Two replays of one unit that differ in y show that x matters, whatever the frequencies."""
    scm = made.confounded_pair()
    agent, _ = _study(scm, made.lab_dossier(scm, "replay", rows=50, replays=400), made)
    assert "y" in effects(agent._records)["x"]


def test_causes_come_first():
    """An ancestor affects more than its descendants."""
    assert causal_order({"c": set(), "a": {"b", "c"}, "b": {"c"}}) == ["a", "b", "c"]


def test_a_subscript_without_effect_is_dropped():
    """y[x=1, w=0] is y[x=1] where w was seen to change nothing of y."""
    (_, quantity), *_ = parse("P(y[x=1, w=0]=1 | w=1)").terms
    (_, expected), *_ = parse("P(y[x=1]=1 | w=1)").terms
    assert expected == without(quantity, {"x": {"y"}, "w": set()})
