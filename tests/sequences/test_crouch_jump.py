"""crouch-jump: those who look less far than a jump never bend."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.errors import WorldError
from causalbench.task.sequential import load_family
from causalbench.task.sequential.families import crouch_jump
from causalbench.truth.policy import planner, policy_value, references, uniform

FAMILY = load_family("crouch-jump")
LEVELS = ["easy", "medium", "hard"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_short_look_only_stands(level: str) -> None:
    """Looking as far as the crouches pays exactly what standing does; one step more, far more."""
    world = FAMILY.world(1, level)
    program = world.program()
    crouches = int(world.knobs["crouches"])
    standing = program.horizon * world.play.reward[0][0] / program.returns[1]
    short = policy_value(program, planner(program, crouches), "do").value
    enough = policy_value(program, planner(program, crouches + 1), "do").value
    assert short == pytest.approx(standing, abs=1e-12)
    assert enough >= short + crouch_jump.CLEAR - 1e-12


@pytest.mark.parametrize("level", LEVELS)
def test_the_best_crouches(level: str) -> None:
    """The best policy is worth what the family's own chain says, and much more than standing."""
    knobs = FAMILY.settings(level)
    odds = {"jump": 0.875, "upright": 0.875 / 16}
    program = crouch_jump._make(odds, np.array([0.5, 0.25, 0.25]), knobs).program()
    chain = crouch_jump._chain(knobs, odds)
    best = references(program, ["do"])["do"].value.value
    assert best == pytest.approx(chain.worth(chain.plan()) / program.returns[1], abs=1e-12)
    assert best > 2 * program.horizon * odds["upright"] / program.returns[1]


def test_chance_rarely_bends_far_enough() -> None:
    """The longer the crouch, the less moving at random clears: its worth falls towards standing."""
    worth = []
    for crouches in (1, 2, 4, 6):
        program = FAMILY.world(0, crouches=crouches, horizon=14, pull=0.25).program()
        worth.append(uniform(program).value / references(program, ["do"])["do"].value.value)
    assert worth == sorted(worth, reverse=True)


def test_a_log_is_enough() -> None:
    """Nothing is hidden, so the log's best policy is the best; the same course again is easier."""
    program = FAMILY.world(3, "easy").program()
    values = {regime: one.value.value for regime, one in references(program).items()}
    assert values["see"] == pytest.approx(values["do"], abs=1e-12)
    assert values["intent"] == pytest.approx(values["do"], abs=1e-12)
    assert values["replay"] > values["do"] + 1e-6


def test_too_short_an_episode_is_refused() -> None:
    """Where there is no time for a jump the family says that it cannot make its gap."""
    with pytest.raises(WorldError, match="crouch-jump"):
        FAMILY.world(0, crouches=8, horizon=8)
