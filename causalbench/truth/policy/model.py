"""Turn a program under a regime into the kernel of a decision process with hidden states.

A state is what the rest of the episode still depends on, as it stands before an action: earlier
values that are carried over, what no action of this step can change, and, where intent is shown,
what nature is about to do. Where the same noise runs through two courses (nature's and the acted
one), each mechanism takes its value in the second course given its value in the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from causalbench.errors import TooWideError
from causalbench.truth.policy.frames import (
    Floats,
    Frame,
    Ints,
    conditional,
    gather,
    holds,
    outcomes,
    row_of,
    take,
)
from causalbench.truth.policy.layout import Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.program import Line, Program, Term

__all__ = ["Acts", "Kernel", "Model", "Start", "Watched"]

Acts = Literal["set", "match", "first", "nature"]
"""What an action is: it is set; it is nature's doing so; it is what a log calls nature's choice;
or nature acts, whatever is chosen."""

_WIDE = 2**62
_ORIGIN, _PAID, _OBS, _COURSE, _STATE = -9, -8, -7, -6, 10**6


class Watched(Protocol):
    """The course of a unit that is run a second time: a law of slices at each step."""

    def slices(self, step: int, course: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the slices of courses: (position in ``course``, slice, probability)."""
        ...

    def value(self, step: int, key: int, at: Ints) -> Ints:
        """Return the code of a key (`Layout`) at slices of a step."""
        ...

    def lasts(self, step: int, at: Ints) -> NDArray[np.bool_]:
        """Return whether the course has got as far, at slices of a step."""
        ...

    def later(self, step: int, at: Ints) -> Ints:
        """Return the course from the next step on, of slices of a step."""
        ...

    def count(self, step: int) -> int:
        """Return how many slices a step has."""
        ...


@dataclass(frozen=True, slots=True)
class Kernel:
    """What one step leads to, from n states under A actions; row i * A + a is state i, action a.

    Args:
        start: int64[n * A + 1], where each row's entries begin.
        seen: int64[E], the code of the next observation.
        state: int64[E], the code of the next state.
        chance: float64[E]; what is missing to `mass` has ended.
        paid: float64[E], the reward of the step, unscaled, where rewards are told apart; else 0.
        reward: float64[n * A], expected and unscaled; summed over `mass`.
        goal: float64[n * A], likewise.
        mass: float64[n * A], the probability that the action's event holds: 1 where it is set.
    """

    start: Ints
    seen: Ints
    state: Ints
    chance: Floats
    paid: Floats
    reward: Floats
    goal: Floats
    mass: Floats

    def rows(self, rows: Ints) -> Kernel:
        """Return some rows."""
        start, entry = take(self.start, rows)
        seen, state = self.seen[entry], self.state[entry]
        chance, paid = self.chance[entry], self.paid[entry]
        of_row = self.reward[rows], self.goal[rows], self.mass[rows]
        return Kernel(start, seen, state, chance, paid, *of_row)

    def and_also(self, other: Kernel) -> Kernel:
        """Return the rows of both."""
        start = np.concatenate([self.start, other.start[1:] + self.start[-1]])
        names = ("seen", "state", "chance", "paid", "reward", "goal", "mass")
        both = [np.concatenate([getattr(self, name), getattr(other, name)]) for name in names]
        return Kernel(start, *both)


@dataclass(frozen=True, slots=True)
class Start:
    """How acting begins: int64[n] groups of equal past, observations and states, with chances."""

    group: Ints
    seen: Ints
    state: Ints
    chance: Floats


