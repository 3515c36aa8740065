"""Value a given policy exactly, by pushing the law of (memory, state) through the steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import AgentError, TooWideError
from causalbench.truth.policy.chances import ask
from causalbench.truth.policy.controller import Codec
from causalbench.truth.policy.frames import gather, join, pack
from causalbench.truth.policy.memory import distinct, pick
from causalbench.truth.policy.model import Model
from causalbench.truth.policy.natural import drift
from causalbench.truth.policy.plan import one_hot, scaled
from causalbench.truth.policy.simulate import rollouts
from causalbench.truth.policy.types import Moment, Value
from causalbench.truth.policy.watch import COURSES, Courses

if TYPE_CHECKING:
    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program
    from causalbench.truth.policy.frames import Floats, Ints
    from causalbench.truth.policy.types import Policy

__all__ = ["LIMIT", "exact_value", "policy_value"]

LIMIT = 10**7
ROLLOUTS = 10**5
_NEEDS = ("begin", "act", "recalls", "reads_reward")


def policy_value(
    program: Program,
    policy: Policy,
    regime: PlayRegime,
    *,
    greedy: bool = False,
    limit: int = LIMIT,
    samples: int = ROLLOUTS,
    rng: np.random.Generator | None = None,
) -> Value:
    """Value a policy.

    Exact where it can be: copies of the policy that have the same memory and see the same are one,
    whatever hidden states they may be in, so a policy without memory costs a pass over (state,
    observation), and one with memory a tree over the histories that it tells apart.

    Args:
        program: what is played.
        policy: any; under ``see`` it makes no difference, as nature acts.
        regime: under which it plays; bets can be made under ``see``, too, as they change nothing.
        greedy: take its likeliest action (the first of equals) instead of drawing one.
        limit: the most (memory, observation, state) to go through, in all; beyond it the value is
            estimated.
        samples: episodes drawn for an estimate, whose interval holds 95% of the time.
        rng: for the estimate; None for a generator that is the same at each call.

    Raises:
        AccessError: no such regime.
        AgentError: what the policy gives is no law over the actions.
        CouplingError: a regime that runs a unit twice, where a mechanism has no coupling.
        AgentError: it is no policy, or what it gives is no law over the actions.
    """
    program.need(regime)
    lacks = [name for name in _NEEDS if not hasattr(policy, name)]
    if lacks:
        kind = type(policy).__name__
        raise AgentError(f"a {kind} is no policy: it has no {lacks[0]}; see docs/learners.md.")
    try:
        return exact_value(program, policy, regime, greedy=greedy, limit=limit)
    except TooWideError:
        return rollouts(program, policy, regime, greedy=greedy, samples=samples, rng=rng)


def exact_value(
    program: Program,
    policy: Policy,
    regime: PlayRegime,
    *,
    greedy: bool = False,
    limit: int = LIMIT,
) -> Value:
    """Value a policy exactly.

    Raises:
        TooWideError: it would take more than the limit (see `policy_value`).
    """
    if regime == "see" and program.play.mode != "bet":
        course = drift(program)
        gone = sum(len(view[0]) for view in course.views)
        return _value(program, course.reward, course.goal, course.length, gone)
    run = _Run(program, policy, greedy=greedy, limit=limit)
    if regime == "replay":
        run.twice()
    else:
        model = Model(program, "intent" if regime == "intent" else "do", split=policy.reads_reward)
        start = model.start()
        run.play(model, _opening(policy, start.seen, start.state, start.chance), 0)
    return _value(program, run.reward, run.goal, run.length, run.gone)


def _value(program: Program, reward: float, goal: float, length: float, gone: int) -> Value:
    value, meant = scaled(program, reward, goal)
    return Value(value, value, value, exact=True, histories=gone, goal=meant, length=length)


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Copies of a policy: groups that it cannot tell apart, and the states each may be in.

    Args:
        memory: of G groups, before they see.
        seen: int64[G], the code of what they see.
        action: int64[G], the action before.
        paid: float64[G], the reward before.
        group: int64[E], of each entry.
        state: int64[E].
        weight: float64[E], summing to the probability of still playing.
    """

    memory: Any
    seen: Ints
    action: Ints
    paid: Floats
    group: Ints
    state: Ints
    weight: Floats


def _opening(policy: Policy, seen: Ints, state: Ints, weight: Floats) -> _Crowd:
    """Return the copies of a policy before its first act."""
    views, group = np.unique(seen, return_inverse=True)
    count = len(views)
    memory = policy.begin(count)
    return _Crowd(memory, views, np.full(count, -1), np.zeros(count), group, state, weight)


