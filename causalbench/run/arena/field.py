"""Let a learner into a world: sealed environments and logs, and every step of them counted."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import AccessError
from causalbench.rng import child, permutation, words
from causalbench.scm.program import Program
from causalbench.task.observation import codes_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from causalbench.env.log import Log
    from causalbench.scm.play import PlayRegime

__all__ = ["ArenaField", "Meter"]

_ENDLESS = 2**62
_EXACT = 11  # 64 - 53: seeds stay below 2**53


class Meter:
    """Count what environments and logs hand out; it has no limit of its own.

    A learner is asked for so many steps, and what it took is told beside what it was asked for.
    """

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self.steps = 0

    def left(self, kind: str) -> int:
        """Return the units left of a kind: more than anybody can use."""
        del kind
        return _ENDLESS

    def charge(self, kind: str, n: int, *, steps: bool = False) -> None:
        """Count units of a kind.

        Raises:
            AccessError: a negative number, which would give some back.
        """
        if n < 0:
            msg = f"{n} {kind} cannot be charged; what was taken is never given back."
            raise AccessError(msg)
        self._spent[kind] += n
        self.steps += n * steps

    @property
    def spent(self) -> dict[str, int]:
        """What was spent, by kind, and the steps of environments."""
        return {**{kind: self._spent[kind] for kind in sorted(self._spent)}, "steps": self.steps}


class ArenaField:
    """One world, one phase and one regime, as a learner is let into it.

    What environments and logs draw comes from a stream of its own for each of them; whoever uses
    them can neither seed nor copy them.

    Args:
        programs: the world's phase; or several worlds that differ in their laws alone, of which
            each copy of an environment plays one, in an order that is drawn anew for each.
        regime: ``see`` gives logs alone, the others environments alone.
        family: the world's family, or "".
        rng: where the streams come from.
        meter: counts; one may be shared by several fields.

    Raises:
        AccessError: no such regime.
        CouplingError: the regime runs a unit twice and a mechanism has no coupling.
    """

    def __init__(
        self,
        programs: Program | Sequence[Program],
        regime: PlayRegime,
        *,
        family: str,
        rng: np.random.Generator,
        meter: Meter | None = None,
    ) -> None:
        listed = [programs] if isinstance(programs, Program) else list(programs)
        program = listed[0]
        for each in listed:
            each.need(regime)
        self.regime: PlayRegime = regime
        self.nvec: NDArray[np.int64] = codes_in(
            program.process.variable(name) for name in program.process.visible
        )
        self.actions: tuple[str, ...] = program.play.actions
        self.horizon: int = program.horizon
        self.family = family
        self.meter = meter or Meter()
        self._programs, self._rng = listed, rng
        self._blocks: list[Log] = []
        self._source: Iterator[Log] = iter(())
        self._read = 0
        if regime == "see":
            from causalbench.env.record import recorded

            self._source = recorded(program, seed=int(words(rng, 1)[0] >> np.uint64(_EXACT)))

    def env(self, num_envs: int = 1) -> VectorEnv[Any, Any, Any]:
        """Return a sealed vector environment whose steps are counted.

        Raises:
            AccessError: the regime is ``see``.
        """
        if self.regime == "see":
            msg = "regime 'see' gives no environment to act in; learn from log(steps)."
            raise AccessError(msg)
        from causalbench.env import SequenceVectorEnv

        programs = self._programs
        if len(programs) > 1:
            programs = [programs[place] for place in permutation(self._rng, len(programs))]
        return SequenceVectorEnv(
            programs, num_envs, self.regime, rng=child(self._rng), meter=self.meter
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        msg = (
            "a field cannot be copied or pickled, because a fork would meet the same units again;"
            " ask it for another environment."
        )
        raise AccessError(msg)

    def log(self, steps: int) -> Log:
        """Return a log's first episodes that hold at least so many steps; each is counted once.

        Raises:
            AccessError: the regime is not ``see``.
        """
        if self.regime != "see":
            msg = f"regime '{self.regime}' gives no log; act in env()."
            raise AccessError(msg)
        from causalbench.env.log import joined

        parts, left = [], steps
        for number in itertools.count():
            if number == len(self._blocks):
                self._blocks.append(next(self._source))
            parts.append(self._blocks[number].first(left))
            left -= parts[-1].steps
            if left <= 0:
                break
        found = joined(parts)
        self.meter.charge("rows", max(0, found.steps - self._read))
        self._read = max(self._read, found.steps)
        return found
