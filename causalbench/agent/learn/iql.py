"""Implicit Q-learning on a log: no value is ever asked of an action that was not seen."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from causalbench.agent.learn.fitted_q import backed_up, reward_scale
from causalbench.agent.learn.offline_net import NetPolicy, OfflineNet, forward
from causalbench.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from causalbench.agent.learn.offline_common import Steps

__all__ = ["DiscreteIQL"]

_TRACK = 0.02  # how far the target network follows at each update
_MOST = 100.0  # the largest weight of an instance, as in the paper


class DiscreteIQL(OfflineNet):
    """IQL with a softmax policy: V an expectile of Q over logged actions, then weighted cloning.

    Args:
        history: how many observations it remembers.
        expectile: in (0, 1); towards 1 V nears the best action that the log holds.
        beta: how sharply the policy prefers advantages, in units of one over the standard deviation
            of a step's reward.
        updates: gradient steps at each call of `train`.
        batch: instances in each.
        hidden: units of each of the two hidden layers.
        learning_rate: of Adam at the start of each call.

    Reference:
        Kostrikov, Nair and Levine, "Offline reinforcement learning with implicit Q-learning"
        (2021), equations 5 to 7.
    """

    name = "iql"

    def __init__(
        self,
        *,
        history: int = 1,
        expectile: float = 0.7,
        beta: float = 3.0,
        updates: int = 3000,
        batch: int = 256,
        hidden: int = 64,
        learning_rate: float = 1e-3,
    ) -> None:
        if not 0 < expectile < 1 or beta < 0:
            raise AgentError(
                f"iql has expectile {expectile} and beta {beta}; give one in (0, 1), and 0 or more."
            )
        super().__init__(
            history=history,
            updates=updates,
            batch=batch,
            hidden=hidden,
            learning_rate=learning_rate,
            config={"expectile": expectile, "beta": beta},
        )

    def policy(self) -> NetPolicy:
        """Return the policy that was extracted, which draws its actions."""
        return NetPolicy(self.window, self._net("policy"), "softmax")

    def _nets(self) -> dict[str, int]:
        return {"q": self.window.actions, "v": 1, "policy": self.window.actions}

    def _losses(
        self, steps: Steps, nets: Mapping[str, list[Any]]
    ) -> tuple[Callable[[Any, Any], Any], Callable[[int], None]]:
        import torch
        from torch.nn.functional import cross_entropy, mse_loss

        targets = copy.deepcopy(nets["q"])
        scale = reward_scale(self._learnt, steps)
        expectile, beta = self.config["expectile"], self.config["beta"]

        def loss(chosen: NDArray[np.int64], ones: Any) -> Any:
            done = torch.from_numpy(steps.action[chosen])
            with torch.no_grad():
                held = forward(targets, ones).gather(1, done[:, None])[:, 0]
            state = forward(nets["v"], ones)[:, 0]
            ahead = held - state
            side = torch.where(ahead.detach() > 0, expectile, 1.0 - expectile)
            value = forward(nets["q"], ones).gather(1, done[:, None])[:, 0]
            due = backed_up(steps, chosen, scale, lambda at: forward(nets["v"], at)[:, 0])
            weight = (beta * ahead.detach()).exp().clamp(max=_MOST)
            cloned = cross_entropy(forward(nets["policy"], ones), done, reduction="none")
            return (side * ahead**2).mean() + mse_loss(value, due) + (weight * cloned).mean()

        def follow(_: int) -> None:
            with torch.no_grad():
                for old, new in zip(targets, nets["q"], strict=True):
                    old.lerp_(new, _TRACK)

        return loss, follow
