"""The agent that fits the shown diagram."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causalbench.agent.model_based import ModelDiagram
from causalbench.agent.protocol import Clock
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.scm.couplings import couple
from causalbench.task.answer import Abstain, Choice, Estimate, Interval
from causalbench.truth import value

PN = "P(y[x=0]=0 | x=1, y=1)"


def _say(dossier, question, **options):
    agent = ModelDiagram(**options)
    agent.study(dossier, None, rng=np.random.default_rng(0), clock=Clock())
    return agent.answer(question, rng=np.random.default_rng(1))


def test_shown_mechanisms_are_used_as_they_are(made):
    """On every rung the answer is the engine's in the shown world."""
    for seed in range(5):
        scm = made.world(seed, hidden=1)
        x, y = scm.visible[:2]
        for query in (f"P({y}=1 | {x}=0)", f"P({y}=1 | do({x}=0))", f"P({y}[{x}=0]=1 | {x}=1)"):
            expected = value(scm, query)
            assert expected == _say(made.mechanisms_dossier(scm), made.ask(query)).value


def test_back_door_effect_is_exact(made):
    """With z seen, P(y=1 | do(x=1)) is .55, hand-computed, where seeing says .76."""
    found = _say(made.diagram_dossier(made.confounded_pair()), made.ask("P(y=1 | do(x=1))"))
    assert found.value == pytest.approx(0.55, abs=1e-12)


def test_every_effect_in_an_open_world_is_exact(made):
    """Without hidden causes every effect is identified, and computed to round-off."""
    for seed in range(5):
        scm = made.world(seed, cards=(2, 3))
        for query in made.effects(scm):
            expected = value(scm, query)
            found = _say(made.diagram_dossier(scm), made.ask(query))
            assert expected == pytest.approx(found.value, abs=1e-12)


def test_a_bow_is_called_unidentified(made):
    """X -> y with x <-> y: fitted worlds disagree, and the agent answers with their range."""
    scm = made.make({"u": (), "x": ("u",), "y": ("x", "u")}, hidden=("u",), seed=3)
    found = _say(made.diagram_dossier(scm), made.ask("P(y=1 | do(x=1))"))
    assert isinstance(found, Interval)
    assert found.low <= value(scm, "P(y=1 | do(x=1))") <= found.high
    assert found.high - found.low >= 0.1


@pytest.mark.parametrize("coupling", ["monotone", {"antitone": {"in": "x"}}, "independent"])
def test_a_named_coupling_settles_rung_3(made, coupling):
    """Told the coupling, the agent gives the exact probability of necessity."""
    base = made.confounded_pair()
    table = base.mechanism("y").cpt(2)
    scm = base.replace(mechanisms={"y": couple(table, coupling, ("z", "x"))})
    text = coupling if isinstance(coupling, str) else '{"antitone": {"in": "x"}}'
    named = [("z", "monotone"), ("x", "monotone"), ("y", text)]
    expected = value(scm, PN)
    found = _say(made.diagram_dossier(scm, single=True, couplings=named), made.ask(PN))
    assert expected == pytest.approx(found.value, abs=1e-9)


def test_without_couplings_rung_3_is_not_identified(made):
    """No law below rung 3 settles the probability of necessity of this world."""
    found = _say(made.diagram_dossier(made.confounded_pair(), single=True), made.ask(PN))
    assert isinstance(found, Interval)
    assert found.high - found.low >= 0.1


def test_rung_3_form_with_rung_2_content_is_answered(made):
    """ETT under no confounding by hidden causes is identified: every coupling gives the same."""
    scm = made.confounded_pair()
    query = "P(y[x=0]=1 | x=1)"
    expected = value(scm, query)
    found = _say(made.diagram_dossier(scm, single=True), made.ask(query))
    assert expected == pytest.approx(found.value, abs=1e-9)


def test_decisions_take_the_best_action(made):
    """The action with the larger effect is chosen: P(y=1 | do(x=1)) = .55 against .45."""
    question = made.ask(
        "argmax a in {x=0, x=1}: P(y=1 | do(a))", kind="act", actions=("x=0", "x=1")
    )
    assert Choice("x=1") == _say(made.diagram_dossier(made.confounded_pair()), question)


def test_rows_stand_in_for_the_law(made):
    """From n rows the effect is within five standard errors, 5 x sqrt(.25 / (n / 4)).

    Two strata of z are averaged; at x=1 the smaller has a tenth of the rows, so n / 4 rows bound
    the variance (.5^2 x .16 x 10 / n + .5^2 x .09 x 2.5 / n is .46 / n, below 1 / n).
    """
    scm, n = made.confounded_pair(), 4000
    drawn = scm.draw(n, rng=np.random.default_rng(1))
    rows = np.stack([drawn[name] for name in scm.visible], axis=1)
    found = _say(made.diagram_dossier(scm, rows=rows), made.ask("P(y=1 | do(x=1))"))
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(0.55, abs=5 * math.sqrt(1 / n))


def test_a_shown_linear_world_is_answered_exactly(made):
    """With mechanisms shown, real variables are no obstacle: E[y | do(x=2)] = 2 x 3 + 1."""
    scm = SCM(
        {"x": Variable("x", None), "y": Variable("y", None)},
        {
            "x": LinearMechanism((), np.array([]), 0.0, 1.0),
            "y": LinearMechanism(("x",), np.array([3.0]), 1.0, 1.0),
        },
    )
    found = _say(made.mechanisms_dossier(scm), made.ask("E[y | do(x=2)]"))
    assert found.value == pytest.approx(7.0)


def test_an_impossible_condition_is_abstained_from(made):
    """A condition of probability zero has no answer, and none is made up."""
    scm = made.confounded_pair().do(z="0")
    found = _say(made.mechanisms_dossier(scm), made.ask("P(y=1 | z=1)"))
    assert isinstance(found, Abstain)
    assert not found.unidentified


def test_answers_are_the_same_twice(made):
    """The same generators give the same answer where a fit is random."""
    shape = {"u": (), "x": ("u",), "m": ("x",), "y": ("m", "u")}
    dossier = made.diagram_dossier(made.make(shape, hidden=("u",), seed=1))
    question = made.ask("P(y=1 | do(x=1))")
    assert _say(dossier, question) == _say(dossier, question)
