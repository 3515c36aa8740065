"""Tabular learners: Q-learning and SARSA on what is seen.

A row of the table is what a `History` keeps of the past. In a world with hidden state that is no
Markov state, so values are those of acting on the row alone.

References:
    Watkins and Dayan, "Q-learning" (1992); Rummery and Niranjan, "On-line Q-learning using
    connectionist systems" (1994), for SARSA; Even-Dar and Mansour, "Learning rates for Q-learning"
    (2003), for step sizes n ** -power.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from causalbench.agent.learn.policies import History, Index, TablePolicy, greedy
from causalbench.agent.learn.presets import checked, settings
from causalbench.agent.learn.sweeps import numbered, solved
from causalbench.errors import AccessError, AgentError
from causalbench.rng import uniforms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.agent.learn.protocol import Field
    from causalbench.agent.options import Option
    from causalbench.env.log import Log

__all__ = ["QLearning", "Sarsa", "TableLearner"]

_SLOWEST = 0.5  # the sum of squared steps must stay finite
_FADES = 1 / 3  # the exponent with which exploring on a row fades
_ONLINE: Mapping[str, str] = {"do": "rung-2", "intent": "intent", "replay": "replay"}


class TableLearner:
    """What all tables share: rows, values, counts, steps in many copies, checkpoints.

    A subclass chooses actions (`choose`) and says what a next row is worth (`worth`).

    Args:
        **options: in place of the presets (`causalbench.agent.learn.presets`).

    Raises:
        AgentError: an option that it lacks, or a value out of its range.
    """

    name = "table"
    regimes = frozenset(_ONLINE)
    rung3: Mapping[str, str] = _ONLINE
    on_policy = False  # whether a next row is worth what the action chosen there is worth

    def __init__(self, **options: Option) -> None:
        self._given = checked(self.name, options)
        self.config: Mapping[str, Any] = dict(self._given)
        self._check(settings(self.name, self._given))

    def start(self, field: Field, *, rng: np.random.Generator) -> None:
        """Begin anew in a field."""
        self._set = settings(self.name, self._given, field)
        self.config = dict(self._set)
        self._rng, self._field = rng, field
        self._history = History(
            tuple(int(n) for n in field.nvec),
            len(field.actions),
            2 * field.horizon,  # a unit may be played twice
            self._set["window"],
            timed=self._set["timed"],
        )
        self._power = 1.0 if field.horizon == 1 else self._set["power"]
        self._index = Index()
        self._values = np.empty((0, len(field.actions)))
        self._counts = np.empty((0, len(field.actions)), dtype=np.int64)
        self._steps, self._env = 0, cast("Any", None)
        self._logs: list[Log] = []
        self._before = 0  # steps in fields before this one

    def enter(self, field: Field) -> None:
        """Go on in another field with the same table.

        Raises:
            AgentError: its observations or actions are others.
        """
        same = tuple(int(n) for n in field.nvec) == self._history.nvec
        if not same or len(field.actions) != self._history.actions:
            raise AgentError(f"'{self.name}' can't go on where observations or actions differ.")
        if self._field.regime == "see" and self._steps > self._before:
            self._logs.append(self._field.log(self._steps - self._before))
        self._field, self._env, self._before = field, None, self._steps

    def train(self, until: int) -> None:
        """Take steps, all copies at once, until the next ones would exceed ``until``.

        Raises:
            AccessError: the field's regime is none of its.
        """
        if self._field.regime not in self.regimes:
            raise AccessError(
                f"'{self.name}' can't be trained in regime '{self._field.regime}'; its regimes"
                f" are {', '.join(sorted(self.regimes))}."
            )
        if self._field.regime == "see":
            if until > self._before:
                self._read(_joined([*self._logs, self._field.log(until - self._before)]))
                self._steps = until
            return
        copies = self._set["copies"]
        while self._steps + copies <= until:
            if self._env is None:
                self._open(copies)
            self._step()
            self._steps += copies

    def policy(self) -> TablePolicy:
        """Return the greedy policy on rows that were met, uniform on others."""
        known = len(self._index)
        met = (self._counts[:known] > 0).any(axis=1)
        chances = greedy(self._values[:known][met], self._counts[:known][met] > 0)
        return TablePolicy(self._history, self._rows()[met], chances)

    def save(self, path: Path) -> None:
        """Write the table into a folder."""
        path.mkdir(parents=True, exist_ok=True)
        known = len(self._index)
        arrays = {name: getattr(self, f"_{name}")[:known] for name in self._arrays()}
        np.savez(path / "table.npz", rows=self._rows(), **arrays)
        told = {"learner": self.name, "steps": self._steps, "config": self.config}
        (path / "learner.json").write_text(json.dumps(told, indent=1), encoding="utf-8")

    def load(self, path: Path) -> None:
        """Read a table, after `start`; the episodes in course begin anew.

        Raises:
            AgentError: another learner's checkpoint.
        """
        told = json.loads((path / "learner.json").read_text(encoding="utf-8"))
        if told["learner"] != self.name:
            raise AgentError(f"the checkpoint is of '{told['learner']}', not of '{self.name}'.")
        with np.load(path / "table.npz") as stored:
            self._index = Index()
            if len(stored["rows"]):
                self._index.add(stored["rows"])
            for name in self._arrays():
                setattr(self, f"_{name}", stored[name])
        self._steps, self._env = told["steps"], None

    def choose(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return an action for each copy, int64[n].

        Args:
            at: int64[n], the number of each copy's row.
        """
        raise NotImplementedError

    def worth(self, at: NDArray[np.int64], action: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what it is worth to stand in rows, float64[n].

        Args:
            at: int64[n], the number of each row.
            action: int64[n], what will be done there; meaningless unless `on_policy`.
        """
        del action
        worth: NDArray[np.float64] = self._values[at].max(axis=1)
        return worth

    def learn(
        self, at: NDArray[np.int64], action: NDArray[np.int64], target: NDArray[np.float64]
    ) -> None:
        """Move values towards targets; several at one place count as that many visits."""
        places = at * self._values.shape[1] + action
        self._move(self._values, self._counts, places, target)

    def _move(
        self,
        values: NDArray[np.float64],
        counts: NDArray[np.int64],
        places: NDArray[np.int64],
        target: NDArray[np.float64],
    ) -> None:
        """Count visits of places of flattened arrays, and move the values there."""
        where, inverse, hits = np.unique(places, return_inverse=True, return_counts=True)
        mean = np.bincount(inverse, weights=target) / hits
        flat, visits = values.reshape(-1), counts.reshape(-1)
        visits[where] += hits
        share = np.minimum(1.0, hits * visits[where] ** -self._power)
        if self._set["rate"] > 0:
            share = np.maximum(share, 1 - (1 - self._set["rate"]) ** hits)
        flat[where] += share * (mean - flat[where])

    def _rows(self) -> NDArray[np.int16]:
        if not len(self._index):
            return np.empty((0, len(self._history.cards)), dtype=np.int16)
        return self._index.rows

    def _arrays(self) -> tuple[str, ...]:
        """Return the names of what has a row for each row of the table."""
        return "values", "counts"

    def _check(self, chosen: Mapping[str, Any]) -> None:
        if chosen["window"] < 1 or chosen["copies"] < 1 or not 0 < chosen["discount"] <= 1:
            raise AgentError(
                f"'{self.name}' has window {chosen['window']}, copies {chosen['copies']} and"
                f" discount {chosen['discount']}; give 1 or more, 1 or more, and one in (0, 1]."
            )
        if not _SLOWEST < chosen["power"] <= 1 or not 0 <= chosen["rate"] < 1:
            raise AgentError(
                f"'{self.name}' has power {chosen['power']} and rate {chosen['rate']}; give a"
                " power in (0.5, 1] and a rate in [0, 1)."
            )

    def _open(self, copies: int) -> None:
        self._env = self._field.env(copies)
        seen, _ = self._env.reset()
        blank, start = self._history.begin(copies), np.full(copies, -1, dtype=np.int64)
        self._time = np.zeros(copies, dtype=np.int64)
        rows, self._memory = self._history.rows(blank, np.asarray(seen), start, self._time)
        self._at = self._met(rows)
        self._begun(seen)
        self._action = self.choose(self._at)

    def _step(self) -> None:
        seen, reward, ended, cut, info = self._env.step(self._action)
        over = ended | cut
        self._time = np.where(over, 0, self._time + 1)
        memory = np.where(over[:, None], self._history.begin(len(over)), self._memory)
        last = np.where(over, -1, self._action)
        rows, memory = self._history.rows(memory, np.asarray(seen), last, self._time)
        then = self._met(rows)
        after = seen
        if over.any():
            after = np.array(seen)
            after[over] = np.stack([info["final_obs"][copy] for copy in np.flatnonzero(over)])
        if self.on_policy:
            action = self.choose(then)
            self._learnt(then, reward, over, after, action)
        else:
            self._learnt(then, reward, over, after, self._action)
            self._begun(seen)
            action = self.choose(then)
        self._action, self._at, self._memory = action, then, memory

    def _begun(self, seen: NDArray[Any]) -> None:
        """Take note of the observations that are acted on next."""

    def _learnt(
        self,
        then: NDArray[np.int64],
        reward: NDArray[np.float64],
        over: NDArray[np.bool_],
        seen: NDArray[Any],
        action: NDArray[np.int64],
    ) -> None:
        """Learn from a step of all copies.

        Args:
            then: int64[n], the row that follows, of the next episode where one is over.
            reward: float64[n].
            over: bool[n], where an episode ended.
            seen: uint8[n, D], what the step led to, of the same episode.
            action: int64[n], what is done next; meaningless unless `on_policy`.
        """
        del seen
        ahead = np.where(over, 0.0, self.worth(then, action))
        self.learn(self._at, self._action, reward + self._set["discount"] * ahead)

    def _met(self, rows: NDArray[np.int16]) -> NDArray[np.int64]:
        """Return the numbers of rows, with room for their values."""
        at = self._index.add(rows)
        if len(self._index) > len(self._values):
            self._grow(max(256, 2 * len(self._index)))
        return at

    def _grow(self, size: int) -> None:
        for name in self._arrays():
            old = getattr(self, f"_{name}")
            fill = self._set["initial"] if name == "values" else 0
            more = np.full((size - len(old), *old.shape[1:]), fill, dtype=old.dtype)
            setattr(self, f"_{name}", np.concatenate([old, more]))

    def _read(self, log: Log) -> None:
        raise NotImplementedError


class _Explorer(TableLearner):
    """Act greedily, but for a share of random actions.

    The share is (1 + visits of the row / actions) ** (-1 / 3), and at least ``epsilon``.
    """

    def choose(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the best action, ties at random, or any with the probability to explore."""
        values, count = self._values[at], self._history.actions
        draws = uniforms(self._rng, (len(at), count + 2))
        visits = self._counts[at].sum(axis=1)
        share = np.maximum(self._set["epsilon"], (1 + visits / count) ** -_FADES)
        best = np.where(values == values.max(axis=1, keepdims=True), draws[:, :count], -1.0)
        any_ = (draws[:, count] * count).astype(np.int64)
        return np.where(draws[:, -1] < share, any_, best.argmax(axis=1))

    def _check(self, chosen: Mapping[str, Any]) -> None:
        super()._check(chosen)
        if not 0 <= chosen["epsilon"] <= 1:
            raise AgentError(f"'{self.name}' has epsilon {chosen['epsilon']}; give one in [0, 1].")


def _joined(logs: list[Log]) -> Log:
    from causalbench.env.log import joined

    return joined(logs) if len(logs) > 1 else logs[0]


class QLearning(_Explorer):
    """Learn the value of each action where the best one follows; from a log, too.

    In regime ``see`` the log is gone through until no value moves any more. A logged step counts
    for each action whose settings it satisfies, as if that action had been chosen freely.

    Args:
        **options: window, timed, copies, discount, power, rate, initial, epsilon.
    """

    name = "q-learning"
    regimes = frozenset({"see", *_ONLINE})
    rung3: Mapping[str, str] = {"see": "rung-2", **_ONLINE}

    def _read(self, log: Log) -> None:
        """Solve the log's own Bellman equation.

        Raises:
            AgentError: the log has no rewards.
        """
        if np.isnan(log.reward).any():
            raise AgentError(f"'{self.name}' needs rewards, and the log has none.")
        self._index = Index()
        at = numbered(log, self._history, self._index)
        self._values, self._counts = solved(log, at, len(self._index), self._set["discount"])


class Sarsa(_Explorer):
    """Learn the value of each action where what is really done next follows.

    Args:
        **options: window, timed, copies, discount, power, rate, initial, epsilon.
    """

    name = "sarsa"
    on_policy = True

    def worth(self, at: NDArray[np.int64], action: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the value of what will be done."""
        worth: NDArray[np.float64] = self._values[at, action]
        return worth
