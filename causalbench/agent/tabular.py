"""Tabular Q-learning: online by acting in the lab, offline from what was recorded.

Every episode has one step, so Q(o, a) is the mean reward of action a after observation o, and the
step size 1 / n makes the update exactly that mean.

Reference: Watkins, Dayan, "Q-learning" (1992); Sutton, Barto, "Reinforcement Learning" (2018),
section 2.4 for step size 1 / n and epsilon-greedy choice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench.agent.lessons import lessons
from causalbench.agent.protocol import Abstain, Answer, Choice
from causalbench.errors import AgentError
from causalbench.rng import integers, uniforms
from causalbench.task.observation import ObservationSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.agent.protocol import Clock
    from causalbench.env import WorldEnv
    from causalbench.task.lab import Lab
    from causalbench.task.types import Decision, Dossier, Question

__all__ = ["QOffline", "QOnline", "QTable"]

_BLOCK = 256  # steps between two looks at the clock


class QTable:
    """Mean rewards by observation and action."""

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}

    def row(
        self, observation: NDArray[np.int64], actions: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the (means, counts) of an observation, made empty if it is new."""
        key = observation.tobytes()
        if key not in self._rows:
            self._rows[key] = np.zeros(actions), np.zeros(actions, dtype=np.int64)
        return self._rows[key]

    def add(
        self,
        observations: NDArray[np.int64],
        actions: NDArray[np.int64],
        rewards: NDArray[np.float64],
        count: int,
    ) -> None:
        """Add many steps at once, to observations that are new.

        Args:
            observations: int64[n, V + 2].
            actions: int64[n].
            rewards: float64[n].
            count: how many actions there are.
        """
        keys, which = np.unique(observations, axis=0, return_inverse=True)
        sums, counts = np.zeros((len(keys), count)), np.zeros((len(keys), count), dtype=np.int64)
        np.add.at(sums, (which.ravel(), actions), rewards)
        np.add.at(counts, (which.ravel(), actions), 1)
        for key, total, n in zip(keys, sums, counts, strict=True):
            self._rows[key.tobytes()] = total / np.maximum(n, 1), n

    def best(self, observation: NDArray[np.int64]) -> int | None:
        """Return the best action tried, ties to the first; None for an unseen observation."""
        means, counts = self._rows.get(observation.tobytes(), (None, None))
        if means is None or counts is None or not counts.any():
            return None
        return int(np.argmax(np.where(counts > 0, means, -np.inf)))


class _Tabular:
    """Answer from a table."""

    accepts = frozenset({"bet", "act", "redo"})
    cells = frozenset({"lab"})

    def __init__(self) -> None:
        self._table = QTable()
        self._space: ObservationSpace | None = None

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the action of highest mean reward; abstain on what was never met."""
        del rng
        if self._space is None:
            return Abstain("nothing was studied")
        best = self._table.best(self._space.encode_question(question))
        return Abstain("unseen") if best is None else Choice(question.actions[best])


class QOnline(_Tabular):
    """Learn Q by practising each decision in the lab, epsilon-greedily.

    Epsilon falls linearly from 1 to ``epsilon`` over all the steps (the schedule was chosen on
    random three-armed bandits). A decision that the regime does not let one practise stays
    unlearnt, and is answered by abstaining.

    Args:
        steps: episodes of each decision, at most; the budget may allow fewer.
        epsilon: how often to explore in the end, in [0, 1].
    """

    name = "q-online"

    def __init__(self, steps: int = 2000, epsilon: float = 0.1) -> None:
        super().__init__()
        if steps < 1 or not 0 <= epsilon <= 1:
            msg = f"q-online has steps {steps} and epsilon {epsilon}; give steps >= 1 and epsilon"
            msg += " in [0, 1]."
            raise AgentError(msg)
        self.config = {"steps": steps, "epsilon": epsilon}
        self._steps, self._epsilon = steps, epsilon

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Practise every decision within the budget."""
        self._table, self._space = QTable(), ObservationSpace(dossier)
        for decision, steps in lessons(dossier, lab, self._steps):
            self._practise(decision, steps, lab.env(decision.id), rng, clock)

    def _practise(
        self,
        decision: Decision,
        steps: int,
        env: WorldEnv,
        rng: np.random.Generator,
        clock: Clock,
    ) -> None:
        count = len(decision.actions)
        epsilon = np.linspace(1, self._epsilon, steps)
        explores = uniforms(rng, steps) < epsilon
        tries = integers(rng, count, steps)
        for step in range(steps):
            if step % _BLOCK == 0 and clock.left <= 0:
                return
            observation, _ = env.reset()
            means, counts = self._table.row(observation, count)
            action = int(tries[step] if explores[step] else means.argmax())
            reward = env.step(action)[1]
            counts[action] += 1
            means[action] += (reward - means[action]) / counts[action]


class QOffline(_Tabular):
    """Take the recorded mean reward of each action as its value, as if actions had been free.

    Where the dossier has no rows, it watches as many as the budget allows; it never intervenes.

    Args:
        rows: how many rows to watch, at most, where none are given.
    """

    name = "q-offline"

    def __init__(self, rows: int = 5000) -> None:
        super().__init__()
        if rows < 0:
            msg = f"q-offline has rows {rows}; give 0 or more."
            raise AgentError(msg)
        self.config = {"rows": rows}
        self._rows = rows

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Fill the table from the log of every decision."""
        del rng, clock
        self._table, self._space = QTable(), ObservationSpace(dossier)
        if not len(dossier.rows) and lab.left.rows:
            watched = lab.see_codes(min(self._rows, lab.left.rows))
            dossier = replace(dossier, rows=watched)
        for decision in dossier.decisions:
            log = dossier.log(decision.id)
            if len(log["action"]):
                seen = self._space.encode_codes(log["obs"], decision.mode, decision.id)
                self._table.add(seen, log["action"], log["reward"], len(decision.actions))
