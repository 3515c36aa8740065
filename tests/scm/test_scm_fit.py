"""Fitting CPTs to data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from causalbench.errors import WorldError
from causalbench.graph import Diagram
from causalbench.rng import generator
from causalbench.scm import SCM

FRAME = pd.DataFrame({"x": [0, 0, 0, 1], "y": ["a", "b", "b", "a"], "other": [1.5, 2, 3, 4]})


def test_counts_by_hand():
    """Without hidden causes a CPT is counts plus alpha."""
    found = SCM.from_frame(FRAME, "x -> y", alpha=0)
    assert found.variable("x").labels == ("0", "1")
    assert found.cpt("x") == pytest.approx(np.array([0.75, 0.25]), abs=1e-15)
    expected = np.array([[1 / 3, 2 / 3], [1, 0]])
    assert found.cpt("y") == pytest.approx(expected, abs=1e-15)
    smooth = SCM.from_frame(FRAME, "x -> y").cpt("y")
    assert smooth == pytest.approx(np.array([[2 / 5, 3 / 5], [2 / 3, 1 / 3]]), abs=1e-15)


def test_couplings_of_a_fit_are_not_known():
    """A fit has tables alone; a coupling that is named is an assumption of whoever names it."""
    diagram = Diagram.parse("x -> y")
    assert SCM.from_frame(FRAME, diagram, alpha=1.0).uncoupled == ("y",)
    assert not SCM.from_frame(FRAME, diagram).couplings_known
    found = SCM.from_frame(FRAME, diagram, coupling="monotone")
    assert found.couplings_known
    assert (np.diff(found.mechanism("y").table, axis=0) >= 0).all()


def test_categories_keep_their_order():
    """Categories come in their order, unseen ones too."""
    frame = pd.DataFrame({"x": pd.Categorical(["hi", "lo"], categories=["lo", "mid", "hi"])})
    found = SCM.from_frame(frame, "x")
    assert found.variable("x").labels == ("lo", "mid", "hi")
    assert found.cpt("x") == pytest.approx(np.array([2, 1, 2]) / 5, abs=1e-15)


def test_a_fit_finds_the_law(umbrella):
    """From 50,000 rows with season seen, every CPT row is near the truth."""
    n = 50_000
    frame = umbrella.sample(n, rng=generator(0, "fit"), hidden=True)
    found = SCM.from_frame(frame, umbrella.full_diagram)
    for name in umbrella.names:
        gap = found.cpt(name) - umbrella.cpt(name)
        # The rarest row (storm, no seeding) has chance .02, so about 1,000 rows: five of them per
        # Hoeffding at 1e-9, plus what alpha moves.
        assert np.abs(gap).max() < math.sqrt(math.log(2 / 1e-9) / (2 * 0.015 * n)) + 3 / (0.015 * n)


def test_hidden_causes_are_fitted_by_em(umbrella):
    """EM recovers the joint of the visible variables; the hidden cause is a root of both."""
    n = 20_000
    frame = umbrella.sample(n, rng=generator(0, "em"))
    found = SCM.from_frame(frame, umbrella.diagram, rng=generator(0, "start"))
    assert found.diagram == umbrella.diagram
    assert found.hidden == ("u1",)
    drawn = found.draw(n, rng=generator(1, "em"))
    names = list(umbrella.visible)
    mine = np.bincount(sum(drawn[v] << i for i, v in enumerate(names)), minlength=16) / n
    theirs = sum(frame[v].cat.codes.to_numpy().astype(int) << i for i, v in enumerate(names))
    seen = np.bincount(theirs, minlength=16) / n
    # Two samples of one law differ by at most twice Hoeffding's bound at 1e-9 over 16 cells.
    bound = 2 * math.sqrt(math.log(2 * 16 / 1e-9) / (2 * n))
    assert np.abs(mine - seen).max() < bound


def test_em_is_seeded(umbrella):
    """The same start gives the same model, another start another one."""
    frame = umbrella.sample(500, rng=generator(0, "em"))
    first, again, other = (
        SCM.from_frame(frame, umbrella.diagram, rng=generator(seed, "start"), steps=5)
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_em_gains_likelihood_every_round(umbrella):
    """More rounds never fit worse."""
    frame = umbrella.sample(500, rng=generator(0, "em"))
    scores = []
    for steps in (1, 2, 5, 20, 100):
        world = SCM.from_frame(
            frame, umbrella.diagram, alpha=0, rng=generator(0, "s"), steps=steps, tolerance=-1
        )
        scores.append(_log_likelihood(world, frame))
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(scores))


def _log_likelihood(world, frame):
    """Sum out the one hidden variable by hand."""
    codes = {name: frame[name].cat.codes.to_numpy() for name in frame.columns}
    total = 0.0
    for state in (0, 1):
        values = codes | {world.hidden[0]: np.full(len(frame), state)}
        chance = np.ones(len(frame))
        for name in world.names:
            index = tuple(values[parent] for parent in world.parents(name))
            chance *= world.cpt(name)[(*index, values[name])]
        total = total + chance
    return float(np.log(total).sum())


@pytest.mark.parametrize(
    ("frame", "diagram", "options", "message"),
    [
        (FRAME, "x -> z", {}, "no column 'z'"),
        (FRAME, "x -> other", {}, "'other' holds real numbers; bin it"),
        (FRAME, "x <-> y", {}, "give rng"),
        (FRAME, "x -> y", {"alpha": -1}, "alpha is -1"),
        (FRAME[:0], "x -> y", {}, "no rows"),
        (FRAME.assign(x=[0, None, 1, 1]), "x -> y", {}, "gap at row 1"),
        (FRAME, "x -> ", {}, "leads to no name"),
        (
            FRAME.assign(x=pd.Categorical([0, 0, 0, 1], categories=[0, 1, 2])),
            "x -> y",
            {"alpha": 0},
            "'y' has no data at x=2; give alpha > 0",
        ),
        (
            FRAME,
            "x <-> y",
            {"hidden_card": 5000, "rng": generator(0, "r")},
            "5000 hidden states, over 4096",
        ),
    ],
)
def test_bad_data_are_explained(frame, diagram, options, message):
    """Data that can't be fitted are refused, and the message names the column."""
    with pytest.raises(WorldError, match=message):
        SCM.from_frame(frame, diagram, **options)
