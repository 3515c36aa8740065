"""Hold the stacked tables of worlds as tensors, and read mechanisms of many copies at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from causalbench.env.stream import FIRST, GAMMA, SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.env.torch_stack import Padded

__all__ = ["Tables", "signed", "words"]

_FEW = 8  # up to here counting is faster than bisection
_LOW = 2**32 - 1


def signed(number: int) -> int:
    """Return the int64 of the same 64 bits."""
    number &= 2**64 - 1
    return number - 2**64 if number >= 2**63 else number


def words(keys: torch.Tensor, base: torch.Tensor, width: int) -> torch.Tensor:
    """Return the 32-bit words of a step, as `causalbench.env.stream` counts them.

    Signed products wrap to the same bits as unsigned ones; signed shifts are masked to be logical.

    Args:
        keys: int64[n], the bits of the copies' keys.
        base: int64[n], the number of the step's first 64-bit word.
        width: how many 64-bit words the step takes.

    Returns:
        int64[2 * width, n], from 0 to 2**32 - 1.
    """
    place = torch.arange(width, device=keys.device)[:, None]
    state = (base + place) * signed(GAMMA) ^ keys
    state = (state ^ _shifted(state, 30)) * signed(FIRST)
    state = (state ^ _shifted(state, 27)) * signed(SECOND)
    state = state ^ _shifted(state, 31)
    both = torch.stack([state & _LOW, _shifted(state, 32)], dim=1)
    return both.reshape(2 * width, -1)


def _shifted(state: torch.Tensor, by: int) -> torch.Tensor:
    return (state >> by) & ((1 << (64 - by)) - 1)


@dataclass(frozen=True, eq=False)
class Layer:
    """What all worlds agree on of one mechanism in one slice, or None where they do not.

    Args:
        reads: (cell, stride) of each parent.
        cuts: how many stretches of words end in a row.
        word: which word it takes.
    """

    reads: tuple[tuple[int, int], ...] | None
    cuts: int | None
    word: int | None


class Tables:
    """A `Padded` stack on a device; copies lie along the last axis, so a variable is contiguous.

    Args:
        stack: the worlds.
        copies: how many; copy i is in world i modulo W.
        device: where the tensors live.
    """

    def __init__(self, stack: Padded, copies: int, device: torch.device) -> None:
        def put(array: NDArray[Any]) -> torch.Tensor:
            return torch.from_numpy(array.astype(np.int64)).to(device)

        self.stack = stack
        self.worlds, _, self.size, self.reads = stack.parents.shape
        self.world = torch.arange(copies, device=device) % self.worlds
        self._all = range(self.size)
        self.most = int(stack.cuts.max(initial=0))
        self._parents = put(stack.parents.reshape(-1, self.size, self.reads))
        self._strides = put(stack.strides.reshape(-1, self.size, self.reads))
        self._cuts = put(stack.cuts.reshape(-1, self.size))
        self._at = put(stack.at.reshape(-1, self.size, 2))
        # Where worlds are cut unequally, a read may run past the last row; its result is not used.
        self._last = put(np.pad(stack.last, (0, self.most + 1)))
        self._values = put(stack.values)
        self._word = put(stack.word)
        self.actions = stack.force.shape[1] - 1
        self._sets = [bool((stack.force[:, :, v] >= 0).any()) for v in self._all]
        self._force = put(stack.force.reshape(-1, self.size).T.copy())
        self._maps = put(stack.maps)
        self._maps_alike = bool((stack.maps == stack.maps[0]).all())
        self.early, self.intends = put(stack.early), torch.from_numpy(stack.intends).to(device)
        self.width, self.widest = put(stack.width), int(stack.width.max())
        self.offset = torch.from_numpy(stack.offset.astype(np.float32)).to(device)
        self.groups = stack.pay_at.shape[1]
        self._pay = torch.from_numpy(stack.pay.astype(np.float32)).to(device)
        self._pay_at, self._pay_position = put(stack.pay_at), put(stack.pay_position)
        self._pay_stride = put(stack.pay_stride)
        self._pay_alike = bool(
            (stack.pay_position == stack.pay_position[0]).all()
            and (stack.pay_stride == stack.pay_stride[0]).all()
        )
        self._layers = {
            (part, natural): [self._layer([p + 2 * natural for p in parts], v) for v in self._all]
            for part, parts in {0: [0], 1: [1], None: [0, 1]}.items()
            for natural in (False, True)
        }

    def value(
        self,
        state: torch.Tensor,
        words: torch.Tensor,
        v: int,
        step: torch.Tensor,
        part: int | None,
        *,
        natural: bool = False,
    ) -> torch.Tensor:
        """Return what the mechanism of a position gives in every copy (int64[n]).

        Args:
            state: int64[cells, n].
            words: int64[.., n], of the step.
            v: the position.
            step: int64[n], from 0.
            part: 0 or 1 where all copies are at the first, or at a later step; else None.
            natural: whether the natural course is asked for.
        """
        layer = self._layers[part, natural][v]
        slice_, at = self._begin(v, step, part, natural=natural)
        row = torch.zeros_like(step)
        if layer.reads is not None:
            for cell, stride in layer.reads:
                row = row + state[cell] * stride
        else:
            for p in range(self.reads):
                cells = self._parents[slice_, v, p]
                row = row + state.gather(0, cells[None])[0] * self._strides[slice_, v, p]
        cuts = self._cuts[slice_, v] if layer.cuts is None else layer.cuts
        code: torch.Tensor | int = 0
        if layer.cuts != 0:
            word = words[layer.word] if layer.word is not None else self._own(words, v)
            code = self._count(word, at[0] + row * cuts, cuts)
        return self._values[at[1] + row * (cuts + 1) + code]

    def forced(self, v: int, actions: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Return the value that each action sets a position to; ``value`` where it sets none.

        Args:
            v: the position.
            actions: int64[n]; the number after the last is nature.
            value: int64[n].
        """
        if not self._sets[v]:
            return value
        force = self._force[v][self.world * (self.actions + 1) + actions]
        return torch.where(force >= 0, force, value)

    def paid(self, state: torch.Tensor, group: int, actions: torch.Tensor) -> torch.Tensor:
        """Return what a group of terms pays (float32[n]); group 0 is the event that ends."""
        at = self._pay_at[self.world, group]
        row = at[:, 0] + at[:, 1] * actions
        positions, strides = self.stack.pay_position[0, group], self.stack.pay_stride[0, group]
        for q in range(len(positions)):
            if self._pay_alike:
                if strides[q]:
                    row = row + state[int(positions[q])] * int(strides[q])
                continue
            cell = self._pay_position[self.world, group, q]
            row = row + state.gather(0, cell[None])[0] * self._pay_stride[self.world, group, q]
        return self._pay[row]

    def shown(self, state: torch.Tensor, kind: int) -> torch.Tensor:
        """Return observations, uint8[n, D]; kinds as in `Plan.maps`."""
        if self._maps_alike:
            return state[self._maps[0, kind]].T.to(torch.uint8)
        cells = self._maps[self.world, kind].T.contiguous()
        return state.gather(0, cells).T.to(torch.uint8)

    def _begin(
        self, v: int, step: torch.Tensor, part: int | None, *, natural: bool
    ) -> tuple[torch.Tensor, tuple[torch.Tensor | int, torch.Tensor | int]]:
        """Return each copy's slice, and where its rows begin in the tables."""
        slice_ = self.world * 4 + 2 * natural + (step > 0 if part is None else part)
        if self.worlds == 1 and part is not None:
            first, second = self.stack.at[0, part + 2 * natural, v].tolist()
            return slice_, (first, second)
        at = self._at[slice_, v]
        return slice_, (at[:, 0], at[:, 1])

    def _own(self, words: torch.Tensor, v: int) -> torch.Tensor:
        """Return each copy's word of a position, where worlds place it differently."""
        return words.gather(0, self._word[self.world, v].clamp(min=0)[None])[0]

    def _count(
        self, word: torch.Tensor, begin: torch.Tensor, cuts: torch.Tensor | int
    ) -> torch.Tensor:
        """Count the stretches that end before a word."""
        most = self.most if isinstance(cuts, torch.Tensor) else cuts
        code = torch.zeros_like(word)
        if most <= _FEW:
            for k in range(most):
                past = word > self._last[begin + k]
                code = code + (past & (k < cuts) if isinstance(cuts, torch.Tensor) else past)
            return code
        high = torch.zeros_like(word) + cuts
        for _ in range(most.bit_length()):
            middle = (code + high) >> 1
            past = (word > self._last[begin + middle]) & (code < high)
            code, high = (
                torch.where(past, middle + 1, code),
                torch.where(past, high, torch.minimum(middle, high)),
            )
        return code

    def _layer(self, parts: list[int], v: int) -> Layer:
        s = self.stack
        reads = np.stack([s.parents[:, parts, v], s.strides[:, parts, v]], axis=-1)
        reads = reads.reshape(-1, self.reads, 2).astype(np.int64)
        cuts, word = s.cuts[:, parts, v], s.word[:, v]
        pairs = tuple((int(cell), int(stride)) for cell, stride in reads[0] if stride)
        return Layer(
            pairs if (reads == reads[0]).all() else None,
            int(cuts.flat[0]) if (cuts == cuts.flat[0]).all() else None,
            int(word[0]) if (word == word[0]).all() else None,
        )
