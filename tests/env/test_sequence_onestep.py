"""One-step decisions on the fast path have the law that the truth engine gives them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causalbench.env import SequenceVectorEnv, default_regime
from causalbench.env.onestep import decision_program
from causalbench.task.decide import decision_values
from causalbench.task.observation import ObservationSpace
from causalbench.task.types import Decision
from causalbench.task.world import list_worlds, load_world

COPIES, STEPS = 2000, 12
DECISIONS = [
    (world, decision.id)
    for world in list_worlds()
    for decision in load_world(world).decisions
    if load_world(world).scm.is_discrete and decision.given is None and decision.factual == "pass"
]


def played(scm, decision, regime):
    """Return observations, actions and rewards of many episodes under random actions."""
    program = decision_program(scm, decision)
    env = SequenceVectorEnv(program, COPIES, regime)
    rng = np.random.default_rng(0)
    seen = env.reset(seed=1)[0]
    told = []
    for _ in range(STEPS):
        actions = rng.integers(len(decision.actions), size=COPIES)
        following, rewards, ended, _, _ = env.step(actions)
        assert ended.all()
        told.append((seen, actions, rewards))
        seen = following
    return tuple(np.concatenate(part) for part in zip(*told, strict=True))


def assert_law(scm, decision):
    """Compare observations' weights and actions' values, within Hoeffding's bound at 1e-9 each."""
    seen, actions, rewards = played(scm, decision, default_regime(decision))
    space = ObservationSpace(([scm.variable(name) for name in scm.visible], [decision]))
    found = set()
    for row in decision_values(scm, decision, readings=False):
        wanted = space.encode(row.observation, decision.mode, decision.id)
        mine = (seen == wanted).all(axis=1)
        found.add(wanted.tobytes())
        assert abs(mine.mean() - row.weight) <= math.sqrt(math.log(2e9) / (2 * len(seen)))
        for action, value in enumerate(row.values):
            paid = rewards[mine & (actions == action)]
            if len(paid):
                assert abs(paid.mean() - value) <= math.sqrt(math.log(2e9) / (2 * len(paid)))
    assert {row.astype(np.int64).tobytes() for row in np.unique(seen, axis=0)} <= found


@pytest.mark.parametrize(("world", "decision_id"), DECISIONS)
def test_decisions_of_worlds_have_their_exact_law(world, decision_id):
    """Bets and acts, some of them after the natural choice is shown."""
    loaded = load_world(world)
    assert_law(loaded.scm, loaded.decision(decision_id))


def test_a_redo_has_its_exact_law(scm):
    """What happened is shown, and the unit is run again."""
    utility = ((1.0, "y=1"), (-0.25, "x=1"))
    assert_law(scm, Decision("d", "redo", ("pass", "x=0", "x=1"), utility, ("w", "x", "y")))


@pytest.mark.parametrize(
    "decision",
    [
        Decision("d", "redo", ("pass", "x=1"), ((1.0, "y=1"),), given=(("x", "0"),)),
        Decision("d", "redo", ("pass", "x=1"), ((1.0, "y=1"),), factual="x=0"),
    ],
)
def test_what_a_program_cannot_say_is_no_program(scm, decision):
    """A stated observation, or a first course under an action."""
    assert decision_program(scm, decision) is None
