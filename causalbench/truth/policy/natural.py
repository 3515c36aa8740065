"""Follow the behaviour policy: what it earns, and what a log shows of each step alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.truth.policy.frames import join
from causalbench.truth.policy.model import Model

if TYPE_CHECKING:
    from causalbench.scm.program import Program
    from causalbench.truth.policy.frames import Floats, Ints

__all__ = ["Drift", "drift"]


@dataclass(frozen=True, slots=True)
class Drift:
    """The course of nature.

    Args:
        reward: the expected sum of rewards, unscaled.
        goal: likewise of what is meant.
        length: the expected number of steps.
        views: one a step: observation, state and probability, all different.
    """

    reward: float
    goal: float
    length: float
    views: tuple[tuple[Ints, Ints, Floats], ...]


def drift(program: Program) -> Drift:
    """Follow the behaviour policy, exactly."""
    model = Model(program, "do", "nature")
    start = model.start()
    seen, state, chance = start.seen, start.state, start.chance
    views = [(seen, state, chance)]
    reward = goal = length = 0.0
    for step in range(1, program.horizon + 1):
        codes, at = np.unique(state, return_inverse=True)
        if not len(codes):
            break
        weight = np.bincount(at, chance)
        kernel = model.step(step, codes)
        reward += float(weight @ kernel.reward)
        goal += float(weight @ kernel.goal)
        length += float(weight.sum())
        who, entry = join(kernel.start, np.arange(len(codes)))
        chance = weight[who] * kernel.chance[entry]
        seen, state = kernel.seen[entry], kernel.state[entry]
        order = np.lexsort((state, seen))
        seen, state, chance = seen[order], state[order], chance[order]
        fresh = np.ones(len(seen), dtype=np.bool_)
        fresh[1:] = (seen[1:] != seen[:-1]) | (state[1:] != state[:-1])
        first = np.flatnonzero(fresh)
        chance = np.add.reduceat(chance, first) if len(first) else chance
        seen, state = seen[first], state[first]
        if step < program.horizon:
            views.append((seen, state, chance))
    return Drift(reward, goal, length, tuple(views))
