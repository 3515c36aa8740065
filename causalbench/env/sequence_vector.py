"""Many copies of sequential worlds, stepped at once on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from causalbench.env.bits import binary_of, face_of
from causalbench.env.plan import Plan
from causalbench.env.sealed import Sealed, budget_spent
from causalbench.env.stack import check_alike, stack
from causalbench.env.stream import key_of
from causalbench.errors import AgentError, BudgetExhausted, UnknownNameError
from causalbench.rng import words
from causalbench.scm.program import Program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.env.binary import Binary
    from causalbench.env.bits import Face
    from causalbench.env.episodes import Purse
    from causalbench.scm.play import PlayRegime

__all__ = ["SequenceVectorEnv"]

Observations = NDArray[np.uint8]
Step = tuple[
    Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]


class SequenceVectorEnv(Sealed, VectorEnv[Observations, NDArray[np.int64], NDArray[Any]]):
    """`SequenceEnv`, ``num_envs`` times over, stepped in one pass of compiled loops.

    Copy i plays ``programs[i % len(programs)]``, and after ``reset(seed=s)`` it is the scalar
    environment with seed ``s + i``, bit for bit.

    Args:
        programs: what is played: one program, or several that differ in their laws alone.
        num_envs: how many copies, at least 1.
        regime: as in `SequenceEnv`.
        rng: a lab's source of units; None for a public environment, which honours seeds.
        meter: what pays for each step as it is shown, or None.
        autoreset_mode: ``SAME_STEP``: where an episode ends, the next one's first observation is
            returned and ``info["final_obs"]`` holds the last one's; or ``NEXT_STEP``.

    Raises:
        AccessError: no such regime.
        AgentError: no copies, or another mode of autoreset.
        CouplingError: a regime that runs a unit twice, in a world without couplings.
        WorldError: programs that differ in more than their laws.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium declares it so)
        "render_modes": [],
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        programs: Program | Sequence[Program],
        num_envs: int = 1,
        regime: PlayRegime = "do",
        *,
        rng: np.random.Generator | None = None,
        meter: Purse | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    ) -> None:
        if not isinstance(num_envs, int | np.integer) or num_envs < 1:
            raise AgentError(
                f"num_envs is {num_envs!r}, which leaves nothing to step; give a whole number, 1 or"
                " more."
            )
        modes = {one.value: one for one in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)}
        told = autoreset_mode.value if isinstance(autoreset_mode, AutoresetMode) else autoreset_mode
        if told not in modes:
            raise AgentError(f"autoreset_mode is {told}; give SameStep or NextStep.")
        mode = modes[told]
        programs = (programs,) if isinstance(programs, Program) else tuple(programs)
        check_alike(programs)
        self._programs, self.regime, self.num_envs = programs, regime, num_envs
        made = {id(program): Plan(program, regime) for program in programs[:num_envs]}
        plans = [made[id(program)] for program in programs[:num_envs]]
        self._plan, self._stack = plans[0], stack(plans)
        # Binary worlds of one step, which practice has by the million, have loops of their own.
        same = mode is AutoresetMode.SAME_STEP
        self._binary = binary_of(plans, num_envs) if same else None
        self._shift = 0
        self.metadata = {**self.metadata, "autoreset_mode": mode}
        nvec = self._plan.nvec
        self.single_observation_space = gymnasium.spaces.MultiDiscrete(nvec, dtype=np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(len(self._plan.actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._seal(rng, meter, regime, self._plan.program.play.mode)
        self._same = mode is AutoresetMode.SAME_STEP
        self._keys = np.zeros(num_envs, dtype=np.uint64)
        if rng is not None:
            self._keys[:] = words(rng, num_envs)
        self._keyed = rng is not None
        size = len(self._plan.order)
        rows = np.zeros((num_envs, 3 * size + len(nvec)), dtype=np.uint8)
        rows[:, 3 * size :] = self._plan.blank
        self._blank = np.tile(self._plan.blank, (num_envs, 1))
        self._rows = rows.ravel()
        self._clocks = np.tile(np.array([-1, 0, 0]), num_envs)
        self._states = np.zeros(num_envs, dtype=np.uint64)
        self._face: Face | None = None if self._binary is None else face_of(self._plan)
        self._begun = self._spent = False
        self._seen = self._blank

    @property
    def programs(self) -> tuple[Program, ...]:
        """What is played; a sealed environment does not tell."""
        self._unsealed("programs")
        return self._programs

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions' labels, by index."""
        return self._plan.actions

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every copy.

        Args:
            seed: copy i takes ``seed + i``; or a seed for each copy. None goes on with fresh units.
            options: ``reset_mask`` (bool[num_envs]) begins an episode in some copies alone; the
                observations of the others are repeated.

        Raises:
            AgentError: seeds or a mask that do not fit.
            BudgetExhausted: the budget does not pay for so many steps.
            ResetNeeded: a mask, and some copy has not begun yet.
        """
        which = self._which(options)
        if not which.all():
            if not self._begun:
                raise ResetNeeded("no episode has begun; call reset() without reset_mask first.")
            if self._spent:
                raise budget_spent()
        one = seed if isinstance(seed, int) else None
        super().reset(seed=one, options=options)
        if not self._sealed:
            self._rekey(seed, which)
        self._pay_for(int(which.sum()))
        self._begun, self._spent = True, False
        seen, *_ = self._run(which.astype(np.int64), begin=True)
        if not which.all():
            seen[~which] = self._seen[~which]
        self._seen = seen
        return seen, {}

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Play an action in every copy.

        Args:
            actions: int[num_envs], indices into `actions`.

        Returns:
            (observations uint8[num_envs, D], rewards, whether each episode ended, whether each was
            cut short, info). Under ``SAME_STEP``, info holds ``final_obs`` where episodes ended, as
            `gymnasium.vector.SyncVectorEnv` gives it, and nothing else, ever.

        Raises:
            BudgetExhausted: the last paid step has been delivered.
            ResetNeeded: called before the first reset.
            UnknownNameError: an action that does not exist, or another shape.
        """
        if self._spent:
            raise budget_spent()
        if not self._begun:
            raise ResetNeeded("no episode has begun; call reset() before step().")
        count = self.num_envs
        array = np.asarray(actions)
        if array.shape != (count,) or array.dtype.kind not in "iu":
            raise self._strange(array)
        seen, final, rewards, ended, wrong = self._run(np.ascontiguousarray(array, dtype=np.int64))
        if wrong >= 0:
            raise self._strange(array)
        some = bool(ended.any())
        cut = np.zeros(count, dtype=np.bool_)
        if self._meter is not None:
            fresh = count if self._same else count - int(ended.sum())
            try:
                self._pay_for(fresh)
            except BudgetExhausted:
                self._spent = True
                cut = ~ended
                seen[:] = np.where(ended[:, None] & (not self._same), seen, self._plan.blank)
        info: dict[str, Any] = {}
        if self._same and some:
            if not ended.all():
                final[~ended] = 0
            told = {"final_obs": final, "_final_obs": ended.copy()}
            info = {**told, "final_info": {}, "_final_info": ended.copy()}
        self._seen = seen
        return seen, rewards, ended, cut, info

    def _run(self, actions: NDArray[np.int64], *, begin: bool = False) -> tuple[Any, ...]:
        """Run the loops; return what they fill, and the copy whose action is none, or -1."""
        if self._binary is not None and self._face is not None:
            return self._run_binary(self._binary, self._face, actions, begin=begin)
        from causalbench.env.kernel import step_all

        count = self.num_envs
        seen = self._blank.copy()
        final = self._blank.copy() if self._same and not begin else seen
        rewards, ended = np.empty(count), np.empty(count, dtype=np.bool_)
        wrong = step_all(
            self._stack, self._keys, self._rows, self._clocks, actions,
            self._plan.program.horizon, self.regime == "replay", self._same, begin,
            seen.ravel(), final.ravel(), rewards, ended,
        )  # fmt: skip
        return seen, final, rewards, ended, wrong

    def _run_binary(
        self, binary: Binary, face: Face, actions: NDArray[np.int64], *, begin: bool
    ) -> tuple[Any, ...]:
        """Run the loops for binary worlds of one step."""
        from causalbench.env.binary import step_binary

        count = self.num_envs
        seen = np.empty_like(self._blank)
        final = seen if begin else np.empty_like(self._blank)
        rewards = np.empty(count)
        wrong = step_binary(
            binary, self._shift, *face, self._keys, self._states, self._clocks, actions,
            begin, seen.ravel(), final.ravel(), rewards,
        )  # fmt: skip
        return seen, final, rewards, np.ones(count, dtype=np.bool_), wrong

    def _which(self, options: dict[str, Any] | None) -> NDArray[np.bool_]:
        """Return the copies that a reset is for."""
        mask = options.get("reset_mask") if isinstance(options, Mapping) else None
        if mask is None:
            return np.ones(self.num_envs, dtype=np.bool_)
        which: NDArray[np.bool_] = np.asarray(mask)
        if which.dtype != np.bool_ or which.shape != (self.num_envs,) or not which.any():
            raise AgentError(
                f"reset_mask has shape {which.shape} and type {which.dtype}; give"
                f" {self.num_envs} truth values, one of them true."
            )
        return which

    def _rekey(self, seed: int | Sequence[int | None] | None, which: NDArray[np.bool_]) -> None:
        if seed is None and self._keyed:
            return
        seeds = [seed] * self.num_envs if seed is None else seed
        seeds = range(seeds, seeds + self.num_envs) if isinstance(seeds, int) else list(seeds)
        if len(seeds) != self.num_envs:
            raise AgentError(f"{len(seeds)} seeds for {self.num_envs} copies; give one for each.")
        for own in seeds:
            if own is not None and (not isinstance(own, int | np.integer) or own < 0):
                raise AgentError(f"seed {own!r} is none; give whole numbers from 0 on, or None.")
        if not self._keyed and None in seeds:
            self._keys[:] = self.np_random.integers(2**64, size=self.num_envs, dtype=np.uint64)
            self._clocks[0::3] = -1
        self._keyed = True
        for copy, own in enumerate(seeds):
            if own is not None and which[copy]:
                self._keys[copy] = key_of(own)
                self._clocks[3 * copy] = -1

    def _strange(self, array: NDArray[Any]) -> UnknownNameError:
        return UnknownNameError(
            f"actions have shape {array.shape} and type {array.dtype}; give {self.num_envs}"
            f" integers from 0 to {len(self.actions) - 1}."
        )
