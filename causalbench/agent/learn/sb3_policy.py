"""Read the probabilities of a trained network's actions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.learn.sb3_env import one_hot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.agent.learn.policies import History
    from causalbench.truth.policy import Moment

__all__ = ["NetPolicy", "RecurrentPolicy", "copied", "highest"]

_AT_ONCE = 1 << 15  # rows that go through a network together
_NODES = 96  # of the quadrature; ends at 13 standard deviations


class NetPolicy:
    """A network without memory of its own.

    Args:
        net: the part of a trained policy that chooses; a copy, which no training changes.
        kind: ``chances`` (a distribution over the actions), ``values`` or ``quantiles`` (one value,
            or several, for each action: the best is taken), ``scores`` (one for each action: the
            highest is taken) or ``normal`` (a normal law of each score: how probably each is the
            highest).
        history: what of the past it reads.
    """

    reads_reward = False

    def __init__(self, net: Any, kind: str, history: History) -> None:
        self._net, self._kind, self._history = net, kind, history
        self._cards = history.cards
        self.recalls = history.recalls

    def begin(self, n: int) -> NDArray[np.int16] | None:
        """Return the memory of n copies at the start."""
        return self._history.begin(n) if self.recalls else None

    def act(
        self, moment: Moment, memory: NDArray[np.int16] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int16] | None]:
        """Return the probabilities of the actions, float64[n, A], and the memory afterwards."""
        past = self._history.begin(len(moment.seen)) if memory is None else memory
        rows, after = self._history.rows(past, moment.seen, moment.action, moment.step)
        parts = [self._chances(rows[i : i + _AT_ONCE]) for i in range(0, len(rows), _AT_ONCE)]
        whole = np.concatenate(parts) if parts else np.empty((0, self._history.actions))
        return whole, after if self.recalls else None

    def _chances(self, rows: NDArray[np.int16]) -> NDArray[np.float64]:
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                return self._read(torch.as_tensor(one_hot(rows, self._cards)))
        finally:
            torch.set_num_threads(threads)

    def _read(self, shown: Any) -> NDArray[np.float64]:
        if self._kind == "chances":
            return _whole(self._net.get_distribution(shown).distribution.probs)
        if self._kind == "normal":
            mean, log_spread, _ = self._net.get_action_dist_params(shown)
            return highest(_float64(mean), np.exp(_float64(log_spread)))
        values = self._net(shown)
        if self._kind == "quantiles":
            values = values.mean(dim=1)
        best = _float64(values).argmax(axis=1)
        chosen: NDArray[np.float64] = np.eye(values.shape[1])[best]
        return chosen


class RecurrentPolicy:
    """A network with a memory: the state of its LSTM, float32[n, 2 * layers * width].

    Args:
        net: a trained policy; a copy, which no training changes.
        history: what of the present it reads.
    """

    recalls = True
    reads_reward = False

    def __init__(self, net: Any, history: History) -> None:
        self._net, self._history, self._cards = net, history, history.cards
        lstm = net.lstm_actor
        self._shape = int(lstm.num_layers), int(lstm.hidden_size)

    def begin(self, n: int) -> NDArray[np.float32]:
        """Return the memory of n copies at the start."""
        return np.zeros((n, 2 * self._shape[0] * self._shape[1]), dtype=np.float32)

    def act(
        self, moment: Moment, memory: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the probabilities of the actions, float64[n, A], and the memory afterwards."""
        count = len(moment.seen)
        rows, _ = self._history.rows(
            self._history.begin(count), moment.seen, moment.action, moment.step
        )
        parts = [
            self._part(rows[i : i + _AT_ONCE], memory[i : i + _AT_ONCE])
            for i in range(0, count, _AT_ONCE)
        ]
        if not parts:
            return np.empty((0, self._history.actions)), memory
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    def _part(
        self, rows: NDArray[np.int16], memory: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                halves = memory.reshape(len(rows), 2, *self._shape)
                state = tuple(
                    torch.as_tensor(np.ascontiguousarray(halves[:, i].swapaxes(0, 1)))
                    for i in (0, 1)
                )
                law, after = self._net.get_distribution(
                    torch.as_tensor(one_hot(rows, self._cards)), state, torch.zeros(len(rows))
                )
                both = np.stack([part.numpy().swapaxes(0, 1) for part in after], axis=1)
                return _whole(law.distribution.probs), both.reshape(len(rows), -1)
        finally:
            torch.set_num_threads(threads)


def copied(net: Any) -> Any:
    """Return a copy of a network that chooses, without its optimiser or its last distribution."""
    last = getattr(net, "action_dist", None)
    for held in ("distribution", "gaussian_actions"):  # tensors of a step, which can't be copied
        if getattr(last, held, None) is not None:
            setattr(last, held, None)
    made = copy.deepcopy(net, {id(getattr(net, "optimizer", None)): None})
    made.set_training_mode(mode=False)
    return made


def highest(mean: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probably each of several independent normal variables is the highest.

    P(i is highest) is the integral of the density of i times the others' distribution functions,
    here by the midpoint rule between the quantiles of i. A squashing by tanh keeps the order, so
    this is also the law of the highest of squashed scores.

    Args:
        mean: float64[n, A].
        spread: float64[n, A], standard deviations above 0.

    Returns:
        float64[n, A], each row summing to 1.
    """
    from scipy.stats import norm

    at = norm.ppf((np.arange(_NODES) + 0.5) / _NODES)
    count = mean.shape[1]
    chance = np.empty_like(mean)
    for i in range(count):
        score = mean[:, i, None] + spread[:, i, None] * at
        below = np.ones_like(score)
        for j in range(count):
            if j != i:
                below *= norm.cdf((score - mean[:, j, None]) / spread[:, j, None])
        chance[:, i] = below.mean(axis=1)
    total: NDArray[np.float64] = chance / chance.sum(axis=1, keepdims=True)
    return total


def _float64(tensor: Any) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.cpu().numpy().astype(np.float64)
    return array


def _whole(chances: Any) -> NDArray[np.float64]:
    """Return probabilities that sum to 1 in float64, too."""
    array = _float64(chances)
    total: NDArray[np.float64] = array / array.sum(axis=1, keepdims=True)
    return total
