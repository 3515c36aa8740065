"""At horizon 1 the solver and one-step decisions agree."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.scm import random_scm
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.program import Program
from causalbench.task.decide import decision_values
from causalbench.task.types import Decision
from causalbench.task.world import load_world
from causalbench.truth.policy import reference


def _program(scm, decision, mode="act"):
    play = Play(
        decision.id,
        decision.actions,
        decision.observes,
        decision.utility,
        returns=decision.bounds,
        mode=mode,
    )
    return Program(Process(scm, scm, 1), play)


def _best(scm, decision):
    rows = decision_values(scm, decision, readings=False)
    return sum(row.weight * float(row.values.max()) for row in rows)


@pytest.mark.parametrize("world", ["umbrella-rain", "umbrella-rain-open", "greedy-casino"])
def test_acts_and_bets_of_built_in_worlds(world):
    """The best value of each act and bet of a world is the one that decisions are scored on."""
    loaded = load_world(world)
    for decision in loaded.decisions:
        if decision.mode == "redo" or decision.given is not None:
            continue
        found = reference(_program(loaded.scm, decision, decision.mode), "do")
        assert found.value.value == pytest.approx(_best(loaded.scm, decision), abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_redoing_a_unit_of_random_worlds(seed):
    """Replay of one step is a redo of the same unit, after all that can be seen of it."""
    rng = np.random.default_rng([72, seed])
    scm = random_scm(n=5, hidden=1, rng=rng)
    first, *rest = scm.visible
    last, spare = rest[-1], rest[0]
    values = scm.variable(first).labels
    utility = ((1.0, f"{last}={scm.variable(last).labels[1]}"), (-0.3, f"{first}={values[0]}"))
    seen = tuple(scm.visible)
    actions = ("pass", f"{first}={values[0]}", f"{spare}={scm.variable(spare).labels[0]}")
    decision = Decision("again", "redo", actions, utility, seen)
    found = reference(_program(scm, decision), "replay")
    assert found.value.value == pytest.approx(_best(scm, decision), abs=1e-12)
