"""The algorithms of stable-baselines3 and sb3-contrib, in the lab's environments.

They are those of sequential worlds (`causalbench.agent.learn.sb3`), with the same settings, on
episodes of one step. `ppo` is an agent of its own, whose settings are older. RecurrentPPO is left
out: in an episode of one step there is nothing to remember.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from causalbench.agent.learn.policies import History
from causalbench.agent.learn.presets import DEFAULTS
from causalbench.agent.learn.sb3_globals import Globals
from causalbench.agent.lessons import lessons
from causalbench.agent.protocol import Abstain, Answer, Choice
from causalbench.errors import AgentError, MissingExtraError
from causalbench.rng import integers
from causalbench.task.observation import ObservationSpace

if TYPE_CHECKING:
    from causalbench.agent.protocol import Clock
    from causalbench.env import WorldVectorEnv
    from causalbench.task.lab import Lab
    from causalbench.task.types import Dossier, Question
    from causalbench.truth.policy import Policy

__all__ = ["A2CAgent", "DDPGAgent", "DQNAgent", "QRDQNAgent", "SACAgent", "TRPOAgent"]

_UPDATES = 16  # at least: with fewer steps rollouts become shorter
_WARMUP = 8  # at most one in so many steps is taken before the first update
_FALL = 2  # exploration falls over one in so many steps


class _SB3Agent:
    """Train one small policy for each decision, and answer with its likeliest action.

    Args:
        steps: episodes of each decision, at most; the budget may allow fewer. They are rounded down
            to whole rollouts.
        learning_rate: of its optimiser; 0 for the preset's.

    Raises:
        MissingExtraError: stable-baselines3 or sb3-contrib is not installed.
    """

    name: ClassVar[str] = ""
    accepts = frozenset({"bet", "act", "redo"})
    cells = frozenset({"lab"})

    def __init__(self, steps: int = 8192, learning_rate: float = 0.0) -> None:
        for package in ("stable_baselines3", "sb3_contrib"):
            if find_spec(package) is None:
                msg = f"agent '{self.name}' needs {package.replace('_', '-')}, which is not"
                msg += " installed; run pip install 'causalbench-ladder[rl]'."
                raise MissingExtraError(msg)
        if steps < 1 or learning_rate < 0:
            msg = f"{self.name} has steps {steps} and learning_rate {learning_rate}; give"
            msg += " positive numbers."
            raise AgentError(msg)
        preset = DEFAULTS[self.name]["learning_rate"]
        self.config = {"steps": steps, "learning_rate": learning_rate or preset}
        self._policies: dict[str, Policy] = {}
        self._space: ObservationSpace | None = None

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Train a policy for every decision within the budget."""
        self._policies, self._space = {}, ObservationSpace(dossier)
        for decision, steps in lessons(dossier, lab, int(self.config["steps"])):
            seed = int(integers(rng, 2**31))
            if clock.left <= 0:
                return
            chosen = self._settings(steps)
            unit = chosen["copies"] * chosen.get("rollout", 1)
            if steps < unit:
                continue  # not one step of each environment
            env = lab.env(decision.id, num_envs=chosen["copies"])
            with Globals().borrowed():
                policy = self._trained(env, steps // unit * unit, chosen, seed, clock)
            self._policies[decision.id] = policy

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the policy's likeliest action; abstain where nothing was practised."""
        from causalbench.truth.policy import Moment

        del rng
        policy = self._policies.get(question.decision_id or "")
        if policy is None or self._space is None:
            return Abstain("unseen")
        seen: Any = self._space.encode_question(question)[None]
        moment = Moment(seen, np.array([-1]), np.zeros(1), 0)
        chances, _ = policy.act(moment, policy.begin(1))
        return Choice(question.actions[int(chances[0].argmax())])

    def _settings(self, steps: int) -> dict[str, Any]:
        """Return the presets, fitted to episodes of one step and to how many there are."""
        chosen: dict[str, Any] = {
            **DEFAULTS[self.name],
            "learning_rate": self.config["learning_rate"],
        }
        chosen |= {"discount": 0.0, "timed": False}
        if "rollout" in chosen:
            short = max(1, steps // (chosen["copies"] * _UPDATES))
            chosen["rollout"] = min(chosen["rollout"], short)
        else:
            chosen["warmup"] = min(chosen["warmup"], steps // _WARMUP)
            chosen["buffer"] = max(steps, chosen["batch"])
        if "explore" in chosen:
            chosen["explore"] = steps // _FALL
        return chosen

    def _trained(
        self, env: WorldVectorEnv, steps: int, chosen: dict[str, Any], seed: int, clock: Clock
    ) -> Policy:
        """Train for whole rollouts and return the policy, which holds no environment."""
        from causalbench.agent.learn.sb3_build import KINDS, build
        from causalbench.agent.learn.sb3_env import FieldVecEnv, Told
        from causalbench.agent.learn.sb3_policy import NetPolicy, copied
        from causalbench.agent.sb3 import TimeLimit

        space: Any = env.single_observation_space
        nvec = tuple(int(n) for n in space.nvec)
        history = History(nvec, len(env.actions), 1, timed=False)
        env.stop_after(steps)
        shown = FieldVecEnv(env, history, scores=self.name in {"ddpg", "sac"})
        model = build(self.name, shown, chosen, seed)

        def note(taken: int) -> None:
            if "explore" in chosen:
                model.exploration_schedule.taken = taken

        model.learn(steps, callback=[Told(note), TimeLimit(clock)])
        kind, part = KINDS[self.name]
        net = copied(getattr(model.policy, part) if part else model.policy)
        return NetPolicy(net, kind, history)


class A2CAgent(_SB3Agent):
    """Advantage actor-critic (Mnih et al. 2016)."""

    name = "a2c"


class TRPOAgent(_SB3Agent):
    """Trust region policy optimisation (Schulman et al. 2015)."""

    name = "trpo"


class DQNAgent(_SB3Agent):
    """Deep Q-network (Mnih et al. 2015)."""

    name = "dqn"


class QRDQNAgent(_SB3Agent):
    """Quantile-regression deep Q-network (Dabney et al. 2018)."""

    name = "qr-dqn"


class DDPGAgent(_SB3Agent):
    """Deep deterministic policy gradient over a score for each action (Lillicrap et al. 2016)."""

    name = "ddpg"


class SACAgent(_SB3Agent):
    """Soft actor-critic over a score for each action (Haarnoja et al. 2018)."""

    name = "sac"
