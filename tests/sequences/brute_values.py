"""The values of the rungs by plain recursion over dictionaries: shares nothing with the solver."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from causalbench.scm.program import Program

__all__ = ["Brute"]

Belief = tuple[tuple[tuple[int, ...], float], ...]
WATCH = -1


class Brute:
    """Enumerates the noise of every step, and all that can be done and seen.

    Args:
        program: what is played; a handful of steps.
        intent: whether nature's own choice is shown before each action.
    """

    def __init__(self, program: Program, *, intent: bool = False) -> None:
        self.program = program
        self.size = len(program.names)
        self.actions = range(len(program.force))
        self.carried = [slot for slot in range(self.size) if program.carried[slot]]
        seen = [int(slot) for slot in program.seen]
        self.before = [slot for slot in seen if program.early[slot]]
        self.shown = [slot for slot in seen if program.forced[slot]] if intent else []
        # A natural choice that is shown stands where its last value would have stood.
        late = (slot for slot in seen if not program.early[slot])
        self.after = [slot for slot in late if slot not in self.shown]
        self.slice = cache(self._slice)
        self.branches = cache(self._branches)
        self.start: Belief = (((0,) * len(self.carried), 1.0),)

    def scaled(self, total: float) -> float:
        """Map a sum of rewards onto [0, 1]."""
        low, high = self.program.returns
        return (total - low) / (high - low)

    def best(self) -> float:
        """Return the value of the best rule from what was done and seen to what is done."""
        return self.scaled(self._best(self.start, 1))

    def see(self) -> float:
        """Return the true value of the greedy reading of the log."""
        return self.scaled(self._followed(self.start, self.start, 1))

    def _slice(self, step: int, was: tuple[int, ...], action: int) -> list[Any]:
        """Return (natural values, acted values, probability) of a step, given what was carried."""
        earlier = dict(zip(self.carried, was, strict=True)) if step > 1 else {}
        found = {((), ()): 1.0}
        for slot, line in enumerate(self.program.first if step == 1 else self.program.later):
            set_to = WATCH if action == WATCH else int(self.program.force[action, slot])
            wider: dict[Any, float] = defaultdict(float)
            for courses, p in found.items():
                rows = [
                    sum(
                        int(stride) * (one[at] if at < self.size else earlier[at - self.size])
                        for at, stride in zip(line.parents, line.strides, strict=True)
                    )
                    for one in courses
                ]
                for noise, weight in enumerate(line.noise):
                    natural, acted = (int(line.table[noise, row]) for row in rows)
                    acted = acted if set_to < 0 else set_to
                    wider[(*courses[0], natural), (*courses[1], acted)] += p * float(weight)
            found = wider
        return [(natural, acted, p) for (natural, acted), p in found.items() if p > 0]

    def _branches(self, belief: Belief, step: int, action: int, match: int = WATCH) -> Any:
        """Return, by what is seen before and after: probability, reward, and the next belief."""
        found: Any = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0, defaultdict(float)]))
        for was, weight in belief:
            for natural, acted, p in self.slice(step, was, action):
                if match >= 0 and any(
                    value >= 0 and acted[slot] != value
                    for slot, value in enumerate(self.program.force[match])
                ):
                    continue
                first = tuple(acted[s] for s in self.before) + tuple(natural[s] for s in self.shown)
                entry = found[first][tuple(acted[s] for s in self.after)]
                entry[0] += weight * p
                entry[1] += weight * p * self._paid(acted)
                entry[2][tuple(acted[s] for s in self.carried)] += weight * p
        return found

    def _paid(self, values: tuple[int, ...]) -> float:
        return sum(
            term.weight
            for term in self.program.terms
            if all(fits[values[slot]] for slot, fits in term.atoms)
        )

    def _best(self, belief: Belief, step: int) -> float:
        if step > self.program.horizon:
            return 0.0
        ways = [self.branches(belief, step, action) for action in self.actions]
        return sum(
            max(
                sum(r + p * self._best(_normal(b), step + 1) for p, r, b in way[first].values())
                for way in ways
            )
            for first in ways[0]
        )

    def _logged(self, belief: Belief, step: int, first: tuple[int, ...]) -> list[float]:
        """Return what the log promises of each action."""
        worth = []
        for action in self.actions:
            rows = self.branches(belief, step, WATCH, action)[first].values()
            mass = sum(p for p, _, _ in rows)
            worth.append(
                sum(r + p * self._promised(_normal(b), step + 1) for p, r, b in rows) / mass
            )
        return worth

    def _promised(self, belief: Belief, step: int) -> float:
        if step > self.program.horizon:
            return 0.0
        return sum(
            sum(p for p, _, _ in rows.values()) * max(self._logged(belief, step, first))
            for first, rows in self.branches(belief, step, WATCH).items()
        )

    def _followed(self, belief: Belief, read: Belief, step: int) -> float:
        """Follow the log's reader, who believes what the log tells, where it leads."""
        if step > self.program.horizon:
            return 0.0
        total = 0.0
        for first in self.branches(belief, step, self.actions[0]):
            action = int(np.argmax(np.round(self._logged(read, step, first), 12)))
            rows = self.branches(read, step, WATCH, action)[first]
            for after, (p, r, b) in self.branches(belief, step, action)[first].items():
                then = self._followed(_normal(b), _normal(rows[after][2]), step + 1)
                total += r + p * then
        return total


def _normal(weights: dict[tuple[int, ...], float]) -> Belief:
    total = sum(weights.values())
    return tuple((state, p / total) for state, p in sorted(weights.items()))
