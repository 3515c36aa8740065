"""Solve sequential worlds naively: every noise of every step is listed, and histories are sets.

Nothing is shared with the solver: given its noise and what is done, a unit takes one course, so a
history is the set of units that fit it, and the best policy is found by plain recursion.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from causalbench.query import parse_action, parse_event
from causalbench.truth.policy import Moment

TIE = 1e-12
Unit = tuple[tuple[int, ...], ...]  # noise codes, by step and variable


@dataclass
class Case:
    """A process and a play, read by name."""

    process: Any
    play: Any

    def __post_init__(self) -> None:
        self.names = self.process.order
        self.visible = [self.process.variable(name) for name in self.process.visible]
        vocabulary = self.process.first.vocabulary
        self.settings = [
            {n: self.process.variable(n).code(v) for n, v in parse_action(label, vocabulary)}
            for label in self.play.actions
        ]
        self.forced = {name for setting in self.settings for name in setting}
        self.events = {
            text: parse_event(text, vocabulary)
            for text in [e for _, e in (*self.play.reward, *self.play.goal)] + [self.play.ends]
            if text
        }
        late = set(self.forced)
        for _ in self.names:
            for slice_ in (self.process.first, self.process.later):
                late |= {n for n in self.names if set(slice_.parents(n)) & late}
        self.late = late

    def units(self) -> list[tuple[float, Unit]]:
        """List every noise with its probability."""
        ranges, chances = [], []
        for step in range(1, self.process.horizon + 1):
            for name in self.names:
                noise = self.process.slice(step).mechanism(name).noise
                ranges.append(range(len(noise)))
                chances.append(noise)
        found = []
        width = len(self.names)
        for codes in product(*ranges):
            weight = float(np.prod([own[code] for own, code in zip(chances, codes, strict=True)]))
            if weight > 0:
                cut = [codes[i : i + width] for i in range(0, len(codes), width)]
                found.append((weight, tuple(tuple(one) for one in cut)))
        return found

    def slice(self, step: int, unit: Unit, before: dict[str, int], setting: dict[str, int]) -> dict:
        """Return a step's values."""
        values: dict[str, int] = {}
        for name, code in zip(self.names, unit[step - 1], strict=True):
            mechanism = self.process.slice(step).mechanism(name)
            at = tuple(
                before[p.removesuffix("_before")] if p.endswith("_before") else values[p]
                for p in mechanism.parents
            )
            values[name] = setting.get(name, int(mechanism.table[(code, *at)]))
        return values

    def holds(self, values: dict[str, int], text: str) -> bool:
        """Return whether an event holds."""
        for atom in self.events[text]:
            variable = self.process.variable(atom.term.variable)
            own, at = values[variable.name], variable.code(str(atom.value))
            fits = {"=": own == at, "!=": own != at}[atom.op]
            if not fits:
                return False
        return True

    def pay(self, values: dict[str, int], terms: Any) -> float:
        """Return what a step pays, unscaled."""
        return sum(weight for weight, event in terms if self.holds(values, event))

    def ends(self, values: dict[str, int]) -> bool:
        """Return whether the episode ends after a step."""
        return bool(self.play.ends) and self.holds(values, self.play.ends)

    def vector(self, shown: dict[str, int], mode: int) -> tuple[int, ...]:
        """Return an observation: what is shown, the rest unseen."""
        cells = [shown.get(v.name, v.cardinality) for v in self.visible]
        return (*cells, mode, 0)

    def view(
        self, step: int, unit: Unit, before: dict[str, int], last: dict[str, int], regime: str
    ) -> tuple[int, ...]:
        """Return the observation before the action of a step."""
        natural = self.slice(step, unit, before, {})
        shown = {}
        for name in self.play.observes:
            told = regime == "intent" and name in self.forced
            if name not in self.late or told:
                shown[name] = natural[name]
            elif last:
                shown[name] = last[name]
        return self.vector(shown, 2 if regime == "replay" else 1)

    def nature(self, unit: Unit) -> list[dict[str, int]]:
        """Return the natural course of a unit, to its end."""
        course: list[dict[str, int]] = []
        before: dict[str, int] = {}
        for step in range(1, self.process.horizon + 1):
            before = self.slice(step, unit, before, {})
            course.append(before)
            if self.ends(before):
                break
        return course

    def watched(self, unit: Unit) -> tuple[tuple[int, ...], ...]:
        """Return what is seen of a natural course before it is run again."""
        course = self.nature(unit)
        views = []
        for last, now in pairwise(course):
            shown = {n: (last if n in self.late else now)[n] for n in self.play.observes}
            views.append(self.vector(shown, 1))
        return tuple(views)

    def matches(self, values: dict[str, int], action: int) -> bool:
        """Return whether what nature did is an instance of an action."""
        return all(values[name] == code for name, code in self.settings[action].items())

    def scale(self, total: float, goal: bool = False) -> float:  # noqa: FBT001, FBT002
        """Map a sum of rewards onto [0, 1], by the play's own bounds."""
        terms, span = self.play.reward, self.play.returns
        if goal and self.play.goal:
            terms, span = self.play.goal, self.play.goal_returns
        if span is None:
            steps = self.process.horizon
            span = (
                steps * sum(min(w, 0) for w, _ in terms),
                steps * sum(max(w, 0) for w, _ in terms),
            )
        return (total - span[0]) / (span[1] - span[0])


