"""Draw episodes of a policy from the mechanisms themselves, to estimate what it is worth.

Noise is drawn first and every value is looked up in its mechanism's table, so nothing is shared
with the solver but the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.rng import generator
from causalbench.truth.policy.chances import ask
from causalbench.truth.policy.memory import pick
from causalbench.truth.policy.types import Moment, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program, Term
    from causalbench.truth.policy.frames import Floats, Ints
    from causalbench.truth.policy.types import Policy

__all__ = ["Rolled", "roll", "rollouts", "watch"]

_Z = 1.959963984540054  # the normal law's 97.5% point
_BATCH = 50_000
_MODES = ("bet", "act", "redo")


def rollouts(
    program: Program,
    policy: Policy,
    regime: PlayRegime,
    *,
    greedy: bool = False,
    samples: int = 10**5,
    rng: np.random.Generator | None = None,
) -> Value:
    """Estimate what a policy is worth; the interval holds 95% of the time (normal approximation).

    Args:
        program: what is played.
        policy: any.
        regime: under which it plays.
        greedy: take its likeliest action instead of drawing one.
        samples: episodes, at least 2.
        rng: None for a generator that is the same at each call.
    """
    rng = generator(0, "policy/rollouts") if rng is None else rng
    parts = []
    for done in range(0, samples, _BATCH):
        size = min(_BATCH, samples - done)
        parts.append(roll(program, policy, regime, size, greedy=greedy, rng=rng))
    reward, goal, length = (np.concatenate([part[i] for part in parts]) for i in range(3))
    mean = float(reward.mean())
    half = _Z * float(reward.std(ddof=1)) / float(np.sqrt(samples))
    return Value(
        value=mean,
        low=mean - half,
        high=mean + half,
        exact=False,
        histories=samples,
        goal=float(goal.mean()),
        length=float(length.mean()),
    )


Rolled = tuple["Floats", "Floats", "Ints"]


def roll(
    program: Program,
    policy: Policy,
    regime: PlayRegime,
    count: int,
    *,
    rng: np.random.Generator,
    greedy: bool = False,
) -> Rolled:
    """Draw episodes; return each one's sum of rewards and of goals (scaled), and its length.

    Args:
        program: what is played.
        policy: any.
        regime: under which it plays.
        count: episodes.
        rng: of the noise and of the policy's draws.
        greedy: take the policy's likeliest action instead of drawing one.
    """
    return _Episodes(program, policy, regime, count, greedy=greedy, rng=rng).run()


def watch(program: Program, count: int, *, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw natural courses; return the values of each step, int64[T, n, V], and the lengths.

    Args:
        program: what is watched.
        count: courses.
        rng: of the noise.
    """
    from causalbench.truth.policy.controller import Uniform

    policy = Uniform(len(program.force))
    return _Episodes(program, policy, "replay", count, greedy=False, rng=rng).watched()


