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

__all__ = ["COURSES", "Courses", "Drawn"]

# Keys of columns beside the slots and their earlier values.
_LENGTH, _GROUP, _PAST, _TOLD, _EARLY, _LATE, _SHOWN = -1, -2, -3, -4, -5, -6, -7
_WIDE = 2**62

COURSES = 8
"""How many histories a course counts for: it takes as much memory."""


class Courses:
    """The natural courses of a program's units, and what is seen of them.

    Args:
        program: what is watched.
        limit: the most courses to list.
        drawn: list only courses that look like one of these.

    Attributes:
        weight: float64[n], the probability of each kind of course.
        length: int64[n], the steps it lasts.
        group: int64[n], the first of the courses drawn that it looks like; 0 where none were.
        first: int64[n], its number at step 1, for `value` and its like.
        shown: int64[n], what the first observation of the second course adds of the last step.
        views: int64[n, T - 1], the codes of observations 2, 3, ...; -1 past its length.

    Raises:
        TooWideError: there are more courses than the limit.
    """

    def __init__(self, program: Program, limit: int, drawn: Drawn | None = None) -> None:
        self._drawn = drawn
        self._count, self._horizon = len(program.names), program.horizon
        self._layout = Layout(program, "replay", logged=False)
        self._told = _informative(program)
        cards = [self._layout.cards[key] for key in self._told]
        if float(np.prod([float(card) for card in cards])) >= _WIDE:
            raise _too_many(limit)
        self._records: list[tuple[Ints, Ints, Ints, Ints]] = []
        frame = self._list(program, limit)
        self.weight, self.length = frame.weight, frame.columns[_LENGTH]
        self.group = frame.columns[_GROUP]
        told, early, late = self._unwound(frame.columns[_PAST])
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
        columns |= {key: np.zeros(1, dtype=np.int64) for key in (_GROUP, _PAST)}
        groups = 1 if self._drawn is None else len(self._drawn.length)
        cards = {**cards, _LENGTH: self._horizon + 1, _GROUP: groups, _PAST: 1}
        frame = Frame(np.ones(1), columns, cards)
        done: list[Frame] = []
        for step in range(1, self._horizon + 1):
            lines = program.first if step == 1 else program.later
            for slot in alive:
                line, rows = lines[slot], len(frame.weight)
                at = row_of(line, [frame.columns[int(p)] for p in line.parents], rows)
                frame = frame.spread(slot, outcomes(line, cards[slot])[at])
                if len(frame.weight) > 2 * limit:
                    raise _too_many(limit)
            frame = self._alike(step, self._record(frame), over=False)
            frame = self._remember(frame)
            over = np.full(len(frame.weight), step == self._horizon)
            if program.ends is not None:
                over |= holds(program.ends, frame)
            ended = self._alike(step, frame.where(over), over=True)
            length = np.full(len(ended.weight), step)
            done.append(ended.with_column(_LENGTH, length, self._horizon + 1))
            done[-1] = done[-1].keep([_PAST, _LENGTH, _GROUP])
            going = [_PAST, _GROUP, _SHOWN, *carried]
            frame = frame.with_column(_SHOWN, frame.columns[_LATE], self._layout.views)
            frame = frame.where(~over).keep(going)
            moved = {k + count if 0 <= k < count else k: c for k, c in frame.columns.items()}
            frame = Frame(frame.weight, moved, frame.cards)
            if len(frame.weight) + sum(len(one.weight) for one in done) > limit:
                raise _too_many(limit)
        merged = {
            key: np.concatenate([one.columns[key] for one in done])
            for key in (_PAST, _LENGTH, _GROUP)
        }
        # What is past is numbered within each step; the steps are told apart by the length.
        return Frame(np.concatenate([one.weight for one in done]), merged, frame.cards)

    def _remember(self, frame: Frame) -> Frame:
        """Put what is past and what this step records into one number."""
        keys = (_PAST, _TOLD, _EARLY, _LATE)
        codes = pack([(frame.columns[k], frame.cards[k]) for k in keys], len(frame.weight))
        _, first, past = np.unique(codes, return_index=True, return_inverse=True)
        before, told, early, late = (frame.columns[key][first] for key in keys)
        self._records.append((before, told, early, late))
        return frame.with_column(_PAST, past, max(1, len(first)))

    def _unwound(self, past: Ints) -> tuple[Ints, Ints, Ints]:
        """Return what each course records at each step, int64[n, T]; -1 past its end."""
        shape = (len(past), self._horizon)
        told, early, late = (np.full(shape, -1, dtype=np.int64) for _ in range(3))
        at = past.copy()
        for step in range(self._horizon, 0, -1):
            rows = np.flatnonzero(self.length >= step)
            before, *of = self._records[step - 1]
            for into, column in zip((told, early, late), of, strict=True):
                into[rows, step - 1] = column[at[rows]]
            at[rows] = before[at[rows]]
        return told, early, late

    def _record(self, frame: Frame) -> Frame:
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
            card = layout.views if i else size
            frame = frame.with_column(
                (_TOLD, _EARLY, _LATE)[i], column + (card - 1) * (i > 0), card
            )
        return frame

    def _alike(self, step: int, frame: Frame, *, over: bool) -> Frame:
        """Keep the rows that look like a drawn course up to a step, or to its end."""
        if self._drawn is None or not len(frame.weight):
            return frame
        code = frame.columns[_LATE if over else _EARLY]
        if not over and step > 1:
            code = code + frame.columns[_SHOWN]
        to = self._drawn.follow(step, frame.columns[_GROUP], code, over=over)
        alike = to >= 0
        found = frame.where(alike)
        return found.with_column(_GROUP, to[alike], len(self._drawn.length))

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


