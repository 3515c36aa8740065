"""What a policy is, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from causalbench.scm.play import PlayRegime

__all__ = ["Moment", "Policy", "Reference", "Value"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What n copies of a policy have before them.

    Args:
        seen: uint8[n, D], the observation vectors of the environment.
        action: int64[n], the action taken last, -1 at the start.
        reward: float64[n], the reward paid last, 0 at the start.
        step: how many steps have been played, from 0.
    """

    seen: NDArray[np.uint8]
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    step: int


class Policy(Protocol):
    """A rule that gives each action a probability; `recalls` and `reads_reward` are attributes."""

    @property
    def recalls(self) -> bool:
        """Whether it has a memory.

        One without acts on the observation (and the step) alone, so it is quick to value exactly.
        """
        ...

    @property
    def reads_reward(self) -> bool:
        """Whether rewards reach its memory or its choice."""
        ...

    def begin(self, n: int) -> Any:
        """Return the memory of n copies at the start: an array of n rows, several, or None."""
        ...

    def act(self, moment: Moment, memory: Any) -> tuple[NDArray[np.float64], Any]:
        """Return the probabilities of the actions, float64[n, A], and the memory afterwards.

        Each row of both goes by the same row of the moment and the memory alone. Copies that have
        the same before them may be asked as one, and different ones in any number of calls, so what
        an object keeps from call to call besides its memory has no meaning.
        """
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """What a policy is worth: its expected return, scaled to [0, 1].

    Args:
        value: the expected return; the middle of the interval where it is not exact.
        low: equal to ``value`` where it is exact; else the lower end.
        high: likewise the upper end.
        exact: whether the value is exact (to rounding).
        histories: how many histories were gone through, or rollouts drawn.
        goal: the expected return of what is meant; equal to ``value`` where nothing else is meant.
        length: the expected number of steps of an episode.
    """

    value: float
    low: float
    high: float
    exact: bool
    histories: int
    goal: float
    length: float


@dataclass(frozen=True, slots=True)
class Reference:
    """The best policy of a rung in one process, and its true value.

    Args:
        regime: ``see``, ``do``, ``intent`` or ``replay``: what the rung knows and is shown.
        value: its true value. Of the see policy: chosen by what is seen, valued by what it brings
            about.
        policy: it, ready to be rolled out; None where only an interval of its value is known.
    """

    regime: PlayRegime
    value: Value
    policy: Policy | None
