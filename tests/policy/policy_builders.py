"""Draw small processes and plays, and policies with and without memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.scm.mechanism import Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.play import Play
from causalbench.scm.process import Process
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from causalbench.truth.policy import Moment


def random_process(rng: np.random.Generator, *, slots: int = 3, horizon: int = 2) -> Process:
    """Draw a process: binary or ternary variables, noise of two values, up to two parents."""
    names = [f"v{i}" for i in range(slots)]
    cards = {name: int(rng.choice([2, 2, 3])) for name in names}
    hidden = {name: bool(rng.random() < 0.25) for name in names[:-1]} | {names[-1]: False}
    labels = {n: tuple(str(c) for c in range(cards[n])) for n in names}
    variables = {n: Variable(n, labels[n], hidden=hidden[n]) for n in names}
    first, later = {}, {}
    for at, name in enumerate(names):
        first[name] = _mechanism(rng, cards, name, names[:at])
        known = names[:at] + [f"{other}_before" for other in names]
        later[name] = _mechanism(rng, cards, name, known)
    read = sorted({p for m in later.values() for p in m.parents if p.endswith("_before")})
    more = {p: Variable(p, labels[p.removesuffix("_before")], hidden=True) for p in read}
    blank = Mechanism((), np.ones(1), np.zeros(1, dtype=np.int64))
    slices = SCM({**variables, **more}, {**later, **dict.fromkeys(read, blank)})
    return Process(SCM(variables, first), slices, horizon)


def _mechanism(
    rng: np.random.Generator, cards: dict[str, int], name: str, known: list[str]
) -> Mechanism:
    parents = tuple(sorted(rng.permutation(known)[: int(rng.integers(0, 3))]))
    noise = int(rng.choice([1, 2, 2])) if parents else 2
    chances = rng.dirichlet(np.ones(noise)) if noise > 1 else np.ones(1)
    shape = (noise, *(cards[p.removesuffix("_before")] for p in parents))
    return Mechanism(tuple(map(str, parents)), chances, rng.integers(0, cards[name], shape))


def random_play(rng: np.random.Generator, process: Process) -> Play:
    """Draw a play of two or three actions, with an early end in half of them."""
    names = list(process.names)
    options = [f"{n}={c}" for n in names for c in range(process.variable(n).cardinality)]
    pairs = [f"{names[0]}={i}, {names[-1]}={j}" for i in range(2) for j in range(2)]
    count = int(rng.integers(2, 4))
    actions = [str(label) for label in rng.permutation([*options, *pairs])[:count]]
    if rng.random() < 0.7:
        actions[0] = "pass"
    seen = [n for n in process.visible if rng.random() < 0.7]
    events = [str(event) for event in rng.permutation(options)[:3]]
    reward = tuple((float(w), e) for w, e in zip(rng.normal(size=3).round(2), events, strict=True))
    goal = ((1.0, str(rng.choice(options))),) if rng.random() < 0.3 else ()
    ends = str(rng.choice(options)) if rng.random() < 0.5 else ""
    return Play("play", tuple(actions), tuple(seen), reward, goal, ends)


@dataclass
class Whim:
    """A random policy; with memory, of a tally of all that came before (and, if asked, rewards)."""

    actions: int
    recalls: bool
    reads_reward: bool = False
    sure: bool = False
    size: int = 7

    def begin(self, n: int) -> Any:
        """Return empty tallies."""
        return np.zeros((n, 1), dtype=np.int64) if self.recalls else None

    def act(self, moment: Moment, memory: Any) -> tuple[np.ndarray, Any]:
        """Return chances that depend on the tally, or on the observation and the step alone."""
        seen = moment.seen.astype(np.int64)
        code = (seen * (1 + np.arange(seen.shape[1]) * 3)).sum(axis=1) + 5 * moment.step
        if self.recalls:
            code = code + 3 * memory[:, 0] + 2 * (moment.action + 1)
        if self.reads_reward:
            code = code + np.round(moment.reward * 1000).astype(np.int64) % 11
        tally = code % self.size
        chances = 1 + (tally[:, None] * (2 + np.arange(self.actions))) % 4
        chances = chances / chances.sum(axis=1, keepdims=True)
        if self.sure:
            chances = (chances.argmax(axis=1)[:, None] == np.arange(self.actions)).astype(float)
        return chances, tally[:, None] if self.recalls else None
