"""One decision of one world as a Gymnasium environment of one-step episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from causalbench.env.episodes import Episodes, Feed, Purse, action_index
from causalbench.errors import AccessError, AgentError, NotFoundError, suggest

if TYPE_CHECKING:
    from causalbench.scm import SCM
    from causalbench.task.observation import ObservationSpace
    from causalbench.task.types import Decision

__all__ = ["NOT_DRAWN", "WorldEnv", "make_world_env", "world_parts"]

NOT_DRAWN = "render_mode is {!r}, which is not drawn here; leave it out, or make World-v0."

Observation = NDArray[np.int64]


class WorldEnv(gymnasium.Env[Observation, np.int64]):
    """See an observation, choose an action, be paid its scaled utility; then the unit is gone.

    Without ``rng`` this is a public training environment: ``reset(seed=...)`` is honoured. With it
    the environment belongs to a lab: seeds change nothing, and it cannot be copied or pickled.

    Args:
        scm: the world.
        decision: what is decided.
        space: the encoder of observations, which a question shares.
        regime: as in `Episodes`.
        rng: the lab's source of units, or None.
        meter: what pays for each episode as it is shown, or None.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  (Gymnasium declares it so)

    def __init__(
        self,
        scm: SCM,
        decision: Decision,
        space: ObservationSpace,
        *,
        regime: str | None = None,
        rng: np.random.Generator | None = None,
        meter: Purse | None = None,
    ) -> None:
        self.observation_space = gymnasium.spaces.MultiDiscrete(space.nvec)
        self.action_space = gymnasium.spaces.Discrete(len(decision.actions))
        self.decision = decision
        self._episodes = Episodes(scm, decision, space, regime)
        self._meter, self._sealed = meter, rng is not None
        self._feed = None if rng is None else Feed(self._episodes, rng)
        self._seen: Observation | None = None
        self._pay: NDArray[np.float64] | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions' labels, by index."""
        return self.decision.actions

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a fresh unit and show what the decision observes.

        Raises:
            BudgetExhausted: the lab's budget does not pay for another episode.
        """
        super().reset(seed=seed, options=options)
        if not self._sealed and (self._feed is None or seed is not None):
            self._feed = Feed(self._episodes, self.np_random)
        if self._meter is not None:
            self._meter.charge(self._episodes.cost, 1, steps=True)
        seen, pay = self._feed.take(1)  # type: ignore[union-attr]
        self._seen, self._pay = seen[0], pay[0]
        return self._seen.copy(), {}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Play an action and end the episode.

        Args:
            action: an index into `actions`.

        Returns:
            (observation, reward in [0, 1], True, False, {}): the observation is the one shown
            before; nothing more is revealed.

        Raises:
            ResetNeeded: the episode is over.
            UnknownNameError: no such action.
        """
        if self._seen is None or self._pay is None:
            msg = "the episode is over, because it has one step; call reset() before step()."
            raise ResetNeeded(msg)
        reward = float(self._pay[action_index(action, len(self._pay))])
        seen, self._seen = self._seen, None
        return seen, reward, True, False, {}

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._sealed:
            msg = "a lab's environment cannot be copied or pickled, because a fork would replay"
            msg += " units; ask the lab for another."
            raise AccessError(msg)
        return super().__reduce_ex__(protocol)


def world_parts(world: str, decision: str) -> tuple[SCM, Decision, ObservationSpace]:
    """Load a named world's SCM, one of its decisions, and the space over all of them.

    Raises:
        NotFoundError: no such world or decision.
    """
    from causalbench.task.observation import ObservationSpace
    from causalbench.task.world import load_world

    loaded = load_world(world)
    known = {item.id: item for item in loaded.decisions}
    if decision not in known:
        near = suggest(decision, known)
        names = ", ".join(known) or "none"
        msg = f"world '{world}' has no decision '{decision}'; its decisions are {names}.{near}"
        raise NotFoundError(msg)
    scm = loaded.scm
    space = ObservationSpace(([scm.variable(name) for name in scm.visible], loaded.decisions))
    return scm, known[decision], space


def make_world_env(
    world: str, decision: str, regime: str | None = None, render_mode: str | None = None
) -> WorldEnv:
    """Make a public training environment (the entry point of ``causalbench/UmbrellaRain-v0``).

    Args:
        world: a world's name or file.
        decision: the id of one of its decisions.
        regime: as in `Episodes`.
        render_mode: None; there is nothing to draw.

    Raises:
        AgentError: another ``render_mode``.
    """
    if render_mode is not None:
        raise AgentError(NOT_DRAWN.format(render_mode))
    return WorldEnv(*world_parts(world, decision), regime=regime)
