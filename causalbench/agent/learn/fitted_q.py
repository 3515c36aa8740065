"""Fitted Q iteration on a log, by a table or by a small network."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.offline_common import TablePolicy
from causalbench.agent.learn.offline_net import NetPolicy, OfflineNet, forward, inputs
from causalbench.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from causalbench.agent.learn.offline_common import Steps
    from causalbench.truth.policy import Policy

__all__ = ["FittedQ", "backed_up", "reward_scale", "table_values"]


class FittedQ(OfflineNet):
    """Regress reward plus the best value of what comes next on what was seen and done.

    On a log that hidden causes confound, it converges to the values of the conditionals that the
    log shows (rung 1), not to those of acting. The network takes the largest value over all
    actions, the table over those that the log holds at a state.

    Args:
        history: how many observations it remembers.
        features: ``mlp``, or ``table`` for one value each window and action, without any fitting
            error.
        updates: gradient steps at each call of `train` (mlp).
        iterations: how often the targets are renewed in a call; at least the horizon is taken.
        batch: instances in each update.
        hidden: units of each of the two hidden layers.
        learning_rate: of Adam at the start of each call.

    Reference:
        Ernst, Geurts and Wehenkel, "Tree-based batch mode reinforcement learning" (2005);
        Riedmiller, "Neural fitted Q iteration" (2005).
    """

    name = "fitted-q"

    def __init__(
        self,
        *,
        history: int = 1,
        features: str = "mlp",
        updates: int = 3000,
        iterations: int = 30,
        batch: int = 256,
        hidden: int = 64,
        learning_rate: float = 1e-3,
    ) -> None:
        if features not in {"mlp", "table"} or iterations < 1:
            raise AgentError(
                f"fitted-q has features '{features}' and iterations {iterations}; give mlp or"
                " table, and at least 1."
            )
        super().__init__(
            history=history,
            updates=updates,
            batch=batch,
            hidden=hidden,
            learning_rate=learning_rate,
            config={"features": features, "iterations": iterations},
        )

    def policy(self) -> Policy:
        """Return the policy that takes the action of the largest value."""
        if self.config["features"] == "mlp":
            return NetPolicy(self.window, self._net("q"), "best")
        learnt = self._learnt
        values = np.where(np.isnan(learnt["values"]), -np.inf, learnt["values"])
        every = np.eye(self.window.actions)
        best = every[values.argmax(axis=1)]
        return TablePolicy(self.window, learnt["keys"], best, every[int(learnt["usual"])])

    def _nets(self) -> dict[str, int]:
        return {"q": self.window.actions} if self.config["features"] == "mlp" else {}

    def _begun(self, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        if self.config["features"] == "mlp":
            return super()._begun(rng)
        empty = np.empty((0, self.window.actions))
        return {"keys": np.empty(0, dtype=np.int64), "values": empty, "usual": np.array(0)}

    def _fitted(self, log: Any, steps: Steps, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        if self.config["features"] == "mlp":
            return super()._fitted(log, steps, rng)
        keys, values, usual = table_values(steps)
        old = ~np.isin(self._learnt["keys"], keys)  # what an earlier field has shown alone
        keys = np.concatenate([self._learnt["keys"][old], keys])
        values = np.concatenate([self._learnt["values"][old], values])
        order = np.argsort(keys)
        return {"keys": keys[order], "values": values[order], "usual": np.array(usual)}

    def _losses(
        self, steps: Steps, nets: Mapping[str, list[Any]]
    ) -> tuple[Callable[[Any, Any], Any], Callable[[int], None]]:
        import torch
        from torch.nn.functional import mse_loss

        targets = copy.deepcopy(nets["q"])
        scale = reward_scale(self._learnt, steps)
        every = max(
            1, self.config["updates"] // max(self.config["iterations"], self.window.horizon)
        )

        def loss(chosen: NDArray[np.int64], ones: Any) -> Any:
            done = torch.from_numpy(steps.action[chosen])[:, None]
            value = forward(nets["q"], ones).gather(1, done)[:, 0]
            return mse_loss(value, backed_up(steps, chosen, scale, best))

        def best(ones: Any) -> Any:
            return forward(targets, ones).max(dim=1).values

        def renew(update: int) -> None:
            if (update + 1) % every == 0:
                with torch.no_grad():
                    for old, new in zip(targets, nets["q"], strict=True):
                        old.copy_(new)

        return loss, renew


def reward_scale(learnt: dict[str, NDArray[Any]], steps: Steps) -> float:
    """Return one over the standard deviation of a step's reward, kept from the first log on.

    Values are learnt in this unit, so that options mean the same in every world.
    """
    if "scale" not in learnt:
        learnt["scale"] = np.array(1.0 / max(float(steps.reward.std()), 1e-6))
    return float(learnt["scale"])


def backed_up(
    steps: Steps,
    chosen: NDArray[np.int64],
    scale: float,
    value: Callable[[Any], Any],
) -> Any:
    """Return the targets of some instances: reward, and the value of the next state, if any.

    Args:
        steps: the log.
        chosen: instances.
        scale: of rewards.
        value: states as `inputs` gives them -> float32[n].
    """
    import torch

    with torch.no_grad():
        after = inputs(steps.window, steps.states[steps.row[chosen] + 1])
        goes_on = torch.from_numpy((~steps.done[chosen]).astype(np.float32))
        reward = torch.from_numpy((steps.reward[chosen] * scale).astype(np.float32))
        return reward + goes_on * value(after)


def table_values(steps: Steps) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Return fitted Q of every window in a log, by sweeps until nothing changes.

    Returns:
        The windows' keys, int64[S] and sorted; the values, float64[S, A], NaN where an action was
        not seen; and the action whose value is largest on average.
    """
    keys = steps.window.keys(steps.states)
    known, state = np.unique(keys[steps.row], return_inverse=True)
    count = steps.window.actions
    cell = state * count + steps.action
    next_key = keys[np.minimum(steps.row + 1, len(keys) - 1)]
    after = np.searchsorted(known, next_key) % max(len(known), 1)
    goes_on = ~steps.done  # so the next window has steps of its own, and is known
    size = len(known) * count
    times = np.bincount(cell, minlength=size)
    paid = np.bincount(cell, weights=steps.reward, minlength=size)
    seen = times > 0
    values = np.full(size, np.nan)
    for _ in range(steps.window.horizon):
        best = np.nanmax(values.reshape(-1, count), axis=1) if not np.isnan(values).all() else 0.0
        ahead = np.broadcast_to(best, len(known))[after] * goes_on
        total = paid + np.bincount(cell, weights=ahead, minlength=size)
        renewed = np.full(size, np.nan)
        renewed[seen] = total[seen] / times[seen]
        if np.array_equal(renewed, values, equal_nan=True):
            break
        values = renewed
    mean = np.bincount(steps.action, weights=values[cell], minlength=count) / np.maximum(
        np.bincount(steps.action, minlength=count), 1
    )
    tried = np.bincount(steps.action, minlength=count) > 0
    usual = int(np.argmax(np.where(tried, mean, -np.inf)))
    return known, values.reshape(-1, count), usual
