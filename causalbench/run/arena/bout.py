"""Train one learner once and value it along the way; or find a world's reference values."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from causalbench.errors import LogError, MissingExtraError
from causalbench.rng import child, generator
from causalbench.run.arena.field import ArenaField, Meter
from causalbench.run.arena.log import append, read_lines, write_whole
from causalbench.run.arena.place import Worlds
from causalbench.run.play import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from causalbench.agent.learn.protocol import Learner
    from causalbench.run.arena.place import Place
    from causalbench.run.arena.study import Contestant, Ground, Stage
    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program
    from causalbench.truth.policy import Policy, Value

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

    place = bout.ground.enter()
    family = bout.ground.family
    there = set(read_lines(bout.path))
    rng = generator(bout.seed, bout.stream, bout.repeat)
    fields, training = child(rng), child(rng)
    meter, begun, total = Meter(), time.perf_counter(), 0
    try:
        learner = make_learner(bout.contestant.agent, dict(bout.contestant.options))
        for number, stage in enumerate(bout.stages):
            field = ArenaField(
                place.programs(stage.phase),
                bout.regime,
                family=family,
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
                at = {"stage": number, "lived": place.name(stage.phase), "steps": steps}
                at |= {"total": total + steps, "spent": meter.spent, "seconds": round(seconds, 3)}
                append(
                    bout.path,
                    [
                        {**line, **at}
                        for line in _values(bout, place, learner, number, steps, there)
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
    bout: Bout, place: Place, learner: Learner, number: int, steps: int, there: set[str]
) -> Iterator[dict[str, Any]]:
    """Yield what the present policy is worth in each phase, both ways, unless that is known."""
    from causalbench.truth.policy import policy_value

    for phase in bout.phases:
        for choice in CHOICES:
            key = key_of(number, steps, phase, choice)
            if key in there:
                continue
            rng = generator(bout.seed, f"{bout.stream} {key}", bout.repeat)
            each = [
                policy_value(
                    program,
                    learner.policy(),
                    _VALUED_UNDER[bout.regime],
                    greedy=choice == "greedy",
                    limit=bout.limit,
                    rng=child(rng),
                )
                for program in place.targets(phase)
            ]
            yield {"key": key, "phase": phase, "choice": choice, **_mean(each)}


def scout(scouting: Scouting) -> str:
    """Find a world's reference values and write them, unless they are there.

    Returns:
        "", as `play` does where it goes well.
    """
    from causalbench.truth.policy import policy_value, references

    if scouting.path.exists():
        return ""
    place = scouting.ground.enter()
    told: dict[str, dict[str, Any]] = {}
    bayes = None if not isinstance(place, Worlds) else _bayes(place, scouting)
    for name in scouting.phases:
        singles = place.singles(name)
        found = [references(one, scouting.regimes, limit=scouting.limit) for one in singles]
        told[name] = {
            regime: _mean([each[regime].value for each in found]) for regime in scouting.regimes
        }
        others: list[tuple[str, Callable[[Program], Any], PlayRegime, Sequence[Program]]] = [
            ("natural", _uniform, "see", singles),  # nature acts, whatever the policy
            ("uniform", _uniform, "do", singles),
        ]
        if scouting.planners:
            from causalbench.truth.policy import planner

            others += [
                (f"planner {depth}", partial(planner, depth=depth), "do", singles)
                for depth in scouting.planners
            ]
        if bayes is not None:
            others += [("bayes", lambda _: bayes, "do", place.targets(name))]
        for label, policy, regime, programs in others:
            rng = generator(scouting.seed, f"{scouting.path.name} {name} {label}")
            told[name][label] = _mean(
                [
                    policy_value(one, policy(one), regime, limit=scouting.limit, rng=child(rng))
                    for one in programs
                ]
            )
    write_whole(scouting.path, told)
    return ""


def _uniform(program: Program) -> Policy:
    from causalbench.truth.policy import Uniform

    return Uniform(len(program.play.actions))


def _bayes(place: Worlds, scouting: Scouting) -> Policy | None:
    """Return the Bayes-optimal policy of a trial whose world is one of the practice worlds.

    None where that takes more histories than the limit: no other policy is passed off as it.
    """
    from causalbench.truth.policy import reference

    best = reference(place.mixed(), "do", limit=scouting.limit)
    return best.policy if best.value.exact else None


def _mean(values: Sequence[Value]) -> dict[str, Any]:
    """Return the mean of values as a log keeps it."""
    told = [value_dict(value) for value in values]
    if len(told) == 1:
        return told[0]
    return {
        "value": sum(one["value"] for one in told) / len(told),
        "low": sum(one["low"] for one in told) / len(told),
        "high": sum(one["high"] for one in told) / len(told),
        "exact": all(one["exact"] for one in told),
        "histories": sum(one["histories"] for one in told),
        "goal": sum(one["goal"] for one in told) / len(told),
        "length": sum(one["length"] for one in told) / len(told),
        "each": [one["value"] for one in told],
    }


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