def best(case: Case, regime: str) -> float:
    """Return the best value under do, intent or replay."""
    rows = [(w, u, {}, {}) for w, u in case.units()]
    if regime != "replay":
        return case.scale(_best(case, regime, 1, rows))
    total = 0.0
    groups: dict[Any, list] = {}
    for weight, unit, _, _ in rows:
        last = case.nature(unit)[-1]
        groups.setdefault(case.watched(unit), []).append((weight, unit, {}, last))
    for group in groups.values():
        total += _best(case, regime, 1, group)
    return case.scale(total)


def _best(case: Case, regime: str, step: int, rows: list) -> float:
    groups: dict[Any, list] = {}
    for weight, unit, before, last in rows:
        view = case.view(step, unit, before, last, regime)
        groups.setdefault(view, []).append((weight, unit, before))
    total = 0.0
    for group in groups.values():
        found = []
        for setting in case.settings:
            worth, onward = 0.0, []
            for weight, unit, before in group:
                values = case.slice(step, unit, before, setting)
                worth += weight * case.pay(values, case.play.reward)
                if step < case.process.horizon and not case.ends(values):
                    onward.append((weight, unit, values, values))
            found.append(worth + (_best(case, regime, step + 1, onward) if onward else 0.0))
        total += max(found)
    return total


def see_value(case: Case) -> float:
    """Return the true value of acting greedily on what the log tells."""
    log = [(w, case.nature(u), u) for w, u in case.units()]
    for index, (_, course, unit) in enumerate(log):
        log[index] = (*log[index][:2], [_seen(case, unit, course, s) for s in range(len(course))])
    _MEMO.clear()
    total = 0.0
    for weight, unit in case.units():
        total += weight * _follow(case, log, unit)
    return case.scale(total)


def _seen(case: Case, unit: Unit, course: list, at: int) -> tuple[int, ...]:
    before = course[at - 1] if at else {}
    return case.view(at + 1, unit, before, before, "do")


def _follow(case: Case, log: list, unit: Unit) -> float:
    total, before, fits = 0.0, {}, list(range(len(log)))
    for step in range(1, case.process.horizon + 1):
        view = case.view(step, unit, before, before, "do")
        fits = [i for i in fits if len(log[i][1]) >= step and log[i][2][step - 1] == view]
        if not fits:  # the log lacks this history: begin again from its last observation
            fits = [
                i for i in range(len(log)) if len(log[i][1]) >= step and log[i][2][step - 1] == view
            ]
        action = _greedy(case, log, tuple(fits), step)[1] if fits else 0
        fits = [i for i in fits if case.matches(log[i][1][step - 1], action)]
        before = case.slice(step, unit, before, case.settings[action])
        total += case.pay(before, case.play.reward)
        if case.ends(before):
            break
    return total


