"""Conservative Q-learning on a log: values of seldom logged actions are pressed down."""

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

__all__ = ["DiscreteCQL"]

_TRACK = 0.02  # how far the target network follows at each update


class DiscreteCQL(OfflineNet):
    """Discrete CQL(H): a double Q-network's error, plus alpha times (log-sum-exp of Q - Q logged).

    Pessimism guards against actions that were seldom tried. It knows nothing of hidden causes: what
    confounding makes look good is tried often, and stays.

    Args:
        history: how many observations it remembers.
        alpha: the weight of pessimism, in units of the standard deviation of a step's reward.
        updates: gradient steps at each call of `train`.
        batch: instances in each.
        hidden: units of each of the two hidden layers.
        learning_rate: of Adam at the start of each call.

    Reference:
        Kumar, Zhou, Tucker and Levine, "Conservative Q-learning for offline reinforcement learning"
        (2020), equation 4; van Hasselt, Guez and Silver (2016) for the double target.
    """

    name = "cql"

    def __init__(
        self,
        *,
        history: int = 1,
        alpha: float = 0.1,
        updates: int = 3000,
        batch: int = 256,
        hidden: int = 64,
        learning_rate: float = 1e-3,
    ) -> None:
        if alpha < 0:
            raise AgentError(f"cql has alpha {alpha}; give 0 or more.")
        super().__init__(
            history=history,
            updates=updates,
            batch=batch,
            hidden=hidden,
            learning_rate=learning_rate,
            config={"alpha": alpha},
        )

    def policy(self) -> NetPolicy:
        """Return the policy that takes the action of the largest value."""
        return NetPolicy(self.window, self._net("q"), "best")

    def _nets(self) -> dict[str, int]:
        return {"q": self.window.actions}

    def _losses(
        self, steps: Steps, nets: Mapping[str, list[Any]]
    ) -> tuple[Callable[[Any, Any], Any], Callable[[int], None]]:
        import torch
        from torch.nn.functional import mse_loss

        targets = copy.deepcopy(nets["q"])
        scale, alpha = reward_scale(self._learnt, steps), self.config["alpha"]

        def double(ones: Any) -> Any:
            best = forward(nets["q"], ones).argmax(dim=1, keepdim=True)
            return forward(targets, ones).gather(1, best)[:, 0]

        def loss(chosen: NDArray[np.int64], ones: Any) -> Any:
            done = torch.from_numpy(steps.action[chosen])[:, None]
            values = forward(nets["q"], ones)
            value = values.gather(1, done)[:, 0]
            pressed = (values.logsumexp(dim=1) - value).mean()
            # Half the squared error, as in the paper, so that alpha means the same.
            error = 0.5 * mse_loss(value, backed_up(steps, chosen, scale, double))
            return error + alpha * pressed

        def follow(_: int) -> None:
            with torch.no_grad():
                for old, new in zip(targets, nets["q"], strict=True):
                    old.lerp_(new, _TRACK)

        return loss, follow
