"""shifting-rules: one rule after another, and the first one again."""

from __future__ import annotations

import pytest

from causalbench.task.sequential import load_family
from causalbench.task.sequential.families.parts import kept
from causalbench.truth.policy import references

FAMILY = load_family("shifting-rules")
LEVELS = ("easy", "medium", "hard")


@pytest.mark.parametrize("level", LEVELS)
def test_at_least_four_phases_and_the_first_returns(level: str) -> None:
    """There are four phases or more; one that comes again equals what it was."""
    phases = FAMILY.world(0, level).phases
    assert len(phases) >= 4
    names = {phase.name: phase.process for phase in phases}
    again = [name for name in names if name.endswith("-again")]
    assert again[0] == f"{phases[0].name}-again"
    for name in again:
        assert names[name] == names[name.removesuffix("-again")]


@pytest.mark.parametrize("level", LEVELS)
def test_only_the_rule_differs(level: str) -> None:
    """Phases differ in what makes a card right, and in nothing that is seen before."""
    first, *others = FAMILY.world(1, level).phases
    for other in others:
        if other.name.startswith(first.name):
            continue
        for one, two in (
            (first.process.first, other.process.first),
            (first.process.later, other.process.later),
        ):
            names = first.process.names
            assert [n for n in names if one.mechanism(n) != two.mechanism(n)] == ["right"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_rule_kept_too_long_costs(level: str) -> None:
    """To go on by another phase's rule loses at least .1 of the return."""
    world = FAMILY.world(2, level)
    for old in world.phases:
        for new in world.phases:
            stale, best = kept(old.process, new.process, world.play, 1)
            if old.process == new.process:
                assert stale == pytest.approx(best, abs=1e-12)
            else:
                assert best - stale >= 0.1


def test_no_rung_fails_within_a_phase() -> None:
    """Nothing is hidden, so the log's reader does as well as who acts, with intent shown or not."""
    world = FAMILY.world(0, "easy")
    found = references(world.program("shape"), ("see", "do", "intent"))
    assert found["see"].value.value == pytest.approx(found["do"].value.value, abs=1e-12)
    assert found["intent"].value.value == pytest.approx(found["do"].value.value, abs=1e-12)