def _greedy(case: Case, log: list, fits: tuple[int, ...], step: int) -> tuple[float, int]:
    key = (fits, step)
    if key in _MEMO:
        return _MEMO[key]
    found = []
    for action in range(len(case.settings)):
        rows = [i for i in fits if case.matches(log[i][1][step - 1], action)]
        mass = sum(log[i][0] for i in rows)
        if not rows:
            found.append(-np.inf)
            continue
        worth = sum(log[i][0] * case.pay(log[i][1][step - 1], case.play.reward) for i in rows)
        groups: dict[Any, list[int]] = {}
        for i in rows:
            if len(log[i][1]) > step:
                groups.setdefault(log[i][2][step], []).append(i)
        for group in groups.values():
            share = sum(log[i][0] for i in group)
            worth += share * _greedy(case, log, tuple(group), step + 1)[0]
        found.append(worth / mass)
    top = max(found)
    if top == -np.inf:
        answer = (0.0, 0)
    else:
        answer = (top, next(a for a, v in enumerate(found) if v >= top - TIE * (1 + abs(top))))
    _MEMO[key] = answer
    return answer


_MEMO: dict[Any, tuple[float, int]] = {}


def policy_worth(case: Case, policy: Any, regime: str) -> tuple[float, float, float]:
    """Return value, goal value and length of a policy, unit by unit."""
    sums = np.zeros(3)
    for weight, unit in case.units():
        memory, last, at, action = policy.begin(1), {}, 0, -1
        if regime != "replay":
            sums += weight * _act(
                case, policy, regime, (unit, 1, {}, last), (memory, action, 0.0, at)
            )
            continue
        sums += weight * _watch(case, policy, unit, list(case.watched(unit)), (memory, action, at))
    return case.scale(sums[0]), case.scale(sums[1], goal=True), float(sums[2])


def _watch(case: Case, policy: Any, unit: Unit, views: list, now: tuple) -> np.ndarray:
    memory, action, at = now
    if not views:
        last = case.nature(unit)[-1]
        return _act(case, policy, "replay", (unit, 1, {}, last), (memory, action, 0.0, at))
    chances, memory = policy.act(_moment(views[0], action, 0.0, at), memory)
    total = np.array([0.0, 0.0, 1.0])
    for choice, chance in enumerate(chances[0]):
        if chance > 0:
            total += chance * _watch(case, policy, unit, views[1:], (memory, choice, at + 1))
    return total


def _moment(view: tuple[int, ...], action: int, reward: float, at: int) -> Moment:
    seen = np.array([view], dtype=np.uint8)
    return Moment(seen, np.array([action]), np.array([reward]), at)


def _act(case: Case, policy: Any, regime: str, place: tuple, now: tuple) -> np.ndarray:
    (unit, step, before, last), (memory, action, reward, at) = place, now
    view = case.view(step, unit, before, last, regime)
    chances, memory = policy.act(_moment(view, action, reward, at), memory)
    total = np.zeros(3)
    for choice, chance in enumerate(chances[0]):
        if chance <= 0:
            continue
        values = case.slice(step, unit, before, case.settings[choice])
        paid = case.pay(values, case.play.reward)
        meant = case.pay(values, case.play.goal) if case.play.goal else paid
        own = np.array([paid, meant, 1.0])
        if step < case.process.horizon and not case.ends(values):
            told = case.scale(paid) - (case.scale(0.0) if step > 1 else 0.0)
            onward = (unit, step + 1, values, values)
            own = own + _act(case, policy, regime, onward, (memory, choice, told, at + 1))
        total += chance * own
    return total
