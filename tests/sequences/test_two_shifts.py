"""two-shifts: the surface changes and the mechanism stays, and the other way round."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.task.sequential import load_family
from causalbench.task.sequential.families.parts import kept
from causalbench.truth.laws import law

FAMILY = load_family("two-shifts")
LEVELS = ("easy", "medium", "hard")
SURFACE = ("health", "soil", "leaf", "water")


@pytest.mark.parametrize("level", LEVELS)
def test_surface_shift_changes_what_the_leaves_tell(level: str) -> None:
    """Only the leaf's mechanism changes; what a colour says of the soil is another thing."""
    world = FAMILY.world(1, level)
    base, surface = (world.phase(name).process for name in ("base", "surface"))
    for one, other in ((base.first, surface.first), (base.later, surface.later)):
        assert [n for n in base.names if one.mechanism(n) != other.mechanism(n)] == ["leaf"]
    before, after = (law(one.first, ["soil", "leaf"]) for one in (base, surface))
    assert np.abs(before - after).sum() / 2 > 0.25


@pytest.mark.parametrize("level", LEVELS)
def test_surface_shift_leaves_the_best_policy(level: str) -> None:
    """The base's best policy is the best one after the surface shift, too."""
    for index in range(3):
        world = FAMILY.world(index, level)
        stale, best = kept(world.phase("base").process, world.phase("surface").process, world.play)
        assert stale == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_mechanism_shift_leaves_the_surface(level: str) -> None:
    """All but growth keeps its joint law, step by step, while growth's mechanism changes."""
    world = FAMILY.world(1, level)
    base, shifted = (world.phase(name).process for name in ("base", "mechanism"))
    steps = min(2, base.horizon)
    names = [f"{name}_{step}" for step in range(1, steps + 1) for name in SURFACE]
    before, after = (law(one.unroll(steps), names) for one in (base, shifted))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)
    for one, other in ((base.first, shifted.first), (base.later, shifted.later)):
        assert [n for n in base.names if one.mechanism(n) != other.mechanism(n)] == ["growth"]


@pytest.mark.parametrize("level", LEVELS)
def test_mechanism_shift_changes_the_best_policy(level: str) -> None:
    """The base's best policy is at least .1 behind after the mechanism shift."""
    for index in range(3):
        world = FAMILY.world(index, level)
        new = world.phase("mechanism").process
        stale, best = kept(world.phase("base").process, new, world.play)
        assert best - stale >= 0.1