class Drawn:
    """Courses that were drawn, and what is seen of them, step by step.

    Args:
        program: what is watched.
        values: int64[T, n, V], the values of each step.
        length: int64[n], the steps until each ends.

    Attributes:
        length: int64[n].
        group: int64[n], the first of them that looks the same throughout.
    """

    def __init__(self, program: Program, values: Ints, length: Ints) -> None:
        layout = Layout(program, "replay", logged=False)
        self.length = length
        # As `Courses` records them: counted up from the least.
        early = np.full(values.shape[:2], layout.views - 1)
        late = early.copy()
        for slot, stride in layout.shown_early.items():
            early += stride * (values[:, :, slot] - layout.cards[slot])
        for slot, stride in layout.shown_late:
            late += stride * (values[:, :, slot] - layout.cards[slot])
        early[1:] += late[:-1]
        self._known: dict[tuple[int, bool], tuple[Ints, Ints]] = {}
        self._views = 2 * layout.views
        group = np.zeros(len(length), dtype=np.int64)
        self.group = group.copy()
        for step in range(1, len(values) + 1):
            going = np.flatnonzero(length >= step)
            group[going] = self._learn((step, False), group[going], early[step - 1, going], going)
            over = np.flatnonzero(length == step)
            self.group[over] = self._learn((step, True), group[over], late[step - 1, over], over)

    def follow(self, step: int, group: Ints, code: Ints, *, over: bool) -> Ints:
        """Return which course drawn looks the same so far, -1 for none.

        Args:
            step: counted from 1.
            group: int64[n], which looked the same before.
            code: int64[n], what is seen then.
            over: whether it is the end that is seen.
        """
        keys, to = self._known[step, over]
        if not len(keys):
            return np.full(len(group), -1)
        key = group * self._views + code
        at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        return np.where(keys[at] == key, to[at], -1)

    def _learn(self, place: tuple[int, bool], group: Ints, code: Ints, rows: Ints) -> Ints:
        keys, first, found = np.unique(
            group * self._views + code, return_index=True, return_inverse=True
        )
        self._known[place] = keys, rows[first]
        return rows[first][found]


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