class Model:
    """The steps of a program under a regime.

    Args:
        program: what is played.
        regime: ``do``, ``intent`` or ``replay``, for what is shown.
        acts: what an action is.
        split: whether to tell the rewards of a step apart.
        watched: the first course, where the unit is run again.

    Attributes:
        actions: how many there are; 1 where nature acts.
        horizon: how many steps are acted.
        layout: what is read when.

    Raises:
        TooWideError: a state or an observation does not fit 62 bits.
    """

    def __init__(
        self,
        program: Program,
        regime: Literal["do", "intent", "replay"] = "do",
        acts: Acts = "set",
        *,
        split: bool = False,
        watched: Watched | None = None,
    ) -> None:
        self.program, self.acts, self.split, self.watched = program, acts, split, watched
        self.layout = Layout(program, regime, logged=acts != "set")
        self.actions = 1 if acts == "nature" else len(program.force)
        self.horizon = program.horizon
        self._force = program.force if acts == "set" else np.full_like(program.force, -1)
        keys = self.layout.state
        self._radix = _product([self.layout.cards[key] for key in keys])
        _product([self.layout.cards[s] + 1 for s in program.seen])
        self._laws = [
            [outcomes(line, int(card)) for line, card in zip(lines, program.cards, strict=True)]
            for lines in (program.first, program.later)
        ]
        self._known: dict[tuple[bool, bool], tuple[Ints, Kernel]] = {}

    def start(
        self, group: Ints | None = None, course: Ints | None = None, seen: Ints | None = None
    ) -> Start:
        """Return the laws of the first observation and state.

        Args:
            group: int64[n], groups of equal past, where a course has been watched.
            course: int64[n], the courses watched.
            seen: int64[n], what the first observation shows of them besides.

        Returns:
            Entries in order of group, observation and state; chances sum to 1 for each row given,
            so that whoever gives several weighs them.
        """
        rows = 1 if group is None else len(group)
        origin: Ints = np.arange(rows)
        shown = np.full(rows, self.layout.unseen)
        columns: dict[int, Ints] = {_ORIGIN: origin, _OBS: shown if seen is None else shown + seen}
        columns |= {key: np.zeros(rows, dtype=np.int64) for key in self.layout.entry}
        cards = {**self.layout.cards, _ORIGIN: rows, _OBS: self.layout.views, _STATE: 1, _PAID: 1}
        if course is not None:
            columns[_COURSE] = course
        frame = self._early(1, Frame(np.ones(rows), columns, cards))
        origin, seen, state = (frame.columns[key] for key in (_ORIGIN, _OBS, _STATE))
        of = origin if group is None else group[origin]
        return Start(of, seen, state, frame.weight)

    def step(self, step: int, states: Ints) -> Kernel:
        """Return what a step leads to.

        Args:
            step: counted from 1; the last leads to no further state.
            states: int64[n] codes, all different.
        """
        if self.watched is not None:
            return self._step(step, states)
        kind = (step == 1, step == self.horizon)
        if kind not in self._known:
            self._known[kind] = states, self._step(step, states)
        known, kernel = self._known[kind]
        if (new := states[~np.isin(states, known)]).size:
            known, kernel = np.concatenate([known, new]), kernel.and_also(self._step(step, new))
            self._known[kind] = known, kernel
        if len(known) == len(states) and (known == states).all():
            return kernel
        order = np.argsort(known)
        at = order[np.searchsorted(known, states, sorter=order)]
        return kernel.rows((at[:, None] * self.actions + np.arange(self.actions)).ravel())

    def _step(self, step: int, states: Ints) -> Kernel:
        frame = self._late(step, self._unfold(step, states))
        rows = len(states) * self.actions
        frame = self._as_logged(frame, len(states))
        paid, meant = (
            self._pay(frame, self.program.terms),
            self._pay(frame, self.program.goal_terms),
        )
        origin = frame.columns[_ORIGIN]
        reward = gather(origin, frame.weight * paid, rows)
        goal = gather(origin, frame.weight * meant, rows)
        mass = gather(origin, frame.weight, rows)
        going = np.full(len(origin), step < self.horizon)
        if self.program.ends is not None:
            going &= ~holds(self.program.ends, frame)
        if not going.any():
            none, zero = np.zeros(0, dtype=np.int64), np.zeros(0)
            start = np.zeros(rows + 1, dtype=np.int64)
            return Kernel(start, none, none, zero, zero, reward, goal, mass)
        frame, paid = frame.where(going), paid[going]
        sums = np.zeros(1)
        if self.split:
            sums, which = np.unique(paid, return_inverse=True)
            frame = frame.with_column(_PAID, which, max(1, len(sums)))
        frame = self._early(step + 1, self._turn(step, frame))
        origin = frame.columns[_ORIGIN]
        start = np.searchsorted(origin, np.arange(rows + 1))
        told = sums[frame.columns[_PAID]] if self.split else np.zeros(len(origin))
        seen, state = frame.columns[_OBS], frame.columns[_STATE]
        return Kernel(start, seen, state, frame.weight, told, reward, goal, mass)

    def _unfold(self, step: int, states: Ints) -> Frame:
        """Return a frame of states, once for each action that is set."""
        acts = self.actions if self.acts == "set" else 1
        code = np.repeat(states, acts)
        cards = {**self.layout.cards, _ORIGIN: len(states) * self.actions, _OBS: self.layout.views}
        columns: dict[int, Ints] = {_ORIGIN: np.arange(len(code))}
        if self.watched is not None:
            columns[_COURSE] = code // self._radix
            cards[_COURSE] = self.watched.count(step)
            code = code % self._radix
        for key in reversed(self.layout.state):
            columns[key] = code % self.layout.cards[key]
            code = code // self.layout.cards[key]
        return Frame(np.ones(len(code)), columns, cards)

    def _late(self, step: int, frame: Frame) -> Frame:
        """Draw what the action comes before."""
        for slot, needed in self.layout.late:
            if slot in self.layout.overridden:
                chances: Floats = np.zeros((len(frame.weight), self.layout.cards[slot]))
            else:
                chances = self._chances(step, slot, frame)
            if self.acts == "set":
                put = self._force[frame.columns[_ORIGIN] % self.actions, slot]
                chances[put >= 0] = 0
                chances[put >= 0, put[put >= 0]] = 1
            frame = frame.spread(slot, chances).keep({*needed, _ORIGIN, _COURSE})
        return frame

    def _turn(self, step: int, frame: Frame) -> Frame:
        """Go on to the next step: values become earlier ones, and late ones are shown."""
        layout = self.layout
        seen = np.full(len(frame.weight), layout.unseen)
        for slot, stride in layout.shown_late:
            seen = seen + stride * (frame.columns[slot] - layout.cards[slot])
        columns: dict[int, Ints] = {_ORIGIN: frame.columns[_ORIGIN], _OBS: seen}
        if self.split:
            columns[_PAID] = frame.columns[_PAID]
        cards = dict(frame.cards)
        if self.watched is not None:
            columns[_COURSE] = self.watched.later(step, frame.columns[_COURSE])
        before = len(self.program.names)
        columns |= {key: frame.columns[key - before] for key in layout.entry}
        return Frame(frame.weight, columns, cards)

    def _early(self, step: int, frame: Frame) -> Frame:
        """Draw what comes before the action and show it; return the frame of final codes."""
        layout = self.layout
        always = {_ORIGIN, _PAID, _OBS, _COURSE}
        if self.watched is not None:
            frame = self._sliced(step, frame)
        for key, needed in layout.early:
            frame = frame.spread(key, self._chances(step, key, frame))
            if key in layout.shown_early:
                slot = key % len(self.program.names)
                step_up = layout.shown_early[key] * (frame.columns[key] - layout.cards[slot])
                frame = frame.with_column(_OBS, frame.columns[_OBS] + step_up, layout.views)
            frame = frame.keep({*needed, *always})
        code = np.zeros(len(frame.weight), dtype=np.int64)
        for key in layout.state:
            code = code * layout.cards[key] + frame.columns[key]
        radix = self._radix
        if self.watched is not None:
            code = code + radix * frame.columns[_COURSE]
            radix = _product([radix, frame.cards[_COURSE]])
        # A column that is dropped at once makes `keep` sort and merge whatever the others are.
        frame = frame.with_column(_STATE, code, radix).with_column(_STATE + 1, code, radix)
        return frame.keep({_ORIGIN, _PAID, _OBS, _STATE})

    def _sliced(self, step: int, frame: Frame) -> Frame:
        """Draw what a step of the watched course was."""
        if self.watched is None:
            return frame
        who, at, chance = self.watched.slices(step, frame.columns[_COURSE])
        columns = {key: column[who] for key, column in frame.columns.items()}
        columns[_COURSE] = at
        cards = {**frame.cards, _COURSE: self.watched.count(step)}
        return Frame(frame.weight[who] * chance, columns, cards)

    def _chances(self, step: int, key: int, frame: Frame) -> Floats:
        """Return the law of a key's value in each row, float64[n, card]."""
        count, twins = len(self.program.names), self.layout.twins
        slot = key % count
        line: Line = (self.program.first if step == 1 else self.program.later)[slot]
        law = self._laws[0 if step == 1 else 1][slot]
        rows = len(frame.weight)
        if key >= 2 * count:  # nature's value, where nature has its way in all of the step
            return law[row_of(line, [self._twin(step, p, frame) for p in line.parents], rows)]
        asked = row_of(line, [frame.columns[int(p)] for p in line.parents], rows)
        chances = law[asked]
        if slot not in twins or len(line.noise) == 1:
            return chances
        told = row_of(line, [self._twin(step, p, frame) for p in line.parents], rows)
        value = self._twin(step, slot, frame)
        shared = np.ones(rows, dtype=np.bool_)
        if self.watched is not None:
            shared = self.watched.lasts(step, frame.columns[_COURSE])
        same, other = shared & (told == asked), shared & (told != asked)
        chances[same] = value[same, None] == np.arange(law.shape[1])
        if other.any():
            chances[other] = conditional(
                line, law.shape[1], told[other], value[other], asked[other]
            )
        return chances

    def _twin(self, step: int, parent: int, frame: Frame) -> Ints:
        """Return a value in the first course."""
        key = self.layout.twin(int(parent))
        if self.watched is not None:
            return self.watched.value(step, key, frame.columns[_COURSE])
        return frame.columns[key]

    def _as_logged(self, frame: Frame, states: int) -> Frame:
        """Give each row to every action that it is an instance of, where nature acts."""
        if self.acts in {"set", "nature"}:
            return frame
        found = self.program.force
        match = np.ones((len(found), len(frame.weight)), dtype=np.bool_)
        for slot in np.flatnonzero(self.program.forced):
            set_to = found[:, slot, None]
            match &= (set_to < 0) | (set_to == frame.columns[int(slot)])
        if self.acts == "first":
            setting = (found >= 0).any(axis=1)
            rank = np.where(setting, np.arange(len(found)), len(found) + np.arange(len(found)))
            best = np.where(match, rank[:, None], 2 * len(found)).argmin(axis=0)
            match &= best == np.arange(len(found))[:, None]
        action, row = np.nonzero(match)
        columns = {key: column[row] for key, column in frame.columns.items()}
        columns[_ORIGIN] = columns[_ORIGIN] * self.actions + action
        order = np.argsort(columns[_ORIGIN], kind="stable")
        columns = {key: column[order] for key, column in columns.items()}
        cards = {**frame.cards, _ORIGIN: states * self.actions}
        return Frame(frame.weight[row][order], columns, cards)

    def _pay(self, frame: Frame, terms: tuple[Term, ...]) -> Floats:
        paid = np.zeros(len(frame.weight))
        action = frame.columns[_ORIGIN] % self.actions
        for term in terms:
            due = holds(term, frame)
            if term.action >= 0:
                due &= (action == term.action) & (self.acts != "nature")
            paid += term.weight * due
        return paid


def _product(cards: list[int]) -> int:
    size = int(np.prod([float(card) for card in cards]))
    if size >= _WIDE:
        raise TooWideError(
            f"the values of one step have about {float(size):.1e} combinations, too many for a"
            " state of 62 bits; observe or carry over fewer variables"
        )
    exact = 1
    for card in cards:
        exact *= int(card)
    return exact
