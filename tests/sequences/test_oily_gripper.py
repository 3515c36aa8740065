"""oily-gripper: one mechanism shifts, and every frequency stays."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.task.sequential import load_family
from causalbench.task.sequential.families.parts import kept
from causalbench.truth.laws import law

FAMILY = load_family("oily-gripper")
LEVELS = ("easy", "medium", "hard")


@pytest.mark.parametrize("level", LEVELS)
def test_every_variable_keeps_its_frequency(level: str) -> None:
    """The law of each variable, hidden too, is the same in both phases at every step."""
    for index in range(3):
        world = FAMILY.world(index, level)
        dry, oily = (world.phase(name).process.unroll() for name in ("dry", "oily"))
        for name in dry.names:
            np.testing.assert_allclose(law(oily, [name]), law(dry, [name]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_one_mechanism_shifts(level: str) -> None:
    """The phases differ in the mechanism of the grip, at every step, and in nothing else."""
    world = FAMILY.world(1, level)
    dry, oily = (world.phase(name).process for name in ("dry", "oily"))
    for one, other in ((dry.first, oily.first), (dry.later, oily.later)):
        changed = [n for n in dry.names if one.mechanism(n) != other.mechanism(n)]
        assert changed == ["grip"]


def test_what_goes_with_what_changes() -> None:
    """The joint law of squeeze and grip moves by a good deal, so that a shift is there to find."""
    world = FAMILY.world(0)
    dry, oily = (law(world.phase(n).process.first, ["squeeze", "grip"]) for n in ("dry", "oily"))
    assert np.abs(dry - oily).sum() / 2 > 0.1


@pytest.mark.parametrize("level", LEVELS)
def test_best_policy_changes(level: str) -> None:
    """Each phase's best policy is at least .1 behind in the other phase."""
    for index in range(3):
        world = FAMILY.world(index, level)
        dry, oily = (world.phase(name).process for name in ("dry", "oily"))
        for old, new in ((dry, oily), (oily, dry)):
            stale, best = kept(old, new, world.play)
            assert best - stale >= 0.1


def test_probabilities_are_exact() -> None:
    """All of them are multiples of 1/1024, so that equal frequencies are equal to the last bit."""
    for phase in FAMILY.world(4, sticky=0.5).phases:
        for slice_ in (phase.process.first, phase.process.later):
            for name in phase.process.names:
                grains = slice_.mechanism(name).noise * 1024
                np.testing.assert_allclose(grains, np.round(grains), rtol=0, atol=1e-9)
