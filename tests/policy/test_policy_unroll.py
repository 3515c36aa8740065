"""Sequences of actions are worth what the exact engine says of the unrolled model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from policy_builders import random_process

from causalbench import truth
from causalbench.scm.play import Play
from causalbench.scm.program import Program
from causalbench.truth.policy import policy_value


@dataclass
class Script:
    """Takes the actions of a list; the last may depend on whether the place shows a code."""

    script: tuple[int, ...]
    actions: int
    place: int = 0
    code: int = -1
    recalls: bool = field(default=False, init=False)
    reads_reward: bool = field(default=False, init=False)

    def begin(self, n: int) -> Any:
        """Return no memory."""

    def act(self, moment: Any, memory: Any) -> tuple[np.ndarray, Any]:
        """Return the action of the step; the other one where the place shows something else."""
        del memory
        action = np.full(len(moment.seen), self.script[moment.step])
        if self.code >= 0 and moment.step == len(self.script) - 1:
            action = np.where(moment.seen[:, self.place] == self.code, action, 1 - action)
        return (action[:, None] == np.arange(self.actions)).astype(float), None


def _process(seed, horizon):
    rng = np.random.default_rng([73, seed])
    process = random_process(rng, slots=4, horizon=horizon)
    return process.replace({}, horizon=horizon)


@pytest.mark.parametrize("seed", range(8))
def test_do_sequences(seed):
    """E[sum of rewards] of a list of actions is the sum of P(event | do(list)) over steps."""
    process = _process(seed, 3)
    play = Play("p", ("v0=0", "v0=1"), ("v3",), ((1.0, "v3=1"), (-0.5, "v1=0")))
    program = Program(process, play)
    script = tuple(int(bit) for bit in f"{seed % 8:03b}")
    unrolled = process.unroll()
    done = ", ".join(f"v0_{step}={code}" for step, code in enumerate(script, start=1))
    total = sum(
        weight * truth(unrolled, f"P({event} | do({done}))").value
        for step in (1, 2, 3)
        for weight, event in ((1.0, f"v3_{step}=1"), (-0.5, f"v1_{step}=0"))
    )
    low, high = program.returns
    found = policy_value(program, Script(script, 2), "do")
    assert found.value == pytest.approx((total - low) / (high - low), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_an_action_given_what_was_seen(seed):
    """A last action that follows an observation is worth sums of P(event | do(list), evidence)."""
    process = _process(seed, 2)
    play = Play("p", ("v0=0", "v0=1"), ("v3",), ((1.0, "v2=1"),))
    program = Program(process, play)
    # What no action changes is seen before the second action, the rest only one step later.
    told = "v3_2" if program.early[program.slot["v3"]] else "v3_1"
    unrolled = process.unroll()
    place = process.visible.index("v3")
    total = truth(unrolled, "P(v2_1=1 | do(v0_1=0))").value
    for code in range(process.variable("v3").cardinality):
        then = 1 if code == 1 else 0
        total += truth(unrolled, f"P(v2_2=1, {told}={code} | do(v0_1=0, v0_2={then}))").value
    found = policy_value(program, Script((0, 1), 2, place, 1), "do")
    assert found.value * 2 == pytest.approx(total, abs=1e-12)
