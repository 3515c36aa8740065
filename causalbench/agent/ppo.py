"""Proximal policy optimisation, by stable-baselines3, in the lab's environments.

Reference: Schulman, Wolski, Dhariwal, Radford, Klimov, "Proximal policy optimization algorithms"
(2017).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from causalbench.agent.learn.sb3_globals import Globals
from causalbench.agent.lessons import lessons
from causalbench.agent.protocol import Abstain, Answer, Choice
from causalbench.errors import AgentError, MissingExtraError
from causalbench.rng import integers
from causalbench.task.observation import ObservationSpace

if TYPE_CHECKING:
    import numpy as np

    from causalbench.agent.protocol import Clock
    from causalbench.env import WorldVectorEnv
    from causalbench.task.lab import Lab
    from causalbench.task.types import Dossier, Question

__all__ = ["PPOAgent"]

_ENVS = 16
_ROLLOUT = 32  # the most steps of each environment between two updates: 512 episodes
_ROLLOUTS = 16  # the least number of rollouts: with fewer steps each becomes shorter
_BATCHES = 4  # of each rollout


class PPOAgent:
    """Train one small policy for each decision, and answer with its likeliest action.

    Args:
        steps: episodes of each decision, at most; the budget may allow fewer. They are played in
            16 rollouts or more, of 16 to 512 episodes each, and rounded down to whole ones.
        learning_rate: of Adam.
        entropy: weight of the entropy bonus.
        epochs: passes over each rollout.

    Raises:
        MissingExtraError: stable-baselines3 is not installed.
    """

    name = "ppo"
    accepts = frozenset({"bet", "act", "redo"})
    cells = frozenset({"lab"})

    def __init__(
        self,
        steps: int = 8192,
        learning_rate: float = 1e-3,
        entropy: float = 0.01,
        epochs: int = 5,
    ) -> None:
        if find_spec("stable_baselines3") is None:
            msg = "agent 'ppo' needs stable-baselines3, which is not installed; run"
            msg += " pip install 'causalbench-ladder[rl]'."
            raise MissingExtraError(msg)
        if steps < 1 or learning_rate <= 0 or entropy < 0 or epochs < 1:
            msg = f"ppo has steps {steps}, learning_rate {learning_rate}, entropy {entropy} and"
            msg += f" epochs {epochs}; give positive numbers (entropy may be 0)."
            raise AgentError(msg)
        self.config = {
            "steps": steps,
            "learning_rate": learning_rate,
            "entropy": entropy,
            "epochs": epochs,
        }
        self._policies: dict[str, Any] = {}
        self._space: ObservationSpace | None = None

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Train a policy for every decision within the budget."""
        self._policies, self._space = {}, ObservationSpace(dossier)
        for decision, steps in lessons(dossier, lab, int(self.config["steps"])):
            seed = int(integers(rng, 2**31))
            if clock.left <= 0:
                return
            if steps < _ENVS:
                continue  # not one step of each environment
            rollout = max(1, min(_ROLLOUT, steps // (_ENVS * _ROLLOUTS)))
            env = cast("WorldVectorEnv", lab.env(decision.id, num_envs=_ENVS))
            with Globals().borrowed():
                policy = self._trained(env, rollout, steps // (rollout * _ENVS), seed, clock)
            self._policies[decision.id] = policy

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the policy's likeliest action; abstain where nothing was practised."""
        del rng
        policy = self._policies.get(question.decision_id or "")
        if policy is None or self._space is None:
            return Abstain("unseen")
        action = policy.predict(self._space.encode_question(question), deterministic=True)[0]
        return Choice(question.actions[int(action)])

    def _trained(
        self, env: WorldVectorEnv, rollout: int, rollouts: int, seed: int, clock: Clock
    ) -> Any:
        """Train on whole rollouts and return the policy, which holds no environment."""
        from causalbench.agent.sb3 import LabVecEnv, TimeLimit, load_ppo

        episodes = rollout * _ENVS
        env.stop_after(episodes * rollouts)
        model = load_ppo()(
            "MlpPolicy",
            LabVecEnv(env),
            n_steps=rollout,
            batch_size=episodes // _BATCHES,
            n_epochs=self.config["epochs"],
            learning_rate=self.config["learning_rate"],
            ent_coef=self.config["entropy"],
            gamma=0.0,
            policy_kwargs={"net_arch": [32]},
            seed=seed,
            device="cpu",
        )
        model.learn(episodes * rollouts, callback=TimeLimit(clock))
        return model.policy