class _Run:
    """One policy on its way through one program, adding up what it is paid."""

    def __init__(self, program: Program, policy: Policy, *, greedy: bool, limit: int) -> None:
        self._program, self._policy = program, policy
        self._greedy, self._limit = greedy, limit
        self._codec = Codec(program)
        low, high = program.returns
        self._low, self._span = low, high - low
        self.reward = self.goal = self.length = 0.0
        self.gone = 0

    def play(self, model: Model, crowd: _Crowd, at: int) -> None:
        """Act to the end.

        Args:
            model: the steps.
            crowd: the copies before their first act.
            at: how many steps have been watched.
        """
        for step in range(1, model.horizon + 1):
            if not len(crowd.weight):
                break
            chances, memory = self._act(crowd, at + step - 1)
            codes, place = np.unique(crowd.state, return_inverse=True)
            kernel = model.step(step, codes)
            entry, action = np.nonzero(chances[crowd.group] > 0)
            weight = crowd.weight[entry] * chances[crowd.group[entry], action]
            rows = place[entry] * model.actions + action
            self.reward += float(weight @ kernel.reward[rows])
            self.goal += float(weight @ kernel.goal[rows])
            self.length += float(weight.sum())
            if step == model.horizon:
                break
            who, edge = join(kernel.start, rows)
            self._count(len(who))
            paid = kernel.paid[edge] / self._span
            if step == 1:
                paid = paid - self._low / self._span
            if not self._policy.reads_reward:
                paid = np.zeros(len(edge))
            again = self._codec.views if self._codec.twice else 0
            crowd = self._merge(
                memory,
                crowd.group[entry][who],
                (kernel.seen[edge] + again, action[who], paid, kernel.state[edge]),
                weight[who] * kernel.chance[edge],
            )

    def twice(self) -> None:
        """Watch a course, and act in it again."""
        program = self._program
        courses = Courses(program, max(1, self._limit // COURSES))
        model = Model(program, "replay", split=self._policy.reads_reward, watched=courses)
        self._codec = Codec(program, twice=True)
        every: Ints = np.arange(len(courses.weight))
        begin = model.start(every, courses.first, courses.shown)
        # (What is shown at first was seen before: it is the same for all states of a course.)
        after = np.empty_like(every)
        after[begin.group] = begin.seen + self._codec.views
        start = np.searchsorted(begin.group, np.arange(len(every) + 1))
        for length in (int(one) for one in np.unique(courses.length)):
            rows = np.flatnonzero(courses.length == length)
            views = [*courses.views[:, : length - 1].T, after]
            crowd = _opening(self._policy, views[0][rows], rows, courses.weight[rows])
            self.length += (length - 1) * float(crowd.weight.sum())
            for at, view in enumerate(views[1:]):
                chances, memory = self._act(crowd, at)
                taken, action = np.nonzero(chances[crowd.group] > 0)
                group, course = crowd.group[taken], crowd.state[taken]
                self._count(len(taken))
                weight = crowd.weight[taken] * chances[group, action]
                crowd = self._merge(
                    memory, group, (view[course], action, np.zeros(len(taken)), course), weight
                )
            who, entry = join(start, crowd.state)
            acting = replace(
                crowd,
                group=crowd.group[who],
                state=begin.state[entry],
                weight=crowd.weight[who] * begin.chance[entry],
            )
            self.play(model, acting, length - 1)

    def _act(self, crowd: _Crowd, at: int) -> tuple[Floats, Any]:
        """Ask the policy for the probabilities of its actions."""
        seen = self._codec.decode(crowd.seen)
        moment = Moment(seen, crowd.action, crowd.paid, at)
        chances, memory = ask(self._policy, moment, crowd.memory, len(self._program.force))
        if self._greedy:
            chances = one_hot(chances.argmax(axis=1), chances.shape[1])
        return chances, memory

    def _merge(
        self, memory: Any, group: Ints, told: tuple[Ints, Ints, Floats, Ints], weight: Floats
    ) -> _Crowd:
        """Put together the copies that nothing tells apart.

        Args:
            memory: of the groups, after their act.
            group: int64[E], whose memory an entry has.
            told: observation, action, reward and state of each entry.
            weight: float64[E].
        """
        seen, action, paid, state = told
        own = distinct(memory, int(group.max(initial=-1)) + 1)[group]
        if not self._policy.recalls:
            own, action = np.zeros_like(own), np.full_like(action, -1)
        sums, which = np.unique(paid, return_inverse=True)
        views, shown = np.unique(seen, return_inverse=True)
        actions = len(self._program.force) + 1
        columns = [(own, int(own.max(initial=0)) + 1), (action + 1, actions)]
        columns += [(which, len(sums) + 1), (shown, len(views) + 1)]
        crowd = pack(columns, len(group))
        _, first, of = np.unique(crowd, return_index=True, return_inverse=True)
        states, place = np.unique(state, return_inverse=True)
        cells, cell = np.unique(of * max(1, len(states)) + place, return_inverse=True)
        total = gather(cell, weight, len(cells))
        size = max(1, len(states))
        return _Crowd(
            memory=pick(memory, group[first]),
            seen=seen[first],
            action=action[first],
            paid=paid[first],
            group=cells // size,
            state=states[cells % size],
            weight=total,
        )

    def _count(self, more: int) -> None:
        self.gone += more
        if self.gone > self._limit:
            raise TooWideError(
                f"the policy tells over {self._limit} histories and states apart; give a higher"
                " limit, or fewer steps"
            )
