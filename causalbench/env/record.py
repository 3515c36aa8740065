"""Record a log: what a behaviour policy saw, did and earned, block by block.

The *natural* policy is the process itself: its action variables follow their own mechanisms,
which may read what no observation shows, so its log is confounded. Observations are those of regime
``do`` nevertheless: what an agent would see that acts in its place. A step of a natural course is
an instance of every action whose settings it satisfies, and of ``pass``; a step that a policy has
acted in is an instance of that action alone, since what nature does and what is set differ where a
hidden cause is at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from causalbench.env.log import Log, joined
from causalbench.errors import AccessError
from causalbench.rng import generator, integers, uniforms, words
from causalbench.task.observation import MODES
from causalbench.truth.policy import Moment
from causalbench.truth.policy.chances import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Line, Program, Term
    from causalbench.truth.policy import Policy

__all__ = ["BLOCK", "record", "recorded"]

BLOCK = 1024
"""Episodes that are played at once. A log's content depends on it."""


def record(
    program: Program,
    steps: int,
    policy: Literal["natural", "random"] | Policy = "natural",
    regime: PlayRegime = "do",
    *,
    seed: int = 0,
) -> Log:
    """Play until a number of steps is reached, and return the episodes.

    A longer log begins with a shorter one of the same seed.

    Args:
        program: what is played.
        steps: at least so many, in whole episodes.
        policy: ``natural`` (the action variables' own mechanisms), ``random`` (each action equally
            likely), or a policy that acts.
        regime: ``do``, or ``intent`` for observations that show the natural choice.
        seed: at least 0.

    Returns:
        As many episodes as are needed.

    Raises:
        AccessError: another regime, or fewer than one step.
        CouplingError: regime ``intent`` where a mechanism has no coupling.
        AgentError: a policy whose probabilities don't fit the actions.
    """
    if steps < 1:
        raise AccessError(f"a log of {steps} steps holds nothing; ask for at least 1.")
    parts, left = [], steps
    for block in recorded(program, policy, regime, seed=seed):
        parts.append(block.first(left))
        left -= parts[-1].steps
        if left <= 0:
            break
    return joined(parts)


def recorded(
    program: Program,
    policy: Literal["natural", "random"] | Policy = "natural",
    regime: PlayRegime = "do",
    *,
    seed: int = 0,
) -> Iterator[Log]:
    """Yield blocks of episodes without end; `record` has the arguments."""
    if regime not in {"do", "intent"}:
        raise AccessError(
            f"a log shows what regime do or intent shows, not '{regime}'; choose one of the two."
        )
    program.need(regime)
    index = 0
    while True:
        rng = generator(seed, f"log/{policy if isinstance(policy, str) else 'policy'}", index)
        if policy == "natural":
            yield _natural(program, regime, rng)
        else:
            yield _acted(program, policy, regime, rng)
        index += 1


def _natural(program: Program, regime: str, rng: np.random.Generator) -> Log:
    """Let nature take its course."""
    values = _course(program, rng)
    length, alive = _ended(program, values)
    matches = _matched(program, values, rng)
    bets = program.play.mode == "bet"
    names = np.asarray((program.force >= 0).any(axis=1) | bets)
    named = matches & names
    first = named.argmax(axis=-1)
    other = np.flatnonzero(~names)
    rest = int(other[0]) if len(other) else -1
    action = np.where(named.any(axis=-1), first, rest)
    return Log(
        _shown(program, values, length, regime),
        np.where(alive, action, -1),
        matches & alive[:, :, None],
        _paid(program, values, action) * alive,
        length,
        np.ones(BLOCK, dtype=np.bool_),
    )


