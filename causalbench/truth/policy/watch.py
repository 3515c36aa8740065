"""Find what watching a unit's natural course tells of the noise that a second course shares.

Courses are told apart by what is seen of them, no further. Given all that is seen of one, hidden
values keep a law: of each step given the carried values before it, by messages passed back from
the end (Baum et al., "A maximization technique ...", 1970). What is still to come of a course
numbers it anew at each step, so a second course forgets what it has used up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.truth.policy.frames import (
    Floats,
    Frame,
    Ints,
    gather,
    holds,
    join,
    outcomes,
    pack,
    row_of,
)
from causalbench.truth.policy.layout import Layout, live
from causalbench.truth.policy.tree import BITS, Beliefs, fingerprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.program import Program

__all__ = ["COURSES", "Courses", "Drawn"]

COURSES = 4
"""How many histories a step of a course counts for: it takes as much memory."""

# Keys of columns beside the slots and their earlier values.
_NODE, _TOLD, _EARLY, _LATE, _OVER = -1, -2, -3, -4, -5
_WIDE = 2**62


@dataclass(frozen=True, slots=True)
class Drawn:
    """Courses that were drawn.

    Args:
        values: int64[T, n, V], the values of each step.
        length: int64[n], the steps until each ends.
    """

    values: Ints
    length: Ints


@dataclass(frozen=True, slots=True)
class _Move:
    """What a step may be: int64[E] arrays.

    Args:
        node: the node (what was seen, what is carried) before it.
        told: what it tells of noise.
        to: the node after it; or the course seen, where it is the last step.
        over: bool[E], whether it is.
        chance: float64[E], given the node.
    """

    node: Ints
    told: Ints
    to: Ints
    over: NDArray[np.bool_]
    chance: Floats


class Courses:
    """The natural courses of a program's units, as they are seen, and what they tell of noise.

    A course that is going to be run again is at a *slice* at each step: what the step tells of
    noise, and the course from the next step on.

    Args:
        program: what is watched.
        limit: the most steps of courses to list.
        drawn: list only courses that look like one of these.

    Attributes:
        weight: float64[n], the probability of each course.
        length: int64[n], the steps it lasts.
        first: int64[n], its number at step 1, for `slices`.
        of_drawn: int64[m], which course each drawn one looks like.
        shown: int64[n], what the first observation of the second course adds of the last step.
        views: int64[n, T - 1], the codes of observations 2, 3, ...; -1 past its length.

    Raises:
        TooWideError: there are more than the limit.
    """

    def __init__(self, program: Program, limit: int, drawn: Drawn | None = None) -> None:
        self._count, self._horizon, self._limit = len(program.names), program.horizon, limit
        self._layout, self._drawn = Layout(program, "replay", logged=False), drawn
        self._told = _informative(program)
        cards = [self._layout.cards[key] for key in self._told]
        if float(np.prod([float(card) for card in cards])) >= _WIDE:
            raise TooWideError("a step tells too much of noise for 62 bits; use fewer variables")
        # Of the groups of each step: the group before, and what early and late slots show.
        self._past: list[tuple[Ints, Ints, Ints]] = []
        self._ends: list[Ints] = []  # of courses, by length: the group of the last step
        drawn_count = 0 if drawn is None else len(drawn.length)
        self.of_drawn = np.zeros(drawn_count, dtype=np.int64)  # (its group, until it ends)
        moves = self._forward(program)
        self.length = np.concatenate(
            [np.full(len(group), step) for step, group in enumerate(self._ends, start=1)]
        )
        self._see()
        self._backward(moves)

    def value(self, step: int, key: int, at: Ints) -> Ints:
        """Return the code of a key (`Layout`) at slices of a step."""
        return self._values[step][key - 2 * self._count][at]

    def lasts(self, step: int, at: Ints) -> NDArray[np.bool_]:
        """Return whether the course has got as far, at slices of a step."""
        return np.asarray(self._lasts[step][at], dtype=np.bool_)

    def later(self, step: int, at: Ints) -> Ints:
        """Return the course from the next step on, of slices of a step."""
        return self._later[step][at]

    def slices(self, step: int, course: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the slices of courses: (position in ``course``, slice, probability)."""
        laws = self._laws[step]
        who, entry = join(laws.start, course)
        return who, laws.state[entry], laws.chance[entry]

    def count(self, step: int) -> int:
        """Return how many slices a step has."""
        return len(self._lasts[step])

    def _forward(self, program: Program) -> list[_Move]:
        """List what each step may be, groups being what was seen so far."""
        cards = self._layout.cards
        alive = sorted(live(program, keep_forced=True))
        carried = [v for v in alive if program.carried[v]]
        before = {self._count + v: np.zeros(1, dtype=np.int64) for v in carried}
        group = np.zeros(1, dtype=np.int64)
        moves, seen = [], 0
        for step in range(1, self._horizon + 1):
            lines = program.first if step == 1 else program.later
            nodes = len(group)
            columns = {**before, _NODE: np.arange(nodes)}
            frame = Frame(np.ones(nodes), columns, {**cards, _NODE: nodes})
            for slot in alive:
                line, rows = lines[slot], len(frame.weight)
                at = row_of(line, [frame.columns[int(p)] for p in line.parents], rows)
                frame = frame.spread(slot, outcomes(line, cards[slot])[at])
                self._allow(len(frame.weight) // 4)
            frame = self._record(frame)
            over = np.full(len(frame.weight), step == self._horizon)
            if program.ends is not None:
                over |= holds(program.ends, frame)
            frame = frame.with_column(_OVER, over.astype(np.int64), 2)
            frame = frame.keep([_NODE, _TOLD, _EARLY, _LATE, _OVER, *carried])
            frame, now = self._grouped(step, frame, group)
            over = frame.columns[_OVER] > 0
            ends, course = np.unique(now[over], return_inverse=True)
            self._ends.append(ends)
            if self._drawn is not None:
                done = np.flatnonzero(self._drawn.length == step)
                self.of_drawn[done] = seen + np.searchsorted(ends, self.of_drawn[done])
            values = [(frame.columns[v][~over], cards[v]) for v in carried]
            size = len(self._past[-1][0])
            codes = pack([(now[~over], size), *values], int((~over).sum()))
            _, first, node = np.unique(codes, return_index=True, return_inverse=True)
            to = np.empty(len(over), dtype=np.int64)
            to[over], to[~over] = seen + course, node
            told = frame.columns[_TOLD]
            moves.append(_Move(frame.columns[_NODE], told, to, over, frame.weight))
            seen += len(ends)
            before = {self._count + v: frame.columns[v][~over][first] for v in carried}
            group = now[~over][first]
            self._allow(sum(len(move.node) for move in moves))
            if not len(group):
                break
        return moves

    def _record(self, frame: Frame) -> Frame:
        """Add columns: what a step tells of noise, and what early and late slots show of it."""
        layout, rows = self._layout, len(frame.weight)
        told, size = np.zeros(rows, dtype=np.int64), 1
        for key in self._told:
            told = told * layout.cards[key] + frame.columns[key]
            size *= layout.cards[key]
        # What is shown is taken off the code of nothing seen; columns count up from the least.
        early = np.full(rows, layout.views - 1)
        late = early.copy()
        for slot, stride in layout.shown_early.items():
            early += stride * (frame.columns[slot] - layout.cards[slot])
        for slot, stride in layout.shown_late:
            late += stride * (frame.columns[slot] - layout.cards[slot])
        frame = frame.with_column(_TOLD, told, size)
        frame = frame.with_column(_EARLY, early, layout.views)
        return frame.with_column(_LATE, late, layout.views)

    def _grouped(self, step: int, frame: Frame, group: Ints) -> tuple[Frame, Ints]:
        """Return a frame of the rows to list, and what has been seen so far in each."""
        before = group[frame.columns[_NODE]]
        columns = [before, *(frame.columns[key] for key in (_EARLY, _LATE, _OVER))]
        rows, mine = np.zeros(0, dtype=np.int64), len(before)
        if self._drawn is not None:
            rows = np.flatnonzero(self._drawn.length >= step)
            of = self._digits(self._drawn.values[step - 1, rows])
            over = (self._drawn.length[rows] == step).astype(np.int64)
            drawn = [self.of_drawn[rows], *of, over]
            columns = [np.concatenate(pair) for pair in zip(columns, drawn, strict=True)]
        views = self._layout.views
        sizes = (int(columns[0].max(initial=0)) + 1, views, views, 2)
        codes = pack(list(zip(columns, sizes, strict=True)), len(columns[0]))
        if self._drawn is not None:
            alike = np.isin(codes[:mine], codes[mine:])
            frame = frame.where(alike)
            columns = [column[:mine][alike] for column in columns]
            codes = np.concatenate([codes[:mine][alike], codes[mine:]])
        mine = len(columns[0])
        known, first, now = np.unique(codes[:mine], return_index=True, return_inverse=True)
        self._past.append((columns[0][first], columns[1][first], columns[2][first]))
        self.of_drawn[rows] = np.searchsorted(known, codes[mine:])
        return frame, now

    def _digits(self, values: Ints) -> tuple[Ints, Ints]:
        """Return what early and late slots show, of values int64[n, V]."""
        early = np.full(len(values), self._layout.views - 1)
        late = early.copy()
        for slot, stride in self._layout.shown_early.items():
            early += stride * (values[:, slot] - self._layout.cards[slot])
        for slot, stride in self._layout.shown_late:
            late += stride * (values[:, slot] - self._layout.cards[slot])
        return early, late

    def _see(self) -> None:
        """Find what is seen of each course."""
        none = self._layout.views - 1
        early, late = (np.zeros((len(self.length), self._horizon), np.int64) for _ in range(2))
        groups = np.concatenate(self._ends)
        for step in range(len(self._past), 0, -1):
            rows = np.flatnonzero(self.length >= step)
            before, early_, late_ = self._past[step - 1]
            early[rows, step - 1] = early_[groups[rows]] - none
            late[rows, step - 1] = late_[groups[rows]] - none
            groups[rows] = before[groups[rows]]
        self.shown = late[np.arange(len(late)), self.length - 1]
        alive = self.length[:, None] >= np.arange(2, self._horizon + 1)
        self.views = np.where(alive, self._layout.unseen + late[:, :-1] + early[:, 1:], -1)

    def _backward(self, moves: list[_Move]) -> None:
        """Find the law of each step given all that is seen of a course and what is carried."""
        none = np.zeros(0, dtype=np.int64)
        self._values: dict[int, dict[int, Ints]] = {}
        self._lasts: dict[int, NDArray[np.bool_]] = {self._horizon + 1: np.zeros(1, np.bool_)}
        self._later: dict[int, Ints] = {}
        self._laws = {
            self._horizon + 1: Beliefs(np.array([0, 1]), np.zeros(1, np.int64), np.ones(1))
        }
        # Of (node, course) after the step: message, and the number of what is to come.
        node: Ints = none
        course: Ints = none
        number: Ints = none
        message: Floats = np.zeros(0)
        for step in range(self._horizon, 0, -1):
            if step > len(moves):
                told, to, chance = none, none, np.zeros(0)
                key = (none, none)
            else:
                move = moves[step - 1]
                last, going = np.flatnonzero(move.over), np.flatnonzero(~move.over)
                order = np.argsort(node, kind="stable")
                start = np.searchsorted(node[order], np.arange(int(node.max(initial=-1)) + 2))
                known = move.to[going] < len(start) - 1
                going = going[known]
                who, entry = join(start, move.to[going])
                entry = order[entry]
                edge = np.concatenate([last, going[who]])
                ahead = np.zeros(len(last), dtype=np.int64)
                told, to = move.told[edge], np.concatenate([ahead, number[entry]])
                key = (move.node[edge], np.concatenate([move.to[last], course[entry]]))
                chance = move.chance[edge] * np.concatenate([np.ones(len(last)), message[entry]])
            self._allow(len(edge) if len(told) else 0)
            node, course, message, number = self._numbered(step, (told, to), key, chance)
        self.weight, self.first = np.zeros(len(self.length)), np.zeros(len(self.length), np.int64)
        self.weight[course], self.first[course] = message, number

    def _numbered(
        self, step: int, content: tuple[Ints, Ints], key: tuple[Ints, Ints], chance: Floats
    ) -> tuple[Ints, Ints, Floats, Ints]:
        """Number slices and courses of a step; slice 0 and course 0 are what is over."""
        told = np.concatenate([np.zeros(1, dtype=np.int64), content[0] + 1])
        to = np.concatenate([np.zeros(1, dtype=np.int64), content[1]])
        most = int(to.max()) + 1
        _, first, at = np.unique(
            pack([(told, int(told.max()) + 1), (to, most)], len(told)),
            return_index=True,
            return_inverse=True,
        )
        self._later[step], self._lasts[step] = to[first], told[first] > 0
        rest = np.maximum(told[first] - 1, 0)
        values: dict[int, Ints] = {}
        for name in reversed(self._told):
            values[name] = rest % self._layout.cards[name]
            rest = rest // self._layout.cards[name]
        self._values[step] = values
        slices = at[1:]
        order = np.lexsort((slices, key[1], key[0]))
        node, course, slices, chance = key[0][order], key[1][order], slices[order], chance[order]
        fresh = np.ones(len(node), dtype=np.bool_)
        fresh[1:] = (node[1:] != node[:-1]) | (course[1:] != course[:-1])
        cell = fresh.copy()
        cell[1:] |= slices[1:] != slices[:-1]
        cells = np.flatnonzero(cell)
        chance = np.add.reduceat(chance, cells) if len(cells) else chance
        node, course, slices, fresh = node[cells], course[cells], slices[cells], fresh[cells]
        heads = np.flatnonzero(fresh)
        law = np.cumsum(fresh) - 1
        message = gather(law, chance, len(heads))
        share = chance / message[law]
        # Law 0 is the certainty that the course is over.
        law = np.concatenate([np.zeros(1, dtype=np.int64), law + 1])
        slices = np.concatenate([np.zeros(1, dtype=np.int64), slices])
        share = np.concatenate([np.ones(1), share])
        marks = fingerprints(law, slices, share, len(heads) + 1, BITS)
        _, kept, number = np.unique(marks, return_index=True, return_inverse=True)
        # The first law gets number 0, whatever its mark.
        rank = np.argsort(np.argsort(kept))
        kept, number = np.sort(kept), rank[number]
        start = np.searchsorted(law, np.arange(len(heads) + 2))
        _, entry = join(start, kept)
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(start)[kept])])
        self._laws[step] = Beliefs(bounds, slices[entry], share[entry])
        return node[heads], course[heads], message, number[1:]

    def _allow(self, count: int) -> None:
        if count > self._limit:
            raise TooWideError(
                f"a unit can take courses of over {self._limit} different steps; give a higher"
                " limit, or fewer steps"
            )


def _informative(program: Program) -> list[int]:
    """Return the keys that say something of noise: noisy mechanisms' values and parents'."""
    found: set[int] = set()
    for slot in live(program, keep_forced=False):
        for lines in (program.first, program.later):
            if len(lines[slot].noise) > 1:
                found |= {slot, *(int(p) for p in lines[slot].parents)}
    return sorted(found)
