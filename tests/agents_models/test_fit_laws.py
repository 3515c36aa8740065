"""Fits of diagrams to exact laws."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.fit import STARTS, condition, fit_laws
from causalbench.agent.models import build
from causalbench.errors import TooWideError
from causalbench.graph import Diagram
from causalbench.truth import law, value


def _fit(scm, start="weak", seed=0):
    cards = {name: scm.variable(name).cardinality for name in scm.visible}
    laws = [({}, law(scm, scm.visible))]
    rng = np.random.default_rng(seed)
    return fit_laws(scm.diagram, cards, laws, start=start, rng=rng)


def test_condition_is_bayes():
    """P(target | given) is the joint over its margin, hand-computed."""
    joint = np.array([[0.1, 0.3], [0.2, 0.4]])
    expected = np.array([[1 / 3, 2 / 3], [3 / 7, 4 / 7]])
    assert expected == pytest.approx(condition(joint, ("y", "x"), "y", ("x",)))


def test_condition_is_uniform_where_nothing_happens():
    """A row that never occurs is uniform."""
    joint = np.array([[0.5, 0.0], [0.5, 0.0]])
    assert condition(joint, ("y", "x"), "y", ("x",))[1].tolist() == [0.5, 0.5]


def test_without_hidden_causes_the_fit_is_exact(made):
    """Conditioning reproduces the law of a directed diagram to round-off."""
    gaps = [_fit(made.world(seed, cards=(2, 3))).gap for seed in range(8)]
    assert max(gaps) < 1e-13


@pytest.mark.parametrize("start", STARTS)
def test_front_door_answers_are_reproduced(made, start):
    """Every start gives the front-door effect to 1e-5.

    The likelihood is flat to second order at its maximum, so round-off of 1e-15 in it leaves about
    3e-8 in the tables.
    """
    shape = {"u": (), "x": ("u",), "m": ("x",), "y": ("m", "u")}
    for seed in range(4):
        scm = made.make(shape, hidden=("u",), seed=seed)
        model = build(_fit(scm, start, seed), [scm.variable(v) for v in scm.visible], {})
        expected = value(scm, "P(y=1 | do(x=1))")
        assert expected == pytest.approx(value(model, "P(y=1 | do(x=1))"), abs=1e-5)


def test_the_bow_is_fitted_by_models_that_disagree(made):
    """Both starts have the law of a bow, and tell different stories of its effect."""
    scm = made.make({"u": (), "x": ("u",), "y": ("x", "u")}, hidden=("u",), seed=3)
    fits = [_fit(scm, start) for start in ("weak", "natural")]
    assert max(fit.gap for fit in fits) < 1e-5
    seen = [scm.variable(v) for v in scm.visible]
    low, high = sorted(value(build(fit, seen, {}), "P(y=1 | do(x=1))") for fit in fits)
    assert high - low > 0.05


def test_too_many_hidden_causes_are_refused():
    """A diagram whose fit would need too large a table says so."""
    names = [f"v{i}" for i in range(8)]
    diagram = Diagram(names, bidirected=[(a, b) for a in names for b in names if a < b])
    table = np.full((2,) * 8, 2.0**-8)
    with pytest.raises(TooWideError, match="too wide"):
        fit_laws(diagram, dict.fromkeys(names, 2), [({}, table)], rng=np.random.default_rng(0))
