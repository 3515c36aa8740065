"""The agent that lets dowhy identify."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.dowhy_agent import DowhyAgent, Estimand, identify
from causalbench.agent.protocol import Clock
from causalbench.graph import Diagram
from causalbench.task.answer import Abstain, Estimate
from causalbench.truth import value


def _say(dossier, *queries, ask):
    agent = DowhyAgent()
    agent.study(dossier, None, rng=np.random.default_rng(0), clock=Clock())
    return [agent.answer(ask(query), rng=np.random.default_rng(1)) for query in queries]


def test_what_it_answers_is_true(made):
    """In random worlds with hidden causes, every estimate is the engine's value, to round-off."""
    answered = 0
    for seed in range(9):
        scm = made.world(seed, hidden=seed % 3, cards=(2, 3))
        x, y, z = scm.visible[:3]
        queries = [
            *made.effects(scm)[:6],
            f"P({y}=1 | do({x}=0), {z}=1)",
            f"P({y}=1 | do({x}=0, {z}=1))",
            f"P({y}=1, {z}=0 | {x}=1)",
        ]
        found = _say(made.diagram_dossier(scm), *queries, ask=made.ask)
        for query, answer in zip(queries, found, strict=True):
            if isinstance(answer, Estimate):
                answered += 1
                expected = value(scm, query)
                assert expected == pytest.approx(answer.value, abs=1e-12), query
    assert answered > 45


def test_the_back_door_is_found():
    """Z -> x -> y, z -> y: adjust for z."""
    diagram = Diagram.parse("z -> x; z -> y; x -> y")
    assert Estimand("adjust", ("z",)) == identify(diagram, frozenset("x"), frozenset("y"))


def test_the_front_door_is_found():
    """X -> m -> y, x <-> y: through m."""
    diagram = Diagram.parse("x -> m -> y; x <-> y")
    assert Estimand("front-door", ("m",)) == identify(diagram, frozenset("x"), frozenset("y"))


def test_a_bow_is_not_identified(made):
    """X -> y with x <-> y: dowhy's id_identifier would answer here, and is not used."""
    scm = made.make({"u": (), "x": ("u",), "y": ("x", "u")}, hidden=("u",))
    (found,) = _say(made.diagram_dossier(scm), "P(y=1 | do(x=1))", ask=made.ask)
    assert isinstance(found, Abstain)
    assert found.unidentified


def test_an_instrument_identifies_nothing(made):
    """Z -> x -> y, x <-> y: an instrument is no non-parametric estimand."""
    shape = {"u": (), "z": (), "x": ("z", "u"), "y": ("x", "u")}
    scm = made.make(shape, hidden=("u",))
    (found,) = _say(made.diagram_dossier(scm), "P(y=1 | do(x=1))", ask=made.ask)
    assert isinstance(found, Abstain)


def test_counterfactuals_are_abstained_from_without_a_claim(made):
    """It does not estimate over two worlds, and does not say that nobody could."""
    dossier = made.diagram_dossier(made.confounded_pair(), single=True)
    (found,) = _say(dossier, "P(y[x=0]=0 | x=1, y=1)", ask=made.ask)
    assert isinstance(found, Abstain)
    assert not found.unidentified


def test_rung_3_form_that_says_rung_1_is_answered(made):
    """P(y[x=1]=1 | x=1) is P(y=1 | x=1) by composition: .76, hand-computed."""
    dossier = made.diagram_dossier(made.confounded_pair())
    (found,) = _say(dossier, "P(y[x=1]=1 | x=1)", ask=made.ask)
    assert found.value == pytest.approx(0.76)


def test_expectations_use_the_numbers(made):
    """E[y | do(x=1)] of a 0/1 variable is P(y=1 | do(x=1)): .55."""
    dossier = made.diagram_dossier(made.confounded_pair())
    (found,) = _say(dossier, "E[y | do(x=1)]", ask=made.ask)
    assert found.value == pytest.approx(0.55)


def test_dowhy_is_kept_quiet(made, capfd, caplog):
    """Nothing of dowhy's log or progress reaches the screen or the caller's log."""
    identify.cache_clear()
    scm = made.make({"u": (), "x": ("u",), "y": ("u",)}, hidden=("u",))
    _say(made.diagram_dossier(scm), *made.effects(scm), ask=made.ask)
    assert tuple(capfd.readouterr()) == ("", "")
    assert caplog.records == []
