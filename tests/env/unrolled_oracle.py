"""Play an episode by solving the unrolled process anew at every step: slow, and plainly right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.env.stream import noise_codes
from causalbench.query import parse_action, parse_event

if TYPE_CHECKING:
    from collections.abc import Generator

    from causalbench.scm.program import Program

Shown = tuple[list[int], float, bool]


class Oracle:
    """One copy's episodes, from the noise that its key gives."""

    def __init__(self, program: Program, regime: str, key: int) -> None:
        self.program, self.regime, self.key = program, regime, key
        self.process, self.play = program.process, program.play
        self.scm = self.process.unroll()
        bets = self.play.mode == "bet"
        self.actions = [{} if bets else dict(parse_action(a)) for a in self.play.actions]
        self.forced = {name for action in self.actions for name in action}
        self.late = set(self.forced)
        for name in self.process.order:
            both = (self.process.first, self.process.later)
            if any(parent in self.late for scm in both for parent in scm.parents(name)):
                self.late.add(name)

    def episode(self, number: int) -> Generator[Shown, int, None]:
        """Yield (observation, reward of the last action, whether it ended); takes actions."""
        codes = noise_codes(self.program, self.key, number)
        self.noise = {
            f"{name}_{step + 1}": int(codes[step, slot])
            for slot, name in enumerate(self.program.names)
            for step in range(self.process.horizon)
        }
        carry: dict[str, int] = {}
        if self.regime == "replay":
            end = self.length([])
            for step in range(2, end + 1):
                yield self.shown(step, [], {}, "act"), 0.0, False
            carry = self.values([], end)
        mode = "redo" if self.regime == "replay" else self.play.mode
        taken: list[dict[str, str]] = []
        reward = 0.0
        for step in range(1, self.process.horizon + 1):
            action = yield self.shown(step, taken, carry, mode), reward, False
            taken.append({} if self.regime == "see" else self.actions[action])
            reward = self.paid(taken, step, action)
            if self.over(taken, step):
                break
        values = self.values(taken, len(taken))
        yield self.vector({name: values[name] for name in self.play.observes}, mode), reward, True

    def values(self, taken: list[dict[str, str]], step: int) -> dict[str, int]:
        """Return a step's values under the actions of the steps before and, if any, of its own."""
        do = {f"{name}_{t + 1}": v for t, action in enumerate(taken) for name, v in action.items()}
        solved = self.scm.solve(self.noise, do=do or None)
        return {name: int(solved[f"{name}_{step}"]) for name in self.process.names}

    def shown(
        self, step: int, taken: list[dict[str, str]], carry: dict[str, int], mode: str
    ) -> list[int]:
        """Return the observation before the action of a step."""
        now = self.values(taken, step)
        before = self.values(taken, step - 1) if step > 1 else carry
        seen = {}
        for name in self.play.observes:
            intended = name in self.forced and self.regime in {"see", "intent"}
            if name not in self.late or intended:
                seen[name] = now[name]
            elif name in before:
                seen[name] = before[name]
        if self.play.mode == "redo" and self.regime != "replay":
            seen = {}
        return self.vector(seen, mode)

    def vector(self, seen: dict[str, int], mode: str) -> list[int]:
        """Return an observation vector."""
        cards = [(name, self.process.variable(name).cardinality) for name in self.process.visible]
        codes = [seen.get(name, card) for name, card in cards]
        return [*codes, ("bet", "act", "redo").index(mode), 0]

    def holds(self, event: str, values: dict[str, int]) -> bool:
        """Return whether an event of equalities and inequalities holds."""
        for atom in parse_event(event, self.process.first.vocabulary):
            name = atom.term.variable
            same = values[name] == self.process.variable(name).code(str(atom.value))
            if same is not (atom.op == "="):
                return False
        return True

    def paid(self, taken: list[dict[str, str]], step: int, action: int) -> float:
        """Return the scaled reward of a step."""
        values = self.values(taken, step)
        low, high = self.program.returns
        if self.play.mode == "bet":
            total = float(self.holds(self.play.actions[action], values))
        else:
            total = sum(weight * self.holds(event, values) for weight, event in self.play.reward)
        return (total - (low if step == 1 else 0.0)) / (high - low)

    def over(self, taken: list[dict[str, str]], step: int) -> bool:
        """Return whether an episode is over after a step."""
        if step == self.process.horizon:
            return True
        return bool(self.play.ends) and self.holds(self.play.ends, self.values(taken, step))

    def length(self, taken: list[dict[str, str]]) -> int:
        """Return the number of steps of the natural course."""
        steps = range(1, self.process.horizon + 1)
        return next(step for step in steps if self.over(taken, step))


def assert_follows(program: Program, regime: str, env: object, episodes: int, seed: int) -> None:
    """Play a scalar environment and the oracle side by side, with random actions."""
    from causalbench.env.stream import key_of

    oracle, rng = Oracle(program, regime, key_of(seed)), np.random.default_rng(seed)
    for number in range(episodes):
        seen, _ = env.reset(seed=seed if number == 0 else None)  # type: ignore[attr-defined]
        course = oracle.episode(number)
        wanted, _, _ = next(course)
        assert seen.tolist() == wanted
        over = False
        while not over:
            action = int(rng.integers(len(env.actions)))  # type: ignore[attr-defined]
            seen, reward, over, _, _ = env.step(action)  # type: ignore[attr-defined]
            wanted, paid, ended = course.send(action)
            assert (seen.tolist(), over) == (wanted, ended)
            assert abs(reward - paid) <= 2.0**-48
