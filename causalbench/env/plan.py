"""Lay a program out for stepping: positions, pieces of lines, pay as tables.

The variables of a step are put in the order in which they take their values: first those that no
action can change, then the rest ("positions"). The state of a copy is a row of bytes: V present
values, V earlier ones, V natural ones, and the constants of an observation vector; an observation
gathers bytes of that row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from causalbench.env.stream import layout, thresholds
from causalbench.errors import AccessError, WorldError
from causalbench.task.observation import MODES, codes_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.scm.program import Line, Program, Term

__all__ = ["Pay", "Piece", "Plan"]

_MOST_CELLS = 1 << 16  # of a table of pay; terms that need more are paid one after another


@dataclass(frozen=True, slots=True)
class Piece:
    """One mechanism by row: the value is a step function of the 32-bit word.

    Args:
        parents: int64[P], positions, V more for a value one step earlier.
        strides: int64[P], into the rows.
        last: uint32[rows, M], the last word of each stretch; 2**32 - 1 where there is no next one.
        values: uint8[rows, M + 1], the value on each stretch: that of word w is
            ``values[row, number of last < w]``.
    """

    parents: NDArray[np.int64]
    strides: NDArray[np.int64]
    last: NDArray[np.uint32]
    values: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pay:
    """What some positions pay together.

    Args:
        positions: int64[Q].
        strides: int64[Q], into the table.
        action: the stride of the action, 0 where it does not matter.
        table: float64[cells].
    """

    positions: NDArray[np.int64]
    strides: NDArray[np.int64]
    action: int
    table: NDArray[np.float64]


class Plan:
    """A program under a regime, laid out.

    Args:
        program: what is played.
        regime: how; see `causalbench.scm.Play`.

    Raises:
        AccessError: no such regime, or one that a redo cannot be played under.
        CouplingError: a regime that runs a unit twice, where a mechanism has no coupling.
        WorldError: an event over more values than a table holds, or a ``redo`` of several steps.
    """

    def __init__(self, program: Program, regime: str) -> None:
        program.need(regime)
        self.program, self.regime = program, regime
        play = program.play
        if play.mode == "redo" and program.horizon > 1:
            raise WorldError(
                f"play '{play.id}' redoes {program.horizon} steps; regime 'replay' of an act does"
            )
        if play.mode == "redo" and regime in {"see", "intent"}:
            raise AccessError(
                f"play '{play.id}' redoes, which regime '{regime}' does not; use replay, or do for"
                " fresh units with nothing seen."
            )
        self.early = int(program.early.sum())
        self.order = np.concatenate(
            [np.flatnonzero(program.early), np.flatnonzero(~program.early)]
        ).astype(np.int64)
        self.position = np.argsort(self.order)
        places, self.width = layout(program)
        self.words = places[self.order]
        self.force = program.force[:, self.order]
        if regime == "see" and play.mode != "bet":
            self.force = np.full((1, len(self.order)), -1, dtype=np.int16)
        low, high = program.returns
        self.scale, self.offset = high - low, -low / (high - low)

    @property
    def actions(self) -> tuple[str, ...]:
        """The labels of what can be done: ``watch`` alone under ``see``, but for bets."""
        watch = self.regime == "see" and self.program.play.mode != "bet"
        return ("watch",) if watch else self.program.play.actions

    @cached_property
    def lines(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """The mechanisms of the first and of later steps, by position."""
        first = tuple(self._piece(self.program.first[slot]) for slot in self.order)
        if self.program.horizon == 1:
            return first, first
        return first, tuple(self._piece(self.program.later[slot]) for slot in self.order)

    @cached_property
    def pay(self) -> tuple[Pay, ...]:
        """The reward of a step, scaled, but for `offset`, which the first one pays besides."""
        return self._pays(self.program.terms, self.scale)

    @cached_property
    def ends(self) -> Pay | None:
        """1 where an episode is over, or None."""
        return None if self.program.ends is None else self._pays((self.program.ends,), 1.0)[0]

    @cached_property
    def intends(self) -> NDArray[np.bool_]:
        """bool[V], by position: what must be known of a step's natural course to show it."""
        wanted = np.zeros(len(self.order), dtype=np.bool_)
        if self.regime not in {"see", "intent"}:
            return wanted
        forced, seen = self.program.forced, set(self.program.seen.tolist())
        for position in range(len(self.order) - 1, self.early - 1, -1):
            slot = self.order[position]
            wanted[position] |= bool(forced[slot]) and slot in seen
            if wanted[position]:
                for slice_ in self.lines:
                    parents = slice_[position].parents
                    wanted[[p for p in parents if self.early <= p < len(self.order)]] = True
        return wanted

    @cached_property
    def nvec(self) -> NDArray[np.int64]:
        """int64[D], the codes in each place of an observation."""
        process = self.program.process
        return codes_in(process.variable(name) for name in process.visible)

    @cached_property
    def blank(self) -> NDArray[np.uint8]:
        """uint8[D], the observation in which everything is unseen."""
        mode = "act" if self.regime == "replay" else self.program.play.mode
        return np.array([*(self.nvec[:-2] - 1), MODES.index(mode), 0], dtype=np.uint8)

    @cached_property
    def maps(self) -> NDArray[np.int64]:
        """int64[3, D], what the first, a running and the last observation gather of a state.

        Byte ``3 V + j`` of it is place j of `blank`.
        """
        size, dims = len(self.order), len(self.nvec)
        maps = np.tile(np.arange(3 * size, 3 * size + dims), (3, 1))
        blind = self.program.play.mode == "redo" and self.regime != "replay"
        for slot, place in zip(self.program.seen, self.program.places, strict=True):
            shown = position = int(self.position[slot])
            # What must be known of the natural course is shown of the forced variables alone.
            if self.intends[position] and self.program.forced[slot]:
                shown += 2 * size
            if not blind and (position < self.early or shown != position):
                maps[0, place] = shown
            maps[1, place], maps[2, place] = shown, position
        return maps

    def _piece(self, line: Line) -> Piece:
        """Cut a line's words into stretches of one value, row by row."""
        # Codes that no word draws leave no stretch.
        edges = [0, *thresholds(line.noise).tolist(), 2**32]
        codes = [code for code in range(len(edges) - 1) if edges[code] < edges[code + 1]]
        table = line.table[codes]
        ends = np.array([edges[code + 1] - 1 for code in codes], dtype=np.uint32)
        changes = table[1:] != table[:-1]
        most = int(changes.sum(axis=0).max(initial=0))
        rows = table.shape[1]
        last = np.full((rows, most), 2**32 - 1, dtype=np.uint32)
        values = np.empty((rows, most + 1), dtype=np.uint8)
        for row in range(rows):
            at = np.flatnonzero(changes[:, row])
            last[row, : len(at)] = ends[at]
            values[row, : len(at)] = table[at, row]
            values[row, len(at) :] = table[-1, row]
        size = len(self.order)
        parents = [int(self.position[p % size]) + p // size * size for p in line.parents]
        return Piece(np.array(parents, dtype=np.int64), line.strides, last, values)

    def _pays(self, terms: Sequence[Term], scale: float) -> tuple[Pay, ...]:
        """Put terms together into tables, in their order, as far as they stay small."""
        groups: list[tuple[list[Term], set[int]]] = []
        for term in terms:
            slots = {slot for slot, _ in term.atoms}
            if groups and self._cells(groups[-1][1] | slots) <= _MOST_CELLS:
                groups[-1][0].append(term)
                groups[-1][1].update(slots)
            else:
                groups.append(([term], slots))
        return tuple(self._table(group, sorted(slots), scale) for group, slots in groups)

    def _cells(self, slots: set[int]) -> int:
        return int(np.prod([self.program.cards[slot] for slot in slots], dtype=np.float64))

    def _table(self, terms: Sequence[Term], slots: Sequence[int], scale: float) -> Pay:
        if self._cells(set(slots)) > 16 * _MOST_CELLS:
            raise WorldError(
                f"play '{self.program.play.id}': an event over {len(slots)} variables has more"
                " than a million cells; use fewer"
            )
        axis = {slot: at for at, slot in enumerate(slots)}
        by_action = any(term.action >= 0 for term in terms)
        count = len(self.program.play.actions) if by_action else 1
        cards = [int(self.program.cards[slot]) for slot in slots]
        total = np.zeros((count, *cards))
        for term in terms:
            holds = np.ones(cards, dtype=np.bool_)
            for slot, fits in term.atoms:
                shape = [1] * len(cards)
                shape[axis[slot]] = -1
                holds &= fits.reshape(shape)
            paid = term.weight * holds
            if term.action < 0:
                total += paid
            else:
                total[term.action] += paid
        strides = np.array([int(np.prod(cards[at + 1 :])) for at in range(len(cards))])
        return Pay(
            self.position[np.array(slots, dtype=np.int64)],
            strides.astype(np.int64),
            int(np.prod(cards)) if by_action else 0,
            total.ravel() / scale,
        )
