"""Let a learner into a log that is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.errors import AccessError
from causalbench.task.observation import codes_in

if TYPE_CHECKING:
    import numpy as np
    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from causalbench.env.log import Log
    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program

__all__ = ["LogField"]


@dataclass(frozen=True, eq=False)
class LogField:
    """A field of one log, unmetered: for trying learners on logs of one's own making.

    Args:
        held: the log.
        nvec: int64[D], the codes in each place of an observation.
        actions: the actions' labels.
        horizon: the most steps of an episode.
        family: the world's, for presets; "" for none.
    """

    held: Log
    nvec: NDArray[np.int64]
    actions: tuple[str, ...]
    horizon: int
    family: str = ""
    regime: PlayRegime = "see"

    @classmethod
    def of(cls, program: Program, log: Log, family: str = "") -> LogField:
        """Return the field of a log that was recorded of a program."""
        process = program.process
        nvec = codes_in(process.variable(name) for name in process.visible)
        return cls(log, nvec, program.play.actions, program.horizon, family)

    def env(self, num_envs: int = 1) -> VectorEnv[Any, Any, Any]:
        """Refuse to act.

        Raises:
            AccessError: always.
        """
        raise AccessError(f"a log gives no environment, let alone {num_envs}; learn from log().")

    def log(self, steps: int) -> Log:
        """Return the first episodes that hold at least so many steps.

        Raises:
            AccessError: the log is shorter.
        """
        if steps > self.held.steps:
            raise AccessError(
                f"{steps} steps were asked of a log of {self.held.steps}; record a longer one."
            )
        return self.held.first(steps)
