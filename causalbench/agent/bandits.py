"""Bandits in the lab: upper confidence bounds, Thompson sampling, and with the intent as context.

They are those of sequential worlds (`causalbench.agent.learn.bandit`) on episodes of one step: the
observation is the context. SARSA is left out: on episodes of one step it is Q-learning.

References:
    Auer, Cesa-Bianchi, Fischer (2002); Thompson (1933); Bareinboim, Forney, Pearl, "Bandits with
    unobserved confounders: a causal approach" (2015).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from causalbench.agent.learn.registry import make_learner
from causalbench.agent.lessons import lessons
from causalbench.agent.protocol import Abstain, Answer, Choice
from causalbench.errors import AgentError
from causalbench.rng import child
from causalbench.task.observation import ObservationSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.agent.learn.policies import TablePolicy
    from causalbench.agent.protocol import Clock
    from causalbench.env.log import Log
    from causalbench.task.lab import Lab
    from causalbench.task.types import Decision, Dossier, Question

__all__ = ["CausalThompsonAgent", "ThompsonAgent", "UCBAgent"]

_COPIES = 2  # the fewest that are stepped together: bandits should look at every reward
_BLOCK = 256  # steps between two looks at the clock


@dataclass(frozen=True)
class _Booth:
    """One decision of a lab as a field: episodes of one step, and so many of them."""

    lab: Lab
    decision: Decision
    steps: int
    regime: str
    nvec: NDArray[np.int64]
    horizon: int = 1
    family: str = ""

    @property
    def actions(self) -> tuple[str, ...]:
        return self.decision.actions

    def env(self, num_envs: int = 1) -> Any:
        env: Any = self.lab.env(self.decision.id, num_envs=num_envs)
        env.stop_after(self.steps // num_envs * num_envs)
        return env

    def log(self, steps: int) -> Log:
        raise NotImplementedError


class _Bandit:
    """Practise each decision as a bandit, and answer with the action of the highest mean.

    Args:
        steps: episodes of each decision, at most; the budget may allow fewer.

    Raises:
        AgentError: less than one step.
    """

    name: ClassVar[str] = ""
    accepts = frozenset({"bet", "act", "redo"})
    cells = frozenset({"lab"})

    def __init__(self, steps: int = 2000) -> None:
        if steps < 1:
            msg = f"{self.name} has steps {steps}; give 1 or more."
            raise AgentError(msg)
        self.config: dict[str, Any] = {"steps": steps}
        self._policies: dict[str, TablePolicy] = {}
        self._space: ObservationSpace | None = None

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Practise every decision within the budget."""
        from causalbench.env.episodes import default_regime

        self._policies, space = {}, ObservationSpace(dossier)
        self._space = space
        for decision, steps in lessons(dossier, lab, int(self.config["steps"])):
            if steps < _COPIES:
                continue  # not one step of each environment
            learner: Any = make_learner(self._kind(decision), {"copies": _COPIES})
            regime = default_regime(decision)
            acted = "do" if regime == "see" else regime  # a bet is made, not watched
            learner.start(_Booth(lab, decision, steps, acted, space.nvec), rng=child(rng))
            self._prepare(learner, decision, dossier, lab)
            for until in range(0, steps + _BLOCK, _BLOCK):
                if clock.left <= 0:
                    break
                learner.train(min(until, steps))
            self._policies[decision.id] = learner.policy()

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the action of the highest mean reward; abstain on what was never met."""
        from causalbench.truth.policy import Moment

        del rng
        if self._space is None:
            return Abstain("nothing was studied")
        policy = self._policies.get(question.decision_id or "")
        if policy is None:
            return Abstain("unseen")
        seen: Any = self._space.encode_question(question)[None]
        before = policy.unseen
        moment = Moment(seen, np.array([-1]), np.zeros(1), 0)
        chances, _ = policy.act(moment, policy.begin(1))
        if policy.unseen > before:
            return Abstain("unseen")
        return Choice(question.actions[int(chances[0].argmax())])

    def _kind(self, decision: Decision) -> str:
        del decision
        return self.name

    def _prepare(self, learner: Any, decision: Decision, dossier: Dossier, lab: Lab) -> None:
        """Tell the learner what is known before the first episode: nothing."""


class UCBAgent(_Bandit):
    """Take the action whose upper confidence bound is highest (UCB1)."""

    name = "ucb"


class ThompsonAgent(_Bandit):
    """Draw each action's value from its posterior, and take the best draw."""

    name = "thompson"


class CausalThompsonAgent(_Bandit):
    """Thompson sampling whose context holds the own natural choice, where a decision shows it.

    For such a decision recorded rows are counted first: what obeying the inclination earned,
    E[Y_x | x] = E[Y | x]. For all others it is Thompson sampling, and the rows, in which hidden
    causes chose, are left alone.

    Args:
        steps: episodes of each decision, at most; the budget may allow fewer.
        rows: how many rows to watch, at most, where none are given.

    Raises:
        AgentError: less than one step, or fewer than no rows.
    """

    name = "causal-thompson"

    def __init__(self, steps: int = 2000, rows: int = 2000) -> None:
        super().__init__(steps)
        if rows < 0:
            msg = f"{self.name} has rows {rows}; give 0 or more."
            raise AgentError(msg)
        self.config["rows"] = rows
        self._rows = rows

    def _kind(self, decision: Decision) -> str:
        return self.name if _shows_intent(decision) else "thompson"

    def _prepare(self, learner: Any, decision: Decision, dossier: Dossier, lab: Lab) -> None:
        if not _shows_intent(decision) or self._space is None:
            return
        if not len(dossier.rows) and self._rows and lab.left.rows:
            watched = lab.see_codes(min(self._rows, lab.left.rows))
            dossier = replace(dossier, rows=watched)
        log = dossier.log(decision.id)
        natural = log["source"] == "rows"
        if natural.any():
            seen = self._space.encode_codes(log["obs"], decision.mode, decision.id)[natural]
            learner.seed(seen, log["action"][natural], log["reward"][natural])


def _shows_intent(decision: Decision) -> bool:
    from causalbench.env.episodes import default_regime

    return default_regime(decision) == "intent"
