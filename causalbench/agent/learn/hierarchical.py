"""Hierarchical Q-learning over options that bring about something seen.

For each value of each visible variable there is an option, "make it so": it ends once the value is
seen, and how to get there is learnt from every step that is taken, whatever it was taken for. Above
them another table learns what each option, and each plain action, leads to. Nothing is told to it
but the observations: what is worth reaching shows in rewards alone.

References:
    Sutton, Precup, Singh, "Between MDPs and semi-MDPs: a framework for temporal abstraction in
    reinforcement learning" (1999), for options, for learning inside options, and for leaving an
    option at once when another is better, as `OptionsQ.policy` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.policies import TablePolicy
from causalbench.agent.learn.tabular import TableLearner
from causalbench.errors import AgentError
from causalbench.rng import uniforms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from causalbench.agent.learn.protocol import Field

__all__ = ["OptionsQ"]


class OptionsQ(TableLearner):
    """Learn options, and when to take which.

    Args:
        **options: window, timed, copies, discount, power, rate, initial, epsilon; ``near``, the
            discount of a step towards an option's end; ``stop``, how often an option is left
            before its end, at every step.

    Raises:
        AgentError: an option that it lacks, or a value out of its range.
    """

    name = "options-q"
    _taken: NDArray[np.int64]  # the action or option that each copy is in
    _over: NDArray[np.bool_]  # whether it has ended
    _seen: NDArray[np.int64]  # what was observed last

    def start(self, field: Field, *, rng: np.random.Generator) -> None:
        """Begin anew in a field."""
        super().start(field, rng=rng)
        self._forget(0)
        count, cards = len(field.actions), self._history.nvec[:-2]
        goals = [(place, code) for place, card in enumerate(cards) for code in range(card - 1)]
        self._place = np.array([place for place, _ in goals], dtype=np.int64)
        self._code = np.array([code for _, code in goals], dtype=np.int64)
        # Plain actions first, then options; `ways` are the values of actions inside options.
        self._values = np.zeros((0, count + len(goals)))
        self._counts = np.zeros((0, count + len(goals)), dtype=np.int64)
        self._ways = np.zeros((0, count, len(goals)))
        self._walked = np.zeros((0, count, len(goals)), dtype=np.int64)

    def policy(self) -> TablePolicy:
        """Return the policy that takes the best action or option anew at every step."""
        known, count = len(self._index), self._history.actions
        met = (self._counts[:known] > 0).any(axis=1)
        best = np.where(self._counts[:known] > 0, self._values[:known], -np.inf)[met].argmax(axis=1)
        inside = self._ways[:known][met].argmax(axis=1)
        inside = np.concatenate([np.tile(np.arange(count), (len(best), 1)), inside], axis=1)
        chosen = inside[np.arange(len(best)), best]
        return TablePolicy(self._history, self._rows()[met], np.eye(count)[chosen])

    def choose(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return an action for each copy; options go on until they end."""
        count = self._history.actions
        ends = (self._taken < 0) | self._over
        if ends.any():
            self._taken = np.where(ends, self._picked(at), self._taken)
        ways = self._ways[at, :, np.maximum(self._taken - count, 0)]
        draws = uniforms(self._rng, (len(at), count + 1))
        best = np.where(ways == ways.max(axis=1, keepdims=True), draws[:, :count], -1.0)
        wander = draws[:, -1] < self._set["epsilon"]
        inside = np.where(wander, draws[:, :count].argmax(axis=1), best.argmax(axis=1))
        return np.where(self._taken < count, self._taken, inside)

    def _open(self, copies: int) -> None:
        self._forget(copies)
        super()._open(copies)

    def _forget(self, copies: int) -> None:
        """Take no option in any copy."""
        self._taken = np.full(copies, -1, dtype=np.int64)
        self._over = np.ones(copies, dtype=np.bool_)
        self._seen = np.zeros((copies, len(self._history.nvec)), dtype=np.int64)

    def _begun(self, seen: NDArray[Any]) -> None:
        self._seen = np.asarray(seen, dtype=np.int64)

    def _picked(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return actions or options: mostly the best, and any that can be taken now and then."""
        count = self._history.actions
        plain = np.ones((len(at), count), dtype=np.bool_)
        open_to = np.concatenate([plain, self._ready(at)], axis=1)
        visits = self._counts[at, :count].sum(axis=1)
        share = np.maximum(self._set["epsilon"], (1 + visits / count) ** -0.5)
        draws = uniforms(self._rng, (len(at), open_to.shape[1] + 1))
        values = np.where(open_to, self._values[at], -np.inf)
        top = values == values.max(axis=1, keepdims=True)
        best = np.where(top, draws[:, :-1], -1.0).argmax(axis=1)
        any_ = np.where(open_to, draws[:, :-1], -1.0).argmax(axis=1)
        picked: NDArray[np.int64] = np.where(draws[:, -1] < share, any_, best)
        return picked

    def _ready(self, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return bool[n, G], which options can be taken: a way is known, and there is one to go."""
        reached = self._seen[:, self._place] == self._code
        ready: NDArray[np.bool_] = ~reached & (self._ways[at].max(axis=1) > 0)
        return ready

    def _learnt(
        self,
        then: NDArray[np.int64],
        reward: NDArray[np.float64],
        over: NDArray[np.bool_],
        seen: NDArray[Any],
        action: NDArray[np.int64],
    ) -> None:
        """Learn from a step of all copies what it tells about every option."""
        at, action, count = self._at, self._action, self._history.actions
        goals = len(self._place)
        reached = seen[:, self._place] == self._code
        ahead = np.where(over[:, None], 0.0, self._ways[then].max(axis=1))
        target = np.where(reached, 1.0, self._set["near"] * ahead)
        places = ((at * count + action) * goals)[:, None] + np.arange(goals)
        self._move(self._ways, self._walked, places.ravel(), target.ravel())

        best = self._values[then].max(axis=1, keepdims=True)
        leave = np.where(reached, 1.0, self._set["stop"])
        on = (1 - leave) * self._values[then, count:] + leave * best
        worth = np.concatenate([np.repeat(best, count, axis=1), on], axis=1)
        worth = reward[:, None] + self._set["discount"] * np.where(over[:, None], 0.0, worth)
        fits = np.zeros(worth.shape, dtype=np.bool_)
        fits[np.arange(len(at)), action] = True
        ways = self._ways[at]
        # An option can't be taken where what it brings about holds already.
        fits[:, count:] = (ways.argmax(axis=1) == action[:, None]) & self._ready(at)
        copy, option = np.nonzero(fits)
        self.learn(at[copy], option, worth[copy, option])

        ended = over | (uniforms(self._rng, len(at)) < self._set["stop"])
        inside = self._taken - count
        ended |= (inside < 0) | reached[np.arange(len(at)), np.maximum(inside, 0)]
        self._over = ended

    def _arrays(self) -> tuple[str, ...]:
        return *super()._arrays(), "ways", "walked"

    def _check(self, chosen: Mapping[str, Any]) -> None:
        super()._check(chosen)
        wrong = [key for key in ("epsilon", "stop") if not 0 <= chosen[key] <= 1]
        wrong += [] if 0 < chosen["near"] < 1 else ["near"]
        if wrong:
            raise AgentError(
                f"'{self.name}' has {wrong[0]} {chosen[wrong[0]]}; give one between 0 and 1."
            )
