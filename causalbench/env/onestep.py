"""Make a program of one step of a world's decision, and of random worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import WorldError
from causalbench.rng import generator
from causalbench.scm.model import SCM
from causalbench.scm.play import Play
from causalbench.scm.process import BEFORE, Process
from causalbench.scm.program import Program
from causalbench.scm.random import random_mechanism, random_scm
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from causalbench.task.types import Decision

__all__ = ["decision_program", "random_program"]

_MOST_VALUES = 254  # as in `Program`: codes, and "unseen", fit a byte


def decision_program(scm: SCM, decision: Decision) -> Program | None:
    """Return a decision as a program of one step, or None where it is not one.

    Real variables, a stated observation and a first course under an action are for `WorldEnv`.

    Args:
        scm: the world.
        decision: one of its decisions.
    """
    if not scm.is_discrete or decision.given is not None or decision.factual != "pass":
        return None
    if any(name.endswith(BEFORE) for name in scm.names):
        return None
    if any(scm.variable(name).cardinality > _MOST_VALUES for name in scm.names):
        return None
    play = Play(
        id=decision.id,
        actions=decision.actions,
        observes=decision.observes,
        reward=decision.utility,
        returns=decision.bounds,
        mode=decision.mode,
    )
    return Program(Process(scm, scm, 1), play)


def random_program(index: int, *, num_variables: int = 10, seed: int = 0) -> Program:
    """Draw a binary world in which to set ``v1`` for the good of the last variable, once.

    The variables' causal order is drawn, so which of them can be seen before the action differs
    from world to world; that ``v1`` is a cause of the last one is sure. Two variables more are
    hidden confounders. No benchmark's world is among the draws: these are for practice.

    Args:
        index: which of the worlds of this seed.
        num_variables: how many, the hidden ones among them; at least 5.
        seed: of the draws.

    Raises:
        WorldError: too few variables.
    """
    if num_variables < 5:  # noqa: PLR2004
        raise WorldError(f"num_variables is {num_variables}; give 5 or more")
    rng = generator(seed, f"random-worlds/practice/{num_variables}", index)
    last = f"v{num_variables - 2}"
    while True:
        drawn = random_scm(rng=rng, n=num_variables - 2, hidden=2, coupling="monotone")
        if "v1" in drawn.full_diagram.ancestors(last):
            break
    variables, mechanisms = {}, {}
    for name in drawn.names:  # hidden variables may have come out ternary; worlds must be alike
        parents = drawn.parents(name)
        variables[name] = Variable(name, ("0", "1"), drawn.variable(name).hidden)
        mechanisms[name] = random_mechanism(
            rng=rng, parents=parents, shape=(2,) * len(parents), card=2, coupling="monotone"
        )
    scm = SCM(variables, mechanisms)
    play = Play(
        id="act",
        actions=("pass", "v1=0", "v1=1"),
        observes=scm.visible,
        reward=((1.0, f"{last}=1"),),
    )
    return Program(Process(scm, scm, 1), play)
