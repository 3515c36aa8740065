"""Many copies of sequential worlds as tensors that never leave their device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from gymnasium.error import ResetNeeded

from causalbench.env.plan import Plan
from causalbench.env.stack import check_alike
from causalbench.env.stream import key_of
from causalbench.env.torch_stack import padded
from causalbench.env.torch_tables import Tables, words
from causalbench.errors import AgentError, UnknownNameError
from causalbench.scm.program import Program
from causalbench.task.observation import MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm.play import PlayRegime

__all__ = ["SequenceTorchEnv"]

_FIRST, _RUNNING, _LAST = 0, 1, 2  # what an observation gathers (see `Plan.maps`)
Step = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]


class SequenceTorchEnv:
    """`SequenceVectorEnv` in torch: the same rollouts from the same seeds, on any device.

    All copies are stepped by the same few tensor operations for each variable, with no loop over
    copies. Episodes that end are followed by others in the same step. It is for training alone,
    so it cannot be sealed. A step waits for the device once, to refuse actions that do not exist.

    Args:
        programs: what is played: one program, or several that differ in their laws alone; copy i
            plays ``programs[i % len(programs)]``.
        num_envs: how many copies, at least 1.
        regime: as in `SequenceEnv`.
        device: where the tensors live.
        seed: copy i takes ``seed + i``.

    Attributes:
        nvec: how many codes each place of an observation has.
        actions: the actions' labels, by index.

    Raises:
        AccessError: no such regime.
        AgentError: no copies.
        CouplingError: a regime that runs a unit twice, in a world without couplings.
        WorldError: programs that differ in more than their laws.
    """

    def __init__(
        self,
        programs: Program | Sequence[Program],
        num_envs: int,
        regime: PlayRegime = "do",
        *,
        device: str | torch.device = "cpu",
        seed: int = 0,
    ) -> None:
        if num_envs < 1:
            raise AgentError(
                f"num_envs is {num_envs}, which leaves nothing to step; give 1 or more."
            )
        programs = (programs,) if isinstance(programs, Program) else tuple(programs)
        check_alike(programs)
        made = {id(program): Plan(program, regime) for program in programs[:num_envs]}
        plans = [made[id(program)] for program in programs[:num_envs]]
        plan = plans[0]
        self.device = torch.device(device)
        self.num_envs, self.regime = num_envs, regime
        self.nvec: tuple[int, ...] = tuple(int(n) for n in plan.nvec)
        self.actions: tuple[str, ...] = plan.actions
        self._seed, self._size, self._horizon = seed, len(plan.order), plan.program.horizon
        self._replay = regime == "replay"
        stacked = padded(plans)
        self._tables = Tables(stacked, num_envs, self.device)
        # Where nothing ends an episode early, all copies are at one step, known without asking.
        self._even = all(each.ends is None for each in plans)
        low, high = int(stacked.early.min()), int(stacked.early.max())
        self._early, self._late, self._mixed = range(high), range(low, self._size), range(low, high)
        self._intends = [v for v in self._late if bool(stacked.intends[:, v].any())]
        self._blank = torch.tensor(plan.blank.astype(np.int64), device=self.device)
        self._begun = False
        self._at, self._seeing = 0, self._replay

    def reset(self, *, seed: int | None = None) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Begin an episode in every copy.

        Args:
            seed: copy i takes ``seed + i``; None goes on with fresh units.

        Returns:
            Observations uint8[num_envs, D], and an empty dict.
        """
        if seed is not None or not self._begun:
            first = self._seed if seed is None else seed
            keys = np.array([key_of(first + i) for i in range(self.num_envs)], dtype=np.uint64)
            self._keys = torch.from_numpy(keys.view(np.int64)).to(self.device)
            self._episode = torch.full_like(self._keys, -1)
            cells = torch.zeros_like(self._keys).expand(3 * self._size, -1)
            self._state = torch.cat([cells, self._blank[:, None].expand(-1, self.num_envs)])
            self._words = torch.zeros_like(self._keys)[None]
            self._begun = True
        self._episode = self._episode + 1
        self._step = torch.zeros_like(self._episode)
        self._watching = torch.full_like(self._step, self._replay, dtype=torch.bool)
        self._at, self._seeing = 0, self._replay
        self._open(None)
        if self._replay:
            self._watch(None)
        return self._shown(_RUNNING if self._replay else _FIRST), {}

    def step(self, actions: torch.Tensor) -> Step:
        """Play an action in every copy.

        Args:
            actions: whole numbers [num_envs] on the device, indices into `actions`.

        Returns:
            (observations uint8[num_envs, D], rewards float32[num_envs], terminated bool[num_envs],
            truncated bool[num_envs], info). Info holds ``final_obs`` uint8[num_envs, D] and
            ``_final_obs`` bool[num_envs], the copies whose row of it is the last observation of an
            episode that ended; the other rows are 0.

        Raises:
            ResetNeeded: called before the first reset.
            UnknownNameError: an action that does not exist, or another shape.
        """
        if not self._begun:
            raise ResetNeeded("no episode has begun; call reset() before step().")
        actions = self._checked(actions)
        acting = ~self._watching
        nature = self._tables.actions
        self._finish(torch.where(acting, actions, nature) if self._replay else actions, None)
        over = self._over(actions)
        ended = over & acting
        reward = torch.where(acting, self._rewards(actions), 0.0)
        final = torch.where(ended[:, None], self._shown(_LAST), 0)
        begun = self._even and self._at + 1 == self._horizon and not self._seeing
        self._go_on(over, None)
        self._episode = self._episode + ended
        self._open(None)
        if self._replay and (begun or not self._even):
            self._watch(None if self._even else ended)
        if self._replay or (self._even and self._at > 0):
            seen = self._shown(_RUNNING)
        elif self._even:
            seen = self._shown(_FIRST)
        else:
            seen = torch.where(ended[:, None], self._shown(_FIRST), self._shown(_RUNNING))
        never = torch.zeros_like(ended)
        return seen, reward, ended, never, {"final_obs": final, "_final_obs": ended}

    @property
    def _part(self) -> int | None:
        """Which slice all copies are in, or None where they differ."""
        return min(self._at, 1) if self._even else None

    def _open(self, which: torch.Tensor | None) -> None:
        """Give a step its early values, and its natural ones as far as they are shown."""
        tables, size, state = self._tables, self._size, self._state
        base = (self._episode * self._horizon + self._step) * tables.width[tables.world]
        drawn = words(self._keys, base, tables.widest)
        if which is None:
            self._words = drawn
            state[size : 2 * size] = state[:size]
        else:
            self._words = torch.where(which, drawn, self._words)
            state[size : 2 * size] = torch.where(which, state[:size], state[size : 2 * size])
        for v in self._early:
            value = tables.value(state, self._words, v, self._step, self._part)
            mask = v < tables.early[tables.world] if v in self._mixed else None
            self._put(v, value, _both(which, mask))
        for v in self._intends:
            value = tables.value(state, self._words, v, self._step, self._part, natural=True)
            self._put(2 * size + v, value, _both(which, tables.intends[tables.world, v]))

    def _finish(self, actions: torch.Tensor, which: torch.Tensor | None) -> None:
        """Give a step its late values."""
        tables = self._tables
        for v in self._late:
            value = tables.value(self._state, self._words, v, self._step, self._part)
            mask = v >= tables.early[tables.world] if v in self._mixed else None
            self._put(v, tables.forced(v, actions, value), _both(which, mask))

    def _put(self, cell: int, value: torch.Tensor, which: torch.Tensor | None) -> None:
        kept = self._state[cell]
        self._state[cell] = value if which is None else torch.where(which, value, kept)

    def _over(self, actions: torch.Tensor) -> torch.Tensor:
        """Tell which courses are over."""
        if self._even:
            return torch.full_like(self._watching, self._at + 1 == self._horizon)
        last = self._step + 1 == self._horizon
        return last | (self._tables.paid(self._state, 0, actions) > 0)

    def _rewards(self, actions: torch.Tensor) -> torch.Tensor:
        tables = self._tables
        total = torch.where(self._step == 0, tables.offset[tables.world], 0.0)
        for group in range(1, tables.groups):
            total = total + tables.paid(self._state, group, actions)
        return total

    def _go_on(self, over: torch.Tensor, which: torch.Tensor | None) -> None:
        """Go on to the next step, to the second course, or to another episode."""
        step = torch.where(over, 0, self._step + 1)
        watching = (self._watching ^ over) & self._replay
        self._step = step if which is None else torch.where(which, step, self._step)
        self._watching = watching if which is None else torch.where(which, watching, self._watching)
        if self._at + 1 == self._horizon:
            self._at, self._seeing = 0, self._replay and not self._seeing
        else:
            self._at += 1
        if self._replay:
            act, redo = MODES.index("act"), MODES.index("redo")
            self._state[3 * self._size + len(self.nvec) - 2] = torch.where(
                self._watching, act, redo
            )

    def _watch(self, which: torch.Tensor | None) -> None:
        """Let nature finish the first step of the watched course, and open what comes next."""
        nature = torch.full_like(self._step, self._tables.actions)
        self._finish(nature, which)
        self._go_on(self._over(nature), which)
        self._open(which)

    def _shown(self, kind: int) -> torch.Tensor:
        return self._tables.shown(self._state, kind)

    def _checked(self, actions: torch.Tensor) -> torch.Tensor:
        count = len(self.actions)
        whole = not (actions.is_floating_point() or actions.is_complex())
        fits = whole and actions.dtype != torch.bool and actions.shape == (self.num_envs,)
        if not fits or bool(((actions < 0) | (actions >= count)).any()):
            raise UnknownNameError(
                f"actions have shape {tuple(actions.shape)} and type {actions.dtype}; give"
                f" {self.num_envs} integers from 0 to {count - 1}."
            )
        return actions.to(torch.int64)


def _both(one: torch.Tensor | None, other: torch.Tensor | None) -> torch.Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
