"""Train one learner once and value it along the way; or find a world's reference values."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.errors import LogError, MissingExtraError
from causalbench.rng import child, generator
from causalbench.run.arena.field import ArenaField, Meter
from causalbench.run.arena.log import append, read_lines, write_whole
from causalbench.run.play import failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from causalbench.agent.learn.protocol import Learner
    from causalbench.run.arena.study import Contestant, Ground, Stage
    from causalbench.scm.play import PlayRegime
    from causalbench.task.sequential import SequentialWorld
    from causalbench.truth.policy import Value

__all__ = ["CHOICES", "Bout", "Scouting", "key_of", "play", "scout"]

CHOICES = ("greedy", "sampled")
"""A policy is valued twice: always its likeliest action, and actions drawn as it says."""

_VALUED_UNDER: Mapping[str, PlayRegime] = {
    "see": "do",
    "do": "do",
    "intent": "intent",
    "replay": "replay",
}
"""Regime of the training -> regime that the policy is valued in: a log's reader acts at last."""


@dataclass(frozen=True, eq=False)
class Bout:
    """One training: a learner, from nothing, in one world and regime.

    Args:
        ground: the world.
        contestant: the learner.
        regime: what it trains under.
        repeat: from 0.
        seed: of the whole arena.
        stages: the stretches of its life.
        phases: valued at every checkpoint.
        limit: the most histories that a value may take.
        path: the log, a file of JSON lines.
    """

    ground: Ground
    contestant: Contestant
    regime: PlayRegime
    repeat: int
    seed: int
    stages: tuple[Stage, ...]
    phases: tuple[str, ...]
    limit: int
    path: Path

    @property
    def stream(self) -> str:
        """What every stream of the bout is derived from, beside seed and repeat."""
        parts = [self.ground.to_dict(), self.contestant.agent, dict(self.contestant.options)]
        text = json.dumps([*parts, self.regime], sort_keys=True)
        return f"arena {hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def keys(self) -> list[str]:
        """The key of every line that a finished log has."""
        return [
            key_of(number, steps, phase, choice)
            for number, stage in enumerate(self.stages)
            for steps in stage.budgets
            for phase in self.phases
            for choice in CHOICES
        ]

    @property
    def steps(self) -> int:
        """How many steps it trains for."""
        return sum(stage.budgets[-1] for stage in self.stages)


@dataclass(frozen=True, eq=False)
class Scouting:
    """The reference values of a world's phases.

    Args:
        ground: the world.
        phases: which.
        regimes: which references.
        planners: depths of planners that are valued too.
        limit: the most histories that a value may take.
        seed: of values that are estimated.
        path: the file that takes them.
    """

    ground: Ground
    phases: tuple[str, ...]
    regimes: tuple[PlayRegime, ...]
    planners: tuple[int, ...]
    limit: int
    seed: int
    path: Path


def key_of(stage: int, steps: int, phase: str, choice: str) -> str:
    """Name a line of a log: when in a life, in which phase of the world, and how it acts."""
    return f"{stage}/{steps}/{phase}/{choice}"


def play(bout: Bout) -> str:
    """Train and value; every checkpoint is appended to the log as it is reached.

    A log that holds some checkpoints already is filled up: the training is gone through again, the
    same as before since all its streams are, and only what is missing is valued.

    Returns:
        "" where it went well, else the end of the traceback of what the learner raised.

    Raises:
        LogError: the log can't be written.
    """
    from causalbench.agent.learn.registry import make_learner

    world = bout.ground.load()
    there = set(read_lines(bout.path))
    rng = generator(bout.seed, bout.stream, bout.repeat)
    fields, training = child(rng), child(rng)
    meter, begun, total = Meter(), time.perf_counter(), 0
    try:
        learner = make_learner(bout.contestant.agent, dict(bout.contestant.options))
        for number, stage in enumerate(bout.stages):
            field = ArenaField(
                world.program(stage.phase),
                bout.regime,
                family=world.family,
                rng=child(fields),
                meter=meter,
            )
            if number == 0:
                learner.start(field, rng=training)
            else:
                learner.enter(field)
            for steps in stage.budgets:
                learner.train(total + steps)
                seconds = time.perf_counter() - begun
                at = {"stage": number, "lived": world.phase(stage.phase).name, "steps": steps}
                at |= {"total": total + steps, "spent": meter.spent, "seconds": round(seconds, 3)}
                append(
                    bout.path,
                    [
                        {**line, **at}
                        for line in _values(bout, world, learner, number, steps, there)
                    ],
                )
            total += stage.budgets[-1]
    except (MissingExtraError, LogError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a learner may raise anything)
        told = failure(error)
        append(bout.path, [{"key": "error", "error": told}])
        return told
    return ""


def _values(
    bout: Bout, world: SequentialWorld, learner: Learner, number: int, steps: int, there: set[str]
) -> Iterator[dict[str, Any]]:
    """Yield what the present policy is worth in each phase, both ways, unless that is known."""
    from causalbench.truth.policy import policy_value

    for phase in bout.phases:
        for choice in CHOICES:
            key = key_of(number, steps, phase, choice)
            if key in there:
                continue
            found = policy_value(
                world.program(phase),
                learner.policy(),
                _VALUED_UNDER[bout.regime],
                greedy=choice == "greedy",
                limit=bout.limit,
                rng=generator(bout.seed, f"{bout.stream} {key}", bout.repeat),
            )
            yield {"key": key, "phase": phase, "choice": choice, **value_dict(found)}


def scout(scouting: Scouting) -> str:
    """Find a world's reference values and write them, unless they are there.

    Returns:
        "", as `play` does where it goes well.
    """
    from causalbench.truth.policy import Uniform, policy_value, references

    if scouting.path.exists():
        return ""
    world = scouting.ground.load()
    told: dict[str, Any] = {}
    for name in scouting.phases:
        program = world.program(name)
        found = references(program, scouting.regimes, limit=scouting.limit)
        values: dict[str, Any] = {regime: value_dict(one.value) for regime, one in found.items()}
        uniform = Uniform(len(program.play.actions))
        others: list[tuple[str, Any, PlayRegime]] = [
            ("natural", uniform, "see"),  # nature acts, whatever the policy
            ("uniform", uniform, "do"),
        ]
        if scouting.planners:
            from causalbench.truth.policy import planner

            others += [(f"planner {n}", planner(program, n), "do") for n in scouting.planners]
        for label, policy, regime in others:
            rng = generator(scouting.seed, f"{scouting.path.name} {name} {label}")
            value = policy_value(program, policy, regime, limit=scouting.limit, rng=rng)
            values[label] = value_dict(value)
        told[name] = values
    write_whole(scouting.path, told)
    return ""


def value_dict(value: Value) -> dict[str, Any]:
    """Return a value as a log keeps it."""
    return {
        "value": float(value.value),
        "low": float(value.low),
        "high": float(value.high),
        "exact": bool(value.exact),
        "histories": int(value.histories),
        "goal": float(value.goal),
        "length": float(value.length),
    }
