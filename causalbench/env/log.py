"""Hold episodes that a behaviour policy has played."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import ScoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Log", "joined"]


@dataclass(frozen=True, eq=False)
class Log:
    """Episodes that a behaviour policy has played.

    Args:
        seen: uint8[E, T + 1, D], the observations of each episode; those after its end repeat the
            last one.
        action: int64[E, T], what the behaviour policy did, as the index of an action; -1 after the
            end, and where what it did is none of the actions.
        matches: bool[E, T, A], every action whose settings the step satisfies: what was done is an
            instance of each of them. False after the end.
        reward: float64[E, T], 0 after the end; NaN throughout where rewards are not recorded.
        length: int64[E], the steps of each episode.
        terminal: bool[E], whether its last step ended it (always, but where it was cut short).
    """

    seen: NDArray[np.uint8]
    action: NDArray[np.int64]
    matches: NDArray[np.bool_]
    reward: NDArray[np.float64]
    length: NDArray[np.int64]
    terminal: NDArray[np.bool_]

    @property
    def episodes(self) -> int:
        """The number of episodes."""
        return len(self.length)

    @property
    def steps(self) -> int:
        """The number of steps of all episodes."""
        return int(self.length.sum())

    @property
    def alive(self) -> NDArray[np.bool_]:
        """bool[E, T], the steps that were played."""
        taken: NDArray[np.bool_] = np.arange(self.action.shape[1]) < self.length[:, None]
        return taken

    @property
    def rewarded(self) -> bool:
        """Whether rewards are recorded."""
        return not bool(np.isnan(self.reward).any())

    def head(self, episodes: int) -> Log:
        """Return the first episodes."""
        return Log(*(getattr(self, field.name)[:episodes] for field in fields(self)))

    def first(self, steps: int) -> Log:
        """Return the first episodes that hold at least so many steps (all, if there are fewer)."""
        return self.head(int(np.searchsorted(np.cumsum(self.length), steps)) + 1)

    def without_rewards(self) -> Log:
        """Return the same episodes with no rewards recorded."""
        blank = np.full_like(self.reward, np.nan)
        return Log(self.seen, self.action, self.matches, blank, self.length, self.terminal)


def joined(logs: Sequence[Log]) -> Log:
    """Put logs of one play after another.

    Raises:
        ScoreError: there are none.
    """
    if not logs:
        raise ScoreError("no log was given to join; give at least one.")
    if len(logs) == 1:
        return logs[0]
    return Log(*(np.concatenate([getattr(log, f.name) for log in logs]) for f in fields(Log)))
