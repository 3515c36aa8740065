"""Make stable-baselines3 models from settings (import this inside functions only)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.agent.learn.sb3_env import FieldVecEnv

__all__ = ["KINDS", "Falling", "build"]

KINDS: Mapping[str, tuple[str, str]] = {
    "ppo": ("chances", ""),
    "a2c": ("chances", ""),
    "trpo": ("chances", ""),
    "recurrent-ppo": ("recurrent", ""),
    "dqn": ("values", "q_net"),
    "qr-dqn": ("quantiles", "quantile_net"),
    "ddpg": ("scores", "actor"),
    "sac": ("normal", "actor"),
}
"""Algorithm to how its choice is read, and the part of its policy that chooses ("": all)."""


class Falling:
    """A share of random actions that falls from 1, linearly over a number of steps.

    stable-baselines3 would have it fall over each call of ``learn``; so curves would depend on
    where their points lie.

    Args:
        over: steps.
        last: the share from then on.
    """

    def __init__(self, over: int, last: float) -> None:
        self.over, self.last = over, last
        self.taken = 0

    def __call__(self, progress: float) -> float:
        """Return the share, whatever the present call's progress is."""
        del progress
        done = 1.0 if self.over <= 0 else min(1.0, self.taken / self.over)
        return 1.0 + done * (self.last - 1.0)


def build(name: str, env: FieldVecEnv, chosen: Mapping[str, Any], seed: int) -> Any:
    """Return a fresh model.

    Args:
        name: the algorithm's.
        env: what it will train in.
        chosen: all its settings.
        seed: of its generators.
    """
    layers = [chosen["width"]] * chosen["layers"]
    common = {
        "learning_rate": chosen["learning_rate"],
        "gamma": chosen["discount"],
        "policy_kwargs": {"net_arch": layers},
        "seed": seed,
        "device": "cpu",
    }
    if name in {"ppo", "a2c", "trpo", "recurrent-ppo"}:
        return _on_policy(name, env, chosen, common)
    return _off_policy(name, env, chosen, common)


def _on_policy(
    name: str, env: FieldVecEnv, chosen: Mapping[str, Any], common: dict[str, Any]
) -> Any:
    import sb3_contrib
    import stable_baselines3

    common |= {"n_steps": chosen["rollout"], "gae_lambda": chosen["trace"]}
    if name == "a2c":
        return stable_baselines3.A2C("MlpPolicy", env, ent_coef=chosen["entropy"], **common)
    if name == "trpo":
        whole = chosen["rollout"] * env.num_envs
        common |= {"batch_size": whole, "target_kl": chosen["divergence"]}
        return sb3_contrib.TRPO("MlpPolicy", env, **common)
    common |= {
        "batch_size": max(2, chosen["rollout"] * env.num_envs // chosen["batches"]),
        "n_epochs": chosen["epochs"],
        "ent_coef": chosen["entropy"],
    }
    if name == "ppo":
        return stable_baselines3.PPO("MlpPolicy", env, **common)
    common["policy_kwargs"] |= {"lstm_hidden_size": chosen["width"]}
    return sb3_contrib.RecurrentPPO("MlpLstmPolicy", env, **common)


def _off_policy(
    name: str, env: FieldVecEnv, chosen: Mapping[str, Any], common: dict[str, Any]
) -> Any:
    import sb3_contrib
    import stable_baselines3
    from stable_baselines3.common.noise import NormalActionNoise

    common |= {
        "buffer_size": chosen["buffer"],
        "learning_starts": chosen["warmup"],
        "batch_size": chosen["batch"],
        "train_freq": 1,
        "gradient_steps": chosen["updates"],
    }
    if name in {"dqn", "qr-dqn"}:
        kind = stable_baselines3.DQN if name == "dqn" else sb3_contrib.QRDQN
        if name == "qr-dqn":
            common["policy_kwargs"] |= {"n_quantiles": chosen["quantiles"]}
        model = kind("MlpPolicy", env, target_update_interval=chosen["target"], **common)
        model.exploration_schedule = Falling(chosen["explore"], chosen["epsilon"])
        return model
    common["tau"] = chosen["tau"]
    if name == "sac":
        return stable_baselines3.SAC("MlpPolicy", env, ent_coef=chosen["entropy"], **common)
    count = env.action_space.shape[0]
    noise = NormalActionNoise(np.zeros(count), np.full(count, chosen["noise"]))
    return stable_baselines3.DDPG("MlpPolicy", env, action_noise=noise, **common)
