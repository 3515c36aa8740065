"""The algorithms of stable-baselines3 and sb3-contrib as learners, through one adapter.

A network reads what a `History` keeps of the past, as zeros and ones. DDPG and SAC need real
actions: they give each action a score in [-1, 1], and the action of the highest score is taken.

References:
    Schulman et al., "Proximal policy optimization algorithms" (2017); Mnih et al., "Asynchronous
    methods for deep reinforcement learning" (2016), for A2C, and "Human-level control through deep
    reinforcement learning" (2015), for DQN; Schulman et al., "Trust region policy optimization"
    (2015); Dabney et al., "Distributional reinforcement learning with quantile regression" (2018);
    Lillicrap et al., "Continuous control with deep reinforcement learning" (2016); Haarnoja et al.,
    "Soft actor-critic" (2018); Raffin et al., "Stable-Baselines3" (2021).
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from causalbench.agent.learn.policies import History
from causalbench.agent.learn.presets import checked, settings
from causalbench.agent.learn.sb3_globals import Globals
from causalbench.errors import AgentError, MissingExtraError
from causalbench.rng import integers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np

    from causalbench.agent.learn.protocol import Field
    from causalbench.agent.options import Option
    from causalbench.truth.policy import Policy

__all__ = ["A2C", "DDPG", "DQN", "PPO", "QRDQN", "SAC", "TRPO", "RecurrentPPO", "SB3Learner"]

_BUFFER = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


class SB3Learner:
    """What all algorithms share; a subclass gives the name.

    Training on policy goes by whole rollouts of all copies, off policy by whole steps of them: what
    does not fill one more is left for the next call of `train`. Parts of one training are that
    training: nothing depends on where it is stopped and gone on with.

    Args:
        **options: in place of the presets (`causalbench.agent.learn.presets`).

    Attributes:
        progress: called with the steps taken, after each step of all copies; None for nothing.

    Raises:
        MissingExtraError: stable-baselines3 or sb3-contrib is not installed.
        AgentError: an option that it lacks, or a value out of its range.
    """

    name = "sb3"
    regimes = frozenset({"do", "intent", "replay"})
    rung3: Mapping[str, str] = {"do": "rung-2", "intent": "intent", "replay": "replay"}

    def __init__(self, **options: Option) -> None:
        for package in ("stable_baselines3", "sb3_contrib"):
            if find_spec(package) is None:
                raise MissingExtraError(
                    f"learner '{self.name}' needs {package.replace('_', '-')}, which is not"
                    " installed; run pip install 'causalbench-ladder[rl]'."
                )
        self._given = checked(self.name, options)
        self.config: Mapping[str, Any] = dict(self._given)
        self.progress: Callable[[int], None] | None = None
        _check(self.name, settings(self.name, self._given))

    def start(self, field: Field, *, rng: np.random.Generator) -> None:
        """Begin anew in a field.

        Raises:
            AccessError: the field gives no environment.
        """
        from causalbench.agent.learn.sb3_build import build

        self._set = settings(self.name, self._given, field)
        self.config = dict(self._set)
        self._history = History(
            tuple(int(n) for n in field.nvec),
            len(field.actions),
            field.horizon * (2 if field.regime == "replay" else 1),
            self._set["window"],
            timed=self._set["timed"],
            acted=self.name == "recurrent-ppo",
        )
        env, seed = self._opened(field), int(integers(rng, 2**31))
        self._globals = Globals()
        with self._globals.borrowed():
            self._model = build(self.name, env, self._set, seed)

    def enter(self, field: Field) -> None:
        """Go on in another field with the same network, optimiser and memory of steps.

        Raises:
            AgentError: its observations or actions are others.
        """
        same = tuple(int(n) for n in field.nvec) == self._history.nvec
        if not same or len(field.actions) != self._history.actions:
            raise AgentError(f"'{self.name}' can't go on where observations or actions differ.")
        self._model.set_env(self._opened(field))

    def train(self, until: int) -> None:
        """Train by whole rollouts, until the next would exceed ``until`` steps in all."""
        from causalbench.agent.learn.sb3_env import Told

        model = self._model
        unit = self._set["copies"] * self._set.get("rollout", 1)
        steps = max(0, until - model.num_timesteps) // unit * unit
        if not steps:
            return
        with self._globals.borrowed():
            model.learn(steps, callback=Told(self._told), reset_num_timesteps=False)

    def policy(self) -> Policy:
        """Return the present policy; what is trained later does not change it."""
        from causalbench.agent.learn.sb3_build import KINDS
        from causalbench.agent.learn.sb3_policy import NetPolicy, RecurrentPolicy, copied

        kind, part = KINDS[self.name]
        whole = self._model.policy
        net = copied(getattr(whole, part) if part else whole)
        if kind == "recurrent":
            return RecurrentPolicy(net, self._history)
        return NetPolicy(net, kind, self._history)

    def save(self, path: Path) -> None:
        """Write network, optimiser and remembered steps into a folder."""
        import numpy as np
        import torch

        path.mkdir(parents=True, exist_ok=True)
        torch.save(self._model.get_parameters(), path / "parameters.pt")
        buffer = getattr(self._model, "replay_buffer", None)
        if buffer is not None:
            filled = buffer.buffer_size if buffer.full else buffer.pos
            arrays = {name: getattr(buffer, name)[:filled] for name in _BUFFER}
            np.savez(path / "buffer.npz", at=[buffer.pos, int(buffer.full)], **arrays)
        told = {"learner": self.name, "steps": self._model.num_timesteps, "config": self.config}
        (path / "learner.json").write_text(json.dumps(told, indent=1), encoding="utf-8")

    def load(self, path: Path) -> None:
        """Read a checkpoint, after `start`; the episodes in course begin anew.

        Raises:
            AgentError: another learner's checkpoint.
        """
        import numpy as np
        import torch

        told = json.loads((path / "learner.json").read_text(encoding="utf-8"))
        if told["learner"] != self.name:
            raise AgentError(f"the checkpoint is of '{told['learner']}', not of '{self.name}'.")
        model = self._model
        model.set_parameters(torch.load(path / "parameters.pt", weights_only=True))
        model.num_timesteps, model._last_obs = told["steps"], None  # noqa: SLF001
        self._told(told["steps"])
        if (path / "buffer.npz").exists():
            with np.load(path / "buffer.npz") as stored:
                for name in _BUFFER:
                    getattr(model.replay_buffer, name)[: len(stored[name])] = stored[name]
                model.replay_buffer.pos, full = (int(number) for number in stored["at"])
                model.replay_buffer.full = bool(full)

    def _opened(self, field: Field) -> Any:
        from causalbench.agent.learn.sb3_env import FieldVecEnv

        scores = self.name in {"ddpg", "sac"}
        return FieldVecEnv(field.env(self._set["copies"]), self._history, scores=scores)

    def _told(self, steps: int) -> None:
        schedule = getattr(self._model, "exploration_schedule", None)
        if schedule is not None:
            schedule.taken = steps
        if self.progress is not None:
            self.progress(steps)


class PPO(SB3Learner):
    """Proximal policy optimisation."""

    name = "ppo"


class A2C(SB3Learner):
    """Advantage actor-critic."""

    name = "a2c"


class TRPO(SB3Learner):
    """Trust region policy optimisation."""

    name = "trpo"


class RecurrentPPO(SB3Learner):
    """Proximal policy optimisation with an LSTM, which also reads the last action."""

    name = "recurrent-ppo"


class DQN(SB3Learner):
    """Deep Q-network."""

    name = "dqn"


class QRDQN(SB3Learner):
    """Quantile-regression deep Q-network."""

    name = "qr-dqn"


class DDPG(SB3Learner):
    """Deep deterministic policy gradient: the highest score is taken."""

    name = "ddpg"


class SAC(SB3Learner):
    """Soft actor-critic: scores are drawn from squashed normal laws, and the highest is taken."""

    name = "sac"


def _check(name: str, chosen: Mapping[str, Any]) -> None:
    """Refuse numbers that cannot train."""
    least = {"window": 1, "copies": 1, "width": 1, "rollout": 1, "epochs": 1, "batches": 1}
    least |= {
        "buffer": 1,
        "batch": 1,
        "updates": 1,
        "target": 1,
        "quantiles": 1,
        "layers": 0,
        "warmup": 0,
    }
    wrong = [key for key, low in least.items() if chosen.get(key, low) < low]
    wrong += [key for key in ("learning_rate", "tau") if chosen.get(key, 1.0) <= 0]
    wrong += [key for key in ("entropy", "noise", "epsilon") if chosen.get(key, 0.0) < 0]
    wrong += ["discount"] if not 0 <= chosen["discount"] <= 1 else []
    if wrong:
        raise AgentError(
            f"'{name}' has {wrong[0]} {chosen[wrong[0]]}, which can't train; give a larger one"
            " (discount: one in [0, 1])."
        )