class _Episodes:
    """Copies of an environment, and of a policy in it."""

    def __init__(
        self,
        program: Program,
        policy: Policy,
        regime: PlayRegime,
        count: int,
        *,
        greedy: bool,
        rng: np.random.Generator,
    ) -> None:
        self.program, self.policy, self.regime = program, policy, regime
        self.count, self.greedy, self.rng = count, greedy, rng
        self.slots, self.horizon = len(program.names), program.horizon
        self.noise = [self._draw(step) for step in range(1, self.horizon + 1)]
        self.shown = np.asarray(program.seen)
        self.late = ~program.early[self.shown]
        visible = [program.process.variable(name) for name in program.process.visible]
        self.blank = np.array([*(v.cardinality for v in visible), 0, 0], dtype=np.uint8)
        self.reward, self.goal = np.zeros(count), np.zeros(count)
        self.length = np.zeros(count, dtype=np.int64)
        self.at = 0  # steps played, watched ones too
        self.memory: Any = policy.begin(count)
        self.action = np.full(count, -1)
        self.paid = np.zeros(count)

    def run(self) -> Rolled:
        """Play to the end."""
        low, high = self.program.returns
        if self.regime == "see" and self.program.play.mode != "bet":
            self._see()
        elif self.regime == "replay":
            self._replay()
        else:
            everyone = np.arange(self.count)
            self._course(everyone, np.full((self.count, len(self.shown)), -1), self.memory)
        goal_low, goal_high = self.program.goal_returns
        return (
            (self.reward - low) / (high - low),
            (self.goal - goal_low) / (goal_high - goal_low),
            self.length,
        )

    def _draw(self, step: int) -> Ints:
        lines = self.program.first if step == 1 else self.program.later
        out = np.empty((self.count, self.slots), dtype=np.int64)
        for slot, line in enumerate(lines):
            out[:, slot] = np.searchsorted(
                np.cumsum(line.noise)[:-1], self.rng.random(self.count), side="right"
            )
        return out

    def _slice(self, step: int, rows: Ints, before: Ints, force: NDArray[np.int16]) -> Ints:
        """Return the values of a step, int64[n, V], under settings int16[n, V]."""
        lines = self.program.first if step == 1 else self.program.later
        values = np.zeros((len(rows), self.slots), dtype=np.int64)
        for slot, line in enumerate(lines):
            at = np.zeros(len(rows), dtype=np.int64)
            for parent, stride in zip(line.parents, line.strides, strict=True):
                of = values[:, parent] if parent < self.slots else before[:, parent - self.slots]
                at += stride * of
            values[:, slot] = line.table[self.noise[step - 1][rows, slot], at]
            values[:, slot] = np.where(force[:, slot] >= 0, force[:, slot], values[:, slot])
        return values

    def _nature(self, count: int) -> NDArray[np.int16]:
        return np.full((count, self.slots), -1, dtype=np.int16)

    def _pay(self, values: Ints, action: Ints, terms: tuple[Term, ...]) -> Floats:
        paid = np.zeros(len(values))
        for term in terms:
            due = self._holds(values, term)
            if term.action >= 0:
                due = due & (action == term.action)
            paid += term.weight * due
        return paid

    def _holds(self, values: Ints, term: Term) -> NDArray[np.bool_]:
        due = np.ones(len(values), dtype=np.bool_)
        for slot, fits in term.atoms:
            due &= fits[values[:, slot]]
        return due

    def _over(self, values: Ints) -> NDArray[np.bool_]:
        if self.program.ends is None:
            return np.zeros(len(values), dtype=np.bool_)
        return self._holds(values, self.program.ends)

    def _vectors(self, codes: Ints, mode: str) -> NDArray[np.uint8]:
        out = np.repeat(self.blank[None], len(codes), axis=0)
        places = self.program.places
        out[:, places] = np.where(codes < 0, self.blank[places], codes)
        out[:, -2] = _MODES.index(mode)
        return out

    def _choose(self, rows: Ints, codes: Ints, mode: str, memory: Any, at: int) -> tuple[Ints, Any]:
        seen = self._vectors(codes, mode)
        moment = Moment(seen, self.action[rows], self.paid[rows], at)
        chances, memory = ask(self.policy, moment, memory, len(self.program.force))
        if self.greedy:
            return chances.argmax(axis=1), memory
        bounds = np.cumsum(chances, axis=1)
        draws = self.rng.random(len(rows)) * bounds[:, -1]
        return np.minimum((bounds <= draws[:, None]).sum(axis=1), chances.shape[1] - 1), memory

    def _course(self, rows: Ints, last: Ints, memory: Any, at: int = 0) -> None:
        """Act out a course from its first step.

        Args:
            rows: whose.
            last: int64[n, O], what late slots show at first, -1 for nothing.
            memory: of these copies.
            at: how many steps they have watched.
        """
        program = self.program
        mode = "redo" if self.regime == "replay" else program.play.mode
        blind = program.play.mode == "redo" and self.regime != "replay"
        choice = program.forced[self.shown] & (self.regime == "intent")
        before = np.zeros((len(rows), self.slots), dtype=np.int64)
        low, high = program.returns
        for step in range(1, self.horizon + 1):
            natural = self._slice(step, rows, before, self._nature(len(rows)))
            codes = np.where(self.late & ~choice, last, natural[:, self.shown])
            if blind:
                codes = np.full_like(codes, -1)
            action, memory = self._choose(rows, codes, mode, memory, at + step - 1)
            values = self._slice(step, rows, before, program.force[action])
            paid = self._pay(values, action, program.terms)
            self.reward[rows] += paid
            self.goal[rows] += self._pay(values, action, program.goal_terms)
            self.length[rows] += 1
            self.action[rows] = action
            self.paid[rows] = (paid - (low if step == 1 else 0)) / (high - low)
            going = np.flatnonzero(~self._over(values))
            rows, before, memory = rows[going], values[going], pick(memory, going)
            last = before[:, self.shown]
            if not len(rows):
                return

    def _see(self) -> None:
        rows = np.arange(self.count)
        before = np.zeros((self.count, self.slots), dtype=np.int64)
        nobody = np.full(self.count, -2)
        for step in range(1, self.horizon + 1):
            values = self._slice(step, rows, before, self._nature(len(rows)))
            self.reward[rows] += self._pay(values, nobody[rows], self.program.terms)
            self.goal[rows] += self._pay(values, nobody[rows], self.program.goal_terms)
            self.length[rows] += 1
            going = ~self._over(values)
            rows, before = rows[going], values[going]

    def watched(self) -> tuple[Ints, Ints]:
        """Return natural courses: the values of each step, and the lengths."""
        before: Ints = np.zeros((self.count, self.slots), dtype=np.int64)
        last = np.zeros(self.count, dtype=np.int64)
        courses = []
        for step in range(1, self.horizon + 1):
            everyone = np.arange(self.count)
            values: Ints = self._slice(step, everyone, before, self._nature(self.count))
            last = np.where((last == 0) & self._over(values), step, last)
            courses.append(values)
            before = values
        return np.stack(courses), np.where(last == 0, self.horizon, last)

    def _replay(self) -> None:
        values, last = self.watched()
        course = values[:, :, self.shown]
        for length in (int(one) for one in np.unique(last)):
            rows = np.flatnonzero(last == length)
            memory = pick(self.memory, rows)
            for at in range(length - 1):
                codes = np.where(self.late, course[at, rows], course[at + 1, rows])
                mode = "act"
                self.action[rows], memory = self._choose(rows, codes, mode, memory, at)
                self.length[rows] += 1
            self._course(rows, course[length - 1, rows], memory, length - 1)
