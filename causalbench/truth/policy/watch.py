"""List the courses that a unit can take while it is watched, before it is run again.

Only what later matters is told apart: what was seen, and the values that say something of the
noise that the second course shares. Courses are numbered anew at each step, by what is still to
come of them, so a second course forgets what it has used up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.truth.policy.frames import Frame, Ints, holds, outcomes, pack, row_of
from causalbench.truth.policy.layout import Layout, live

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.program import Program

__all__ = ["Courses"]

_LENGTH, _RECORD = -1, 10**6  # keys of columns beside the slots and their earlier values
_WIDE = 2**62


class Courses:
    """The natural courses of a program's units, and what is seen of them.

    Args:
        program: what is watched.
        limit: the most courses to list.

    Attributes:
        weight: float64[n], the probability of each kind of course.
        length: int64[n], the steps it lasts.
        first: int64[n], its number at step 1, for `value` and its like.
        shown: int64[n], what the first observation of the second course adds of the last step.
        views: int64[n, T - 1], the codes of observations 2, 3, ...; -1 past its length.

    Raises:
        TooWideError: there are more courses than the limit.
    """

    def __init__(self, program: Program, limit: int) -> None:
        self._count, self._horizon = len(program.names), program.horizon
        self._layout = Layout(program, "replay", logged=False)
        self._told = _informative(program)
        cards = [self._layout.cards[key] for key in self._told]
        if float(np.prod([float(card) for card in cards])) >= _WIDE:
            raise _too_many(limit)
        frame = self._list(program, limit)
        self.weight, self.length = frame.weight, frame.columns[_LENGTH]
        steps = range(1, self._horizon + 1)
        told, early, late = (
            np.stack([frame.columns[_RECORD + 3 * step + i] for step in steps], axis=1)
            for i in range(3)
        )
        early, late = early - (self._layout.views - 1), late - (self._layout.views - 1)
        rows = np.arange(len(self.weight))
        self.shown = late[rows, self.length - 1]
        alive = self.length[:, None] >= np.arange(2, self._horizon + 1)
        self.views = np.where(alive, self._layout.unseen + late[:, :-1] + early[:, 1:], -1)
        self.first = self._number(told)

    def value(self, step: int, key: int, course: Ints) -> Ints:
        """Return the code of a key (`Layout`) at a step of each course."""
        return self._values[step][key - 2 * self._count][course]

    def lasts(self, step: int, course: Ints) -> NDArray[np.bool_]:
        """Return whether each course has reached that step."""
        return np.asarray(self._lasts[step][course], dtype=np.bool_)

    def later(self, step: int, course: Ints) -> Ints:
        """Return each course as numbered at the next step."""
        return self._later[step][course]

    def count(self, step: int) -> int:
        """Return how many courses there are from a step on."""
        return len(self._lasts[step])

    def _list(self, program: Program, limit: int) -> Frame:
        """Return all courses: of each step what is told, and what early and late slots show."""
        count, cards = self._count, self._layout.cards
        alive = sorted(live(program, keep_forced=True))
        carried = [v for v in alive if program.carried[v]]
        columns = {count + v: np.zeros(1, dtype=np.int64) for v in carried}
        frame = Frame(np.ones(1), columns, {**cards, _LENGTH: self._horizon + 1})
        done: list[Frame] = []
        kept: list[int] = []
        for step in range(1, self._horizon + 1):
            lines = program.first if step == 1 else program.later
            for slot in alive:
                line, rows = lines[slot], len(frame.weight)
                at = row_of(line, [frame.columns[int(p)] for p in line.parents], rows)
                frame = frame.spread(slot, outcomes(line, cards[slot])[at])
                if len(frame.weight) > 4 * limit:
                    raise _too_many(limit)
            frame = self._record(step, frame)
            kept += [_RECORD + 3 * step + i for i in range(3)]
            over = np.full(len(frame.weight), step == self._horizon)
            if program.ends is not None:
                over |= holds(program.ends, frame)
            ended = frame.where(over)
            length = np.full(len(ended.weight), step)
            done.append(ended.with_column(_LENGTH, length, self._horizon + 1))
            done[-1] = done[-1].keep([*kept, _LENGTH])
            frame = frame.where(~over).keep([*kept, *carried])
            moved = {k + count if k < count else k: c for k, c in frame.columns.items()}
            frame = Frame(frame.weight, moved, frame.cards)
            if len(frame.weight) + sum(len(one.weight) for one in done) > limit:
                raise _too_many(limit)
        merged = {
            key: np.concatenate(
                [one.columns.get(key, np.full(len(one.weight), -1)) for one in done]
            )
            for key in [*kept, _LENGTH]
        }
        return Frame(np.concatenate([one.weight for one in done]), merged, frame.cards)

    def _record(self, step: int, frame: Frame) -> Frame:
        """Add three columns: what a step tells of noise, and what it shows, early and late."""
        layout, rows = self._layout, len(frame.weight)
        told, size = np.zeros(rows, dtype=np.int64), 1
        for key in self._told:
            told = told * layout.cards[key] + frame.columns[key]
            size *= layout.cards[key]
        early, late = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
        for slot, stride in layout.shown_early.items():
            early += stride * (frame.columns[slot] - layout.cards[slot])
        for slot, stride in layout.shown_late:
            late += stride * (frame.columns[slot] - layout.cards[slot])
        for i, column in enumerate((told, early, late)):
            # What is shown is at most 0, taken off the code of nothing seen; columns are not below.
            card = size if i == 0 else layout.views
            frame = frame.with_column(_RECORD + 3 * step + i, column + (i > 0) * (card - 1), card)
        return frame

    def _number(self, told: Ints) -> Ints:
        """Number courses at each step by what is still to come; return the numbers at step 1."""
        self._values: dict[int, dict[int, Ints]] = {}
        self._lasts = {self._horizon + 1: np.zeros(1, dtype=np.bool_)}
        self._later: dict[int, Ints] = {}
        number = np.zeros(len(told), dtype=np.int64)
        for step in range(self._horizon, 0, -1):
            code = told[:, step - 1] + 1  # 0 where the course is over
            codes = pack([(number, self.count(step + 1)), (code, int(code.max()) + 1)], len(code))
            _, first, found = np.unique(codes, return_index=True, return_inverse=True)
            self._later[step] = number[first]
            self._lasts[step] = code[first] > 0
            content = np.maximum(code[first] - 1, 0)
            values: dict[int, Ints] = {}
            for key in reversed(self._told):
                values[key] = content % self._layout.cards[key]
                content = content // self._layout.cards[key]
            self._values[step] = values
            number = found
        return number


def _informative(program: Program) -> list[int]:
    """Return the keys that say something of noise: noisy mechanisms' values and parents'."""
    found: set[int] = set()
    for slot in live(program, keep_forced=False):
        for lines in (program.first, program.later):
            if len(lines[slot].noise) > 1:
                found |= {slot, *(int(p) for p in lines[slot].parents)}
    return sorted(found)


def _too_many(limit: int) -> TooWideError:
    return TooWideError(
        f"a unit can take over {limit} courses; give a higher limit, or fewer steps"
    )
