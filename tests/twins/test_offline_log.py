"""The offline log of a decision, read from rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from causalbench.errors import AccessError
from causalbench.task.suite import make
from causalbench.task.types import Decision


@pytest.fixture(scope="module")
def lab():
    """A lab dossier of umbrella-rain, with four rows written by hand."""
    cases = make("umbrella-rain", where={"cell": "lab", "rung": 2, "track": "decisions"})
    dossier = cases[0].dossier
    rows = [
        {"seed": 0, "rain": 1, "umbrella": 1, "wet": 0},
        {"seed": 1, "rain": 0, "umbrella": 0, "wet": 0},
        {"seed": 0, "rain": 1, "umbrella": 0, "wet": 1},
        {"seed": 1, "rain": 1, "umbrella": 1, "wet": 1},
    ]
    codes = np.array([[row[name] for name in dossier.names] for row in rows])
    return replace(dossier, rows=codes)


def test_a_row_is_an_instance_of_every_action_it_satisfies(lab):
    """Pass matches all rows; umbrella=no and seed=yes match theirs."""
    log = lab.log("act-cheap")
    actions = lab.decision("act-cheap").actions
    counts = {label: int((log["action"] == i).sum()) for i, label in enumerate(actions)}
    assert counts == {"pass": 4, "umbrella=no": 2, "seed=yes": 2}


def test_rewards_are_the_rows_scaled_utilities(lab):
    """By hand: -1 for rain, -0.05 for seeding, -0.1 for wetness, from [-1.15, 0] to [0, 1]."""
    log = lab.log("act-cheap")
    raw = np.array([-1.0, -0.05, -1.1, -1.15])
    passed = log["reward"][log["action"] == lab.decision("act-cheap").actions.index("pass")]
    np.testing.assert_allclose(passed, (raw + 1.15) / 1.15, atol=1e-15)


def test_nothing_is_seen_before_an_act_without_observation(lab):
    """All codes are -1, all episodes end, and the source is said."""
    log = lab.log("act-cheap")
    assert (log["obs"] == -1).all()
    assert log["terminal"].all()
    assert set(log["source"]) == {"rows"}


def test_a_bet_learns_from_every_row_what_every_bet_would_have_paid(lab):
    """Betting changes nothing: four rows and two bets are eight lessons, with what is observed."""
    decision = Decision("bet", "bet", ("rain=yes", "rain=no"), observes=("umbrella",))
    log = replace(lab, decisions=(decision,)).log("bet")
    assert log["reward"].tolist() == [1, 0, 1, 1, 0, 1, 0, 0]
    place = lab.names.index("umbrella")
    assert log["obs"][:4, place].tolist() == [1, 0, 0, 1]
    assert (np.delete(log["obs"], place, axis=1) == -1).all()


def test_a_behaviour_log_follows_the_rows(lab):
    """Where the dossier has one, its entries come after the rows, under its own source."""
    behaviour = {
        "obs": np.full((1, 4), -1),
        "action": np.array([0]),
        "reward": np.array([0.5]),
        "terminal": np.array([True]),
        "source": np.array(["policy"]),
    }
    log = replace(lab, logs={"act-cheap": behaviour}).log("act-cheap")
    assert log["source"][-1] == "policy"
    assert len(log["action"]) == 9


def test_without_rows_the_log_is_empty(lab):
    """Mechanism and diagram cells have no rows."""
    log = replace(lab, rows=np.empty((0, 4), dtype=np.int64)).log("act-cheap")
    assert len(log["action"]) == 0
    assert log["obs"].shape == (0, 4)


def test_an_unknown_decision_is_refused(lab):
    """With the ones there are."""
    with pytest.raises(AccessError, match="it has act-cheap"):
        lab.log("act-dear")


def test_scored_dossiers_have_no_behaviour_log():
    """A behaviour policy that sees hidden causes has a law that differs between twins: none."""
    for case in make("umbrella-rain"):
        assert dict(case.dossier.logs) == {}
