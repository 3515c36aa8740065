"""discover: a log tells nothing of the driver, and experiments do."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.scm.mechanism import Mechanism
from causalbench.task.sequential import load_family
from causalbench.task.sequential.families import discover
from causalbench.task.sequential.families.discover import Bank
from causalbench.truth.laws import law
from causalbench.truth.policy import references

FAMILY = load_family("discover")
BANK = Bank((0.25, 0.25, 0.25, 0.25), up=0.25, errs=0.0625, wear=0.03125)


def test_a_log_is_the_same_whatever_drives() -> None:
    """For each driver the exact law of two watched steps is the same, to rounding."""
    process = FAMILY.world(0).process.replace(horizon=2)
    drivers = process.variable("driver").labels
    watched = []
    for code in range(len(drivers)):
        known = process.replace(
            {"driver": Mechanism((), np.ones(1), np.array([code]))},
        )
        scm = known.unroll()
        watched.append(law(scm, scm.visible))
    for other in watched[1:]:
        np.testing.assert_allclose(other, watched[0], rtol=0, atol=1e-15)


def test_an_experiment_tells_drivers_apart() -> None:
    """Held up against the hand, a lever lights the light if it drives it, and hardly else."""
    scm = FAMILY.world(0).process.first
    lit = law(scm, ["driver", "hand", "light"], {"lever1": "up"})
    given = lit[:, 0, 1] / lit[:, 0].sum(axis=1)  # the hand is down
    assert given[0] > 0.85
    assert max(given[1:]) < 0.15


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_family_and_solver_agree(tries: int) -> None:
    """The family's search over counts gives what trees of histories give."""
    program = discover._make(BANK, FAMILY.settings("medium", tries=tries)).program()
    low, high = program.returns
    best = references(program, ["do"])["do"].value.value
    assert best == pytest.approx((BANK.best(tries) - low) / (high - low), abs=1e-12)


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_learning_first_pays(level: str) -> None:
    """The best policy beats the log's, which acts without having learnt anything."""
    program = FAMILY.world(1, level).program()
    low, high = program.returns
    values = references(program, ["see", "do"])
    gap = (values["do"].value.value - values["see"].value.value) * (high - low)
    assert gap >= discover.CLEAR - 1e-12


def test_more_tries_are_worth_more() -> None:
    """Experiments have value, and ever less of it."""
    worth = [BANK.best(tries) for tries in range(6)]
    gains = np.diff(worth)
    assert (gains > 0).all()
    assert (np.diff(gains) < 1e-12).all()


def test_dear_experiments_are_left() -> None:
    """Where wear costs more than could be gained nothing is tried."""
    dear = Bank(BANK.prior, BANK.up, BANK.errs, wear=1.0)
    assert dear.best(3) == pytest.approx(dear.act(dear.prior, None), abs=1e-12)