def _course(program: Program, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return natural courses, uint8[E, T, V] by slot."""
    slots, horizon = len(program.names), program.horizon
    values = np.zeros((BLOCK, horizon, slots), dtype=np.uint8)
    for step in range(horizon):
        lines = program.first if step == 0 else program.later
        for slot, line in enumerate(lines):
            row = np.zeros(BLOCK, dtype=np.int64)
            for parent, stride in zip(line.parents, line.strides, strict=True):
                past = parent >= slots
                column = values[:, step - past, parent - slots * past]
                row += stride * column.astype(np.int64)
            values[:, step, slot] = line.table[_noise(line, rng), row]
    return values


def _noise(line: Line, rng: np.random.Generator) -> NDArray[np.int64]:
    if len(line.noise) == 1:
        return np.zeros(BLOCK, dtype=np.int64)
    return np.searchsorted(np.cumsum(line.noise)[:-1], uniforms(rng, BLOCK), side="right")


def _ended(
    program: Program, values: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return how many steps each episode has, and bool[E, T]: which were played."""
    horizon = program.horizon
    length = np.full(BLOCK, horizon, dtype=np.int64)
    if program.ends is not None:
        over = _holds(program.ends, values)
        length = np.where(over.any(axis=1), over.argmax(axis=1) + 1, horizon)
    return length, np.arange(horizon) < length[:, None]


def _holds(term: Term, values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return bool[E, T]: where a conjunction holds."""
    held = np.ones(values.shape[:2], dtype=np.bool_)
    for slot, fits in term.atoms:
        held &= fits[values[:, :, slot]]
    return held


def _matched(
    program: Program, values: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return bool[E, T, A]: the actions whose settings hold; of bets, one drawn at random."""
    if program.play.mode == "bet":  # nature doesn't bet, and each step can pay one bet alone
        count = len(program.force)
        drawn = integers(rng, count, values.shape[:2])
        return np.asarray(drawn[:, :, None] == np.arange(count))
    matches = np.ones((*values.shape[:2], len(program.force)), dtype=np.bool_)
    for action, settings in enumerate(program.force):
        for slot in np.flatnonzero(settings >= 0):
            matches[:, :, action] &= values[:, :, slot] == settings[slot]
    return matches


def _paid(
    program: Program, values: NDArray[np.uint8], action: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the scaled rewards, float64[E, T]."""
    low, high = program.returns
    paid = np.zeros(action.shape)
    for term in program.terms:
        due = _holds(term, values)
        paid += term.weight * (due if term.action < 0 else due & (action == term.action))
    paid[:, 0] -= low
    paid /= high - low
    return paid


def _shown(
    program: Program, values: NDArray[np.uint8], length: NDArray[np.int64], regime: str
) -> NDArray[np.uint8]:
    """Return the observations of natural courses, uint8[E, T + 1, D]."""
    process = program.process
    cards = [process.variable(name).cardinality for name in process.visible]
    seen = np.empty((BLOCK, program.horizon + 1, len(cards) + 2), dtype=np.uint8)
    seen[:] = [*cards, MODES.index(program.play.mode), 0]
    at = np.arange(program.horizon + 1)
    now, last = np.minimum(at, length[:, None] - 1), np.minimum(at, length[:, None]) - 1
    early = program.early | (program.forced if regime == "intent" else False)
    for slot, place in zip(program.seen, program.places, strict=True):
        column = values[:, :, slot]
        shown = np.take_along_axis(column, now if early[slot] else np.maximum(last, 0), axis=1)
        start = 0 if early[slot] and program.play.mode != "redo" else 1
        seen[:, start:, place] = shown[:, start:]
    return seen


def _acted(
    program: Program, policy: Policy | str, regime: PlayRegime, rng: np.random.Generator
) -> Log:
    """Let a policy act, one episode in each copy of an environment."""
    from gymnasium.vector import AutoresetMode

    from causalbench.env.sequence_vector import SequenceVectorEnv

    env = SequenceVectorEnv(program, BLOCK, regime=regime, autoreset_mode=AutoresetMode.NEXT_STEP)
    first, _ = env.reset(seed=int(words(rng, 1)[0] >> np.uint64(2)))
    horizon, count = program.horizon, len(program.force)
    log = Log(
        seen=np.repeat(np.asarray(first, dtype=np.uint8)[:, None], horizon + 1, axis=1),
        action=np.full((BLOCK, horizon), -1, dtype=np.int64),
        matches=np.zeros((BLOCK, horizon, count), dtype=np.bool_),
        reward=np.zeros((BLOCK, horizon)),
        length=np.zeros(BLOCK, dtype=np.int64),
        terminal=np.zeros(BLOCK, dtype=np.bool_),
    )
    memory = None if isinstance(policy, str) else policy.begin(BLOCK)
    action, reward = np.full(BLOCK, -1, dtype=np.int64), np.zeros(BLOCK)
    alive = np.ones(BLOCK, dtype=np.bool_)
    for step in range(horizon):
        if isinstance(policy, str):
            action = integers(rng, count, BLOCK)
        else:
            moment = Moment(log.seen[:, step], action, reward, step)
            chances, memory = ask(policy, moment, memory, count)
            action = _drawn(chances, rng)
        seen, reward, terminated, _, _ = env.step(action)
        log.seen[alive, step + 1 :] = np.asarray(seen)[alive, None]
        log.action[alive, step] = action[alive]
        log.matches[alive, step, action[alive]] = True
        log.reward[alive, step] = reward[alive]
        log.length[alive] += 1
        log.terminal[alive] = terminated[alive]
        alive &= ~terminated
        if not alive.any():
            break
    return log


def _drawn(chances: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw an action a copy."""
    total = np.cumsum(chances, axis=1)
    below = total[:, :-1] <= uniforms(rng, BLOCK)[:, None]
    return np.asarray(below.sum(axis=1), dtype=np.int64)
