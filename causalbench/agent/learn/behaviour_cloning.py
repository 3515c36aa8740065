"""Behaviour cloning: do what the log's policy did when it had seen the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.offline_net import NetPolicy, OfflineNet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from causalbench.agent.learn.offline_common import Steps

__all__ = ["BehaviourCloning"]


class BehaviourCloning(OfflineNet):
    """Learn the probability of each logged action by maximum likelihood, and act by it.

    It needs no rewards, and imitates what was done, whatever it was done for. Where the behaviour
    policy saw more than the log shows, the clone can only act by the average.

    Args:
        history: how many observations it remembers.
        updates: gradient steps at each call of `train`.
        batch: steps in each.
        hidden: units of each of the two hidden layers.
        learning_rate: of Adam at the start of each call.

    Reference:
        Pomerleau, "ALVINN" (1989).
    """

    name = "bc"
    rung3: Mapping[str, str] = {"see": "abstain"}
    needs_rewards = False

    def __init__(
        self,
        *,
        history: int = 1,
        updates: int = 3000,
        batch: int = 256,
        hidden: int = 64,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__(
            history=history,
            updates=updates,
            batch=batch,
            hidden=hidden,
            learning_rate=learning_rate,
            config={},
        )

    def policy(self) -> NetPolicy:
        """Return the clone, which draws its actions as the behaviour policy did."""
        return NetPolicy(self.window, self._net("policy"), "softmax")

    def _nets(self) -> dict[str, int]:
        return {"policy": self.window.actions}

    def _instances(self, steps: Steps) -> NDArray[np.int64]:
        return np.flatnonzero(steps.own)

    def _losses(
        self, steps: Steps, nets: Mapping[str, list[Any]]
    ) -> tuple[Callable[[Any, Any], Any], Callable[[int], None]]:
        import torch
        from torch.nn.functional import cross_entropy

        from causalbench.agent.learn.offline_net import forward

        def loss(chosen: NDArray[np.int64], ones: Any) -> Any:
            done = torch.from_numpy(steps.action[chosen])
            return cross_entropy(forward(nets["policy"], ones), done)

        return loss, lambda _: None
