"""Make one world of many, to learn across worlds: which of them runs is drawn and never shown.

An episode is a trial: several episodes of one world in a row. What carries over to other worlds is
how to find out which world it is; what is learnt of one world by heart is worth little.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from causalbench.errors import WorldError
from causalbench.scm.compose import mixture, trials
from causalbench.task.sequential.catalogue import load_family
from causalbench.task.sequential.world import Phase, SequentialWorld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.scm.play import Play
    from causalbench.task.sequential.family import WorldFamily

__all__ = ["HELD_OUT", "PRACTICE", "SHIFTED", "across"]

PRACTICE, HELD_OUT, SHIFTED = "practice", "held-out", "shifted"


def across(
    family: str,
    *,
    practice: int = 16,
    test: int = 16,
    episodes: int = 2,
    difficulty: str = "medium",
    seed: int = 0,
    shift: Mapping[str, float] | None = None,
    **knobs: Any,
) -> SequentialWorld:
    """Return a world with a phase to practise in, one of held-out worlds, and a shifted one.

    The best do-policy of a phase (`causalbench.truth.policy.references`) is the Bayes-optimal agent
    that knows the phase's worlds and their weights, but not which of them it is in.

    Args:
        family: whose worlds. Of those with phases, world i is met in phase i, round and round.
        practice: how many worlds of the practice split to learn in, equally likely, at least 1.
        test: how many worlds of the test split each of the other phases has, at least 1.
        episodes: of one world, in a trial, at least 1.
        difficulty: easy, medium or hard.
        seed: of the worlds' draws.
        shift: settings of the shifted phase besides; None for the family's own.
        **knobs: settings in place of the difficulty's; the shifted phase keeps those that ``shift``
            doesn't name.

    Raises:
        NotFoundError: no such family, difficulty or knob.
        WorldError: nothing to learn in or to test on; settings out of range; worlds whose
            variables, length or play differ, so that no one agent could live in all of them.
    """
    for name, count in (("practice", practice), ("test", test), ("episodes", episodes)):
        if count < 1:
            raise WorldError(f"across worlds: {name} is {count}; give 1 or more.")
    made = load_family(family)
    shifted: dict[str, Any] = {**(made.shifted if shift is None else {}), **knobs, **(shift or {})}
    drawn = {
        PRACTICE: [made.world(i, difficulty, seed=seed, **knobs) for i in range(practice)],
        HELD_OUT: [
            made.world(i, difficulty, split="test", seed=seed, **knobs) for i in range(test)
        ],
        SHIFTED: [
            made.world(i, difficulty, split="test", seed=seed, **shifted) for i in range(test)
        ],
    }
    base = drawn[PRACTICE][0]
    phases, play = [], base.play
    for name, worlds in drawn.items():
        for world in worlds:
            _check(made, name, base, world)
        # Worlds that go through phases are met in one of them each, in turns.
        lived = [world.phases[i % len(world.phases)].process for i, world in enumerate(worlds)]
        chained = [trials(process, base.play, episodes) for process in lived]
        phases.append(Phase(name, mixture([process for process, _ in chained])))
        play = chained[0][1]
    return replace(
        base,
        title=f"{base.title}: across worlds, {episodes} episodes of each",
        play=play,
        phases=tuple(phases),
        knobs={**base.knobs, "practice": practice, "test": test, "episodes": episodes},
    )


def _check(family: WorldFamily, phase: str, base: SequentialWorld, world: SequentialWorld) -> None:
    """Refuse worlds that one agent can't live in, and say which knob to hold still."""
    same = (
        world.process.horizon == base.process.horizon
        and world.process.first.variables == base.process.first.variables
        and _told(world.play) == _told(base.play)
    )
    if not same:
        raise WorldError(
            f"family '{family.name}': its {phase} worlds differ in variables, length or what is"
            f" paid; hold the knobs that change them still (of {', '.join(family.knobs)})."
        )


def _told(play: Play) -> Play:
    """Return a play without the numbers that only scale returns."""
    return replace(play, returns=None, goal_returns=None)
