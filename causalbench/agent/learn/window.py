"""Code what an agent has seen lately as a few small integers, the same from a log and in play.

The places are: the observation; the step; then, for each earlier observation that is kept, the
action that followed it and the observation itself, the latest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import AgentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.log import Log
    from causalbench.truth.policy import Moment

__all__ = ["Window"]

_STEPS = 128  # codes of the step, at most: longer episodes share some


@dataclass(frozen=True)
class Window:
    """The coding of the last observations, and of the actions between them.

    Args:
        nvec: the codes in each place of an observation.
        actions: how many there are.
        horizon: the most steps of an episode.
        history: how many observations are kept, at least 1.
    """

    nvec: tuple[int, ...]
    actions: int
    horizon: int
    history: int = 1

    def __post_init__(self) -> None:
        if self.history < 1:
            raise AgentError(f"history is {self.history} observations; give 1 or more.")

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """int64[P], the number of codes in each place."""
        past = [self.actions + 1, *(size + 1 for size in self.nvec)]  # one more each: not yet
        places = [*self.nvec, self._steps, *(past * (self.history - 1))]
        return np.array(places, dtype=np.int64)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """int64[P], where each place begins in a vector of zeros and ones."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    @property
    def width(self) -> int:
        """The length of a vector of zeros and ones."""
        return int(self.sizes.sum())

    @property
    def _steps(self) -> int:
        return min(self.horizon + 1, _STEPS)

    def _step(self, step: NDArray[np.int64] | int) -> NDArray[np.int64]:
        return np.asarray(step) * (self._steps - 1) // self.horizon

    @property
    def _blank(self) -> NDArray[np.int16]:
        """int16[(history - 1) * (1 + D)], the past of an agent that has none."""
        return np.array([self.actions, *self.nvec] * (self.history - 1), dtype=np.int16)

    def begin(self, n: int) -> NDArray[np.int16] | None:
        """Return the memory of n copies at the start, None where nothing earlier is kept."""
        return None if self.history == 1 else np.tile(self._blank, (n, 1))

    def codes(
        self, moment: Moment, memory: NDArray[np.int16] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int16] | None]:
        """Return int64[n, P], the codes of a moment, and the memory afterwards."""
        n = len(moment.seen)
        step = np.full((n, 1), self._step(min(moment.step, self.horizon)))
        if memory is None:
            return np.concatenate([moment.seen, step], axis=1).astype(np.int64), None
        past = memory.copy()
        past[:, 0] = np.where(moment.action < 0, self.actions, moment.action)
        codes = np.concatenate([moment.seen, step, past], axis=1).astype(np.int64)
        now = np.concatenate([np.full((n, 1), self.actions), moment.seen], axis=1)
        kept = past[:, : past.shape[1] - now.shape[1]]
        return codes, np.concatenate([now, kept], axis=1).astype(np.int16)

    def of_log(self, log: Log) -> NDArray[np.int16]:
        """Return int16[E, T + 1, P], the codes at every observation of a log.

        Those after an episode's end mean nothing.
        """
        episodes, times, width = log.seen.shape
        if width != len(self.nvec) or log.matches.shape[2] != self.actions:
            raise AgentError(
                f"a log of {width} places and {log.matches.shape[2]} actions does not fit a window"
                f" of {len(self.nvec)} and {self.actions}; give the log of the same play."
            )
        codes = np.empty((episodes, times, len(self.sizes)), dtype=np.int16)
        codes[:, :, :width] = log.seen
        codes[:, :, width] = self._step(np.minimum(np.arange(times), self.horizon))
        codes[:, :, width + 1 :] = self._blank
        for back in range(1, self.history):
            place = width + 1 + (back - 1) * (width + 1)
            action = log.action[:, : times - back]
            codes[:, back:, place] = np.where(action < 0, self.actions, action)
            codes[:, back:, place + 1 : place + 1 + width] = log.seen[:, : times - back]
        return codes

    def keys(self, codes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return one number a row of codes, equal where the codes are.

        Raises:
            AgentError: there are too many codes to number.
        """
        radix = np.ones(len(self.sizes), dtype=np.int64)
        total = 1
        for place in range(len(self.sizes) - 1, -1, -1):
            radix[place] = total
            total *= int(self.sizes[place])
            if total >= 2**62:
                raise AgentError(
                    f"a history of {self.history} observations is too long for a table; shorten it."
                )
        numbers: NDArray[np.int64] = codes.astype(np.int64) @ radix
        return numbers
