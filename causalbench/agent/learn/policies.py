"""Turn histories into rows of small codes, count rows, and hold policies that are tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.truth.policy import Moment

__all__ = ["History", "Index", "TablePolicy", "greedy"]


@dataclass(frozen=True)
class History:
    """Which part of the past a learner acts on, as rows of small codes.

    A row holds the last ``window`` observations with the actions between them, then the step. What
    lies before the start has a code of its own.

    Args:
        nvec: the codes in each place of an observation.
        actions: how many actions there are.
        steps: the most steps of an episode.
        window: how many observations, at least 1.
        timed: whether the step is part of the row.
        acted: whether the action before the earliest observation is part of it, too.
    """

    nvec: tuple[int, ...]
    actions: int
    steps: int
    window: int = 1
    timed: bool = True
    acted: bool = False

    @property
    def recalls(self) -> bool:
        """Whether a row holds more than the present observation and the step."""
        return self.window > 1 or self.acted

    @property
    def cards(self) -> NDArray[np.int64]:
        """int64[W], the number of codes in each place of a row."""
        past = [self.actions + 1, *(n + 1 for n in self.nvec)] * (self.window - 1)
        whole = [*past, self.actions + 1, *self.nvec][0 if self.acted else 1 :]
        return np.array([*whole, *([self.steps + 1] if self.timed else [])], dtype=np.int64)

    def begin(self, n: int) -> NDArray[np.int16]:
        """Return the memory of n copies at the start, int16[n, (window - 1) * (D + 1)]."""
        blank = np.array([self.actions, *self.nvec], dtype=np.int16)
        return np.tile(blank, (n, self.window - 1))

    def rows(
        self,
        memory: NDArray[np.int16],
        seen: NDArray[Any],
        action: NDArray[np.int64],
        step: NDArray[np.int64] | int,
    ) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Return the present rows and the memory afterwards.

        Args:
            memory: as `begin` or this method gave it.
            seen: int[n, D], the observations.
            action: int64[n], the actions taken last, -1 at the start.
            step: how many steps have been played.
        """
        width = len(self.nvec) + 1
        whole = np.empty((len(seen), self.window * width + 1), dtype=np.int16)
        whole[:, : memory.shape[1]] = memory
        whole[:, -width - 1] = np.where(action < 0, self.actions, action)
        whole[:, -width:-1] = seen
        whole[:, -1] = np.minimum(step, self.steps)
        kept = whole[:, 0 if self.acted else 1 : None if self.timed else -1]
        return np.ascontiguousarray(kept), whole[:, width:-1]


class Index:
    """Number rows in the order in which they are first met."""

    def __init__(self) -> None:
        self._at: dict[bytes, int] = {}
        self._width = 0

    def __len__(self) -> int:
        return len(self._at)

    def add(self, rows: NDArray[np.int16]) -> NDArray[np.int64]:
        """Return the number of each row, int64[n]; new rows get the next ones."""
        at, self._width = self._at, rows.shape[1]
        return np.array([at.setdefault(key, len(at)) for key in _keys(rows)], dtype=np.int64)

    def find(self, rows: NDArray[np.int16]) -> NDArray[np.int64]:
        """Return the number of each row, -1 for those never met."""
        at = self._at
        return np.array([at.get(key, -1) for key in _keys(rows)], dtype=np.int64)

    @property
    def rows(self) -> NDArray[np.int16]:
        """int16[len, W], all rows met, by number."""
        joined = b"".join(self._at)
        return np.frombuffer(joined, dtype=np.int16).reshape(len(self._at), self._width).copy()


@dataclass(eq=False)
class TablePolicy:
    """Probabilities of the actions by row; uniform on rows that are not in the table.

    Args:
        history: how rows are made.
        rows: int16[K, W].
        probabilities: float64[K, A], each row summing to 1.

    Attributes:
        asked: how many choices have been asked for.
        unseen: how many of them on rows that are not in the table.
    """

    history: History
    rows: NDArray[np.int16]
    probabilities: NDArray[np.float64]
    asked: int = 0
    unseen: int = 0
    reads_reward: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._index = Index()
        if len(self.rows):
            self._index.add(np.ascontiguousarray(self.rows, dtype=np.int16))
        uniform = np.full((1, self.history.actions), 1.0 / self.history.actions)
        self._table = np.concatenate([self.probabilities, uniform])  # -1 finds the last row

    @property
    def recalls(self) -> bool:
        """Whether it acts on more than the observation and the step."""
        return self.history.recalls

    def begin(self, n: int) -> NDArray[np.int16] | None:
        """Return the memory of n copies at the start."""
        return self.history.begin(n) if self.recalls else None

    def act(
        self, moment: Moment, memory: NDArray[np.int16] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int16] | None]:
        """Return the probabilities of the actions, float64[n, A], and the memory afterwards."""
        past = self.history.begin(len(moment.seen)) if memory is None else memory
        rows, after = self.history.rows(past, moment.seen, moment.action, moment.step)
        found = self._index.find(rows)
        self.asked += len(found)
        self.unseen += int((found < 0).sum())
        return self._table[found], after if self.recalls else None


def greedy(values: NDArray[np.float64], tried: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return one-hot probabilities of each row's best action among those tried, ties to the first.

    Args:
        values: float64[K, A].
        tried: bool[K, A], at least one in each row.
    """
    best = np.where(tried, values, -np.inf).argmax(axis=1)
    chosen: NDArray[np.float64] = np.eye(values.shape[1])[best]
    return chosen


def _keys(rows: NDArray[np.int16]) -> list[bytes]:
    """Return each row as bytes."""
    flat = np.ascontiguousarray(rows)
    whole: Any = flat.view(np.dtype((np.void, flat.shape[1] * 2))).ravel().tolist()
    keys: list[bytes] = whole
    return keys
