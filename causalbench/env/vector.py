"""Many independent episodes at once, on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from causalbench.env.env import NOT_DRAWN, world_parts
from causalbench.env.episodes import Episodes, Feed, Purse
from causalbench.errors import AccessError, AgentError, BudgetExhausted, UnknownNameError

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.task.observation import ObservationSpace
    from causalbench.task.types import Decision

__all__ = ["WorldVectorEnv", "make_world_vector_env"]

Observations = NDArray[np.int64]
Step = tuple[
    Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]


class WorldVectorEnv(VectorEnv[Observations, NDArray[np.int64], NDArray[Any]]):
    """`WorldEnv`, ``num_envs`` times over, with the same law of rewards.

    Every step ends every episode and shows the next ones (autoreset in the same step). In a lab the
    next ones are paid for as they are shown; where the budget no longer pays for them the step is
    still delivered, everything in its observations is unseen, and the step after it raises
    `BudgetExhausted`.

    Args:
        scm: the world.
        decision: what is decided.
        space: the encoder of observations, which a question shares.
        num_envs: how many, at least 1.
        regime: as in `Episodes`.
        rng: the lab's source of units; None for a public environment, which honours seeds.
        meter: what pays for each episode as it is shown, or None.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium declares it so)
        "render_modes": [],
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        scm: SCM,
        decision: Decision,
        space: ObservationSpace,
        *,
        num_envs: int = 1,
        regime: str | None = None,
        rng: np.random.Generator | None = None,
        meter: Purse | None = None,
    ) -> None:
        if num_envs < 1:
            msg = f"num_envs is {num_envs}, which leaves nothing to step; give at least 1."
            raise AgentError(msg)
        self.num_envs = num_envs
        self.single_observation_space = gymnasium.spaces.MultiDiscrete(space.nvec)
        self.single_action_space = gymnasium.spaces.Discrete(len(decision.actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.decision = decision
        self._episodes = Episodes(scm, decision, space, regime)
        self._meter, self._sealed = meter, rng is not None
        self._feed = None if rng is None else Feed(self._episodes, rng)
        self._rows = np.arange(num_envs)
        blank = np.full((1, len(space.variables)), -1, dtype=np.int64)
        self._blank = space.encode_codes(blank, decision.mode, decision.id)
        self._seen: Observations | None = None
        self._pay: NDArray[np.float64] | None = None
        self._spent_out = False
        self._limit: int | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions' labels, by index."""
        return self.decision.actions

    def stop_after(self, episodes: int) -> None:
        """Show no more than this many episodes from now on.

        A learner that knows when it stops need not pay for the episodes that its last step would
        show. What follows the last step is as if the budget were spent.

        Args:
            episodes: a multiple of ``num_envs``.
        """
        self._limit = episodes

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Draw fresh units and show what the decision observes.

        Raises:
            BudgetExhausted: the lab's budget does not pay for ``num_envs`` more episodes.
        """
        super().reset(seed=seed, options=options)
        if not self._sealed and (self._feed is None or seed is not None):
            self._feed = Feed(self._episodes, self.np_random)
        return self._next().copy(), {}

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Play an action in each episode, and show the next episodes.

        Args:
            actions: int[num_envs], indices into `actions`.

        Returns:
            (next observations, rewards in [0, 1], all True, all False, info); info holds
            ``final_obs``, the observations that the actions answered, and nothing hidden.

        Raises:
            BudgetExhausted: the last paid step has been delivered.
            ResetNeeded: called before the first reset.
            UnknownNameError: an action that does not exist, or another shape.
        """
        if self._spent_out:
            msg = "the budget is spent and the last paid step was delivered; answer with what you"
            msg += " have."
            raise BudgetExhausted(msg)
        if self._seen is None or self._pay is None:
            msg = "no episode has begun; call reset() before step()."
            raise ResetNeeded(msg)
        rewards = self._pay[self._rows, self._checked(actions)]
        final = self._seen
        try:
            seen = self._next()
        except BudgetExhausted:
            self._spent_out = True
            seen = np.repeat(self._blank, self.num_envs, axis=0)
        ended = np.ones(self.num_envs, dtype=np.bool_)
        info = {"final_obs": final, "_final_obs": ended.copy(), "final_info": {}}
        return seen.copy(), rewards, ended, np.zeros(self.num_envs, dtype=np.bool_), info

    def _next(self) -> Observations:
        """Pay for and draw the next episodes."""
        if self._limit is not None:
            if self._limit < self.num_envs:
                msg = "the episodes that stop_after() allowed are over; ask for more, or stop."
                raise BudgetExhausted(msg)
            self._limit -= self.num_envs
        if self._meter is not None:
            self._meter.charge(self._episodes.cost, self.num_envs, steps=True)
        self._seen, self._pay = self._feed.take(self.num_envs)  # type: ignore[union-attr]
        self._spent_out = False
        return self._seen

    def _checked(self, actions: Any) -> NDArray[np.int64]:
        array = np.asarray(actions)
        count = len(self.decision.actions)
        whole = array.shape == (self.num_envs,) and np.issubdtype(array.dtype, np.integer)
        if not whole or array.min() < 0 or array.max() >= count:
            msg = f"actions have shape {array.shape} and type {array.dtype}; give {self.num_envs}"
            msg += f" integers from 0 to {count - 1}."
            raise UnknownNameError(msg)
        return array.astype(np.int64)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._sealed:
            msg = "a lab's environment cannot be copied or pickled, because a fork would replay"
            msg += " units; ask the lab for another."
            raise AccessError(msg)
        return super().__reduce_ex__(protocol)


def make_world_vector_env(
    world: str,
    decision: str,
    num_envs: int = 1,
    regime: str | None = None,
    render_mode: str | None = None,
) -> WorldVectorEnv:
    """Make public training environments (the vector entry point of the registered ids).

    Args:
        world: a world's name or file.
        decision: the id of one of its decisions.
        num_envs: how many, at least 1.
        regime: as in `Episodes`.
        render_mode: None; there is nothing to draw.

    Raises:
        AgentError: another ``render_mode``.
    """
    if render_mode is not None:
        raise AgentError(NOT_DRAWN.format(render_mode))
    return WorldVectorEnv(*world_parts(world, decision), num_envs=num_envs, regime=regime)
