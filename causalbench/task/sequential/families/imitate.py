"""imitate: the expert reacts to a light that the imitator cannot see."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import SOURCE, between, draw_until, near, phrase
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from causalbench.scm.process import Process

    Rule = Callable[[int, int, int], tuple[float, ...]]

__all__ = ["FAMILY", "Road"]

NAME = "imitate"
TITLE = "Learn to drive from an expert who sees a light that you do not see"
STORY = (
    "An expert drives behind a lorry and sees its brake light: red, and the expert brakes; else the"
    " expert goes. The camera of the learner shows the traffic and a mirror that reflects the light"
    " not always rightly. To go at a red light mostly ends in a crash, and so does, less often, to"
    " brake for nothing. To creep is rather safe whatever the light. The expert hardly ever creeps."
)
DRIVES = ("go", "brake", "creep")
GO, BRAKE, CREEP = range(3)
CLEAR = 0.05
"""How much worse imitation is than the expert and than the best, at least; and a log's promise."""


@dataclass(frozen=True, slots=True)
class Road:
    """The parameters of a drive; pairs of traffic are (thin, thick).

    Args:
        thick: P(thick traffic) at the first step.
        stays: P(the traffic is as before).
        red: P(red) by traffic.
        mirror: P(the mirror shows the light rightly).
        errs: how often the expert goes at red or brakes at green.
        creeps: how often the expert creeps.
        crash: P(crash) of: going at red, braking at green, creeping, and doing what is right.
    """

    thick: float
    stays: float
    red: tuple[float, float]
    mirror: float
    errs: float
    creeps: float
    crash: tuple[float, float, float, float]

    def expert(self, light: int) -> tuple[float, float, float]:
        """Return how the expert drives: P(go), P(brake), P(creep)."""
        right = 1 - self.errs - self.creeps
        return (self.errs, right, self.creeps) if light else (right, self.errs, self.creeps)

    def risk(self, light: int, drive: int) -> float:
        """Return P(crash)."""
        if drive == CREEP:
            return self.crash[2]
        if (drive == BRAKE) == bool(light):
            return self.crash[3]
        return self.crash[drive]

    def seen(self, traffic: int, light: int, mirror: int) -> float:
        """Return P(light, mirror | traffic)."""
        p = self.red[traffic] if light else 1 - self.red[traffic]
        return p * (self.mirror if mirror == light else 1 - self.mirror)

    def copy(self, traffic: int, _: int, mirror: int) -> tuple[float, ...]:
        """Return P(the expert's drive | traffic, mirror), which an imitator learns."""
        odds = [self.seen(traffic, light, mirror) for light in (0, 1)]
        return tuple(
            sum(odds[light] * self.expert(light)[drive] for light in (0, 1)) / sum(odds)
            for drive in range(len(DRIVES))
        )

    def best(self, traffic: int, _: int, mirror: int) -> tuple[float, ...]:
        """Return the best choice from traffic and mirror."""
        odds = [self.seen(traffic, light, mirror) for light in (0, 1)]
        risks = [
            sum(odds[light] * self.risk(light, drive) for light in (0, 1))
            for drive in range(len(DRIVES))
        ]
        return _one(risks.index(min(risks)))

    def logged(self, traffic: int, _: int, mirror: int) -> tuple[float, ...]:
        """Return the choice that a log with rewards calls best from traffic and mirror."""
        odds = [self.seen(traffic, light, mirror) for light in (0, 1)]
        risks = []
        for drive in range(len(DRIVES)):
            rows = [odds[light] * self.expert(light)[drive] for light in (0, 1)]
            crashed = sum(rows[light] * self.risk(light, drive) for light in (0, 1))
            risks.append(crashed / sum(rows))
        return _one(risks.index(min(risks)))

    def worth(self, rule: Rule, steps: int) -> float:
        """Return the expected share of steps without a crash, the first crash being the last step.

        Args:
            rule: (traffic, light, mirror) to P(go), P(brake), P(creep).
            steps: of an episode.
        """
        safe = [
            sum(
                self.seen(traffic, light, mirror)
                * sum(
                    p * (1 - self.risk(light, drive))
                    for drive, p in enumerate(rule(traffic, light, mirror))
                )
                for light, mirror in product((0, 1), repeat=2)
            )
            for traffic in (0, 1)
        ]
        value = [0.0, 0.0]
        for _ in range(steps):
            ahead = [
                self.stays * value[traffic] + (1 - self.stays) * value[1 - traffic]
                for traffic in (0, 1)
            ]
            value = [safe[traffic] * (1 + ahead[traffic]) for traffic in (0, 1)]
        return ((1 - self.thick) * value[0] + self.thick * value[1]) / steps


def _one(drive: int) -> tuple[float, ...]:
    return tuple(float(i == drive) for i in range(len(DRIVES)))


def _holds(road: Road, steps: int) -> bool:
    """Tell whether copying the expert, and trusting a log, fall short of what is possible.

    So they do where the light is not seen; where it is, the copy is as good as the expert.
    """
    expert = road.worth(lambda _, light, __: road.expert(light), steps)
    copy, best, logged = (road.worth(rule, steps) for rule in (road.copy, road.best, road.logged))
    return min(expert, best) - copy >= CLEAR and best - logged >= CLEAR


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    def draw(rng: np.random.Generator) -> Road:
        return Road(
            thick=between(rng, 0.4, 0.6),
            stays=between(rng, 0.6, 0.85),
            red=(between(rng, 0.3, 0.45), between(rng, 0.5, 0.65)),
            mirror=near(knobs["mirror"]),
            errs=between(rng, 0.05, 0.07),
            creeps=between(rng, 0.05, 0.08),
            crash=(
                between(rng, 0.6, 0.8),
                between(rng, 0.4, 0.6),
                between(rng, 0.05, 0.1),
                between(rng, 0.01, 0.03),
            ),
        )

    return _make(draw_until(rng, draw, lambda drawn: _holds(drawn, knobs["steps"]), NAME), knobs)


def _make(road: Road, knobs: Mapping[str, Any]) -> SequentialWorld:
    seen = ("traffic", "light", "mirror") if knobs["sees"] else ("traffic", "mirror")
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=f"{SOURCE.format(NAME)}, after Zhang, Kumor and Bareinboim (2020)",
        story=STORY,
        play=Play(
            id="drive",
            actions=tuple(f"drive={value}" for value in DRIVES),
            observes=(*seen, "drive"),
            reward=((1.0, "crash=no"),),
            ends="crash=yes",
        ),
        phases=(Phase(BASE, _process(road, knobs)),),
        phrases=PHRASES,
        family=NAME,
        knobs=dict(knobs),
    )


def _process(road: Road, knobs: Mapping[str, Any]) -> Process:
    made = Slices(knobs["steps"]).add("traffic", "thin thick")
    made.add("light", "green red", hidden=not knobs["sees"])
    made.add("mirror", "green red").add("drive", DRIVES).add("crash", "no yes")
    turns = (1 - road.stays, road.stays)
    made.chance("traffic", "", lambda: road.thick, when="first")
    made.chance("traffic", "traffic_before", lambda was: turns[was], when="later")
    made.chance("light", "traffic", lambda traffic: road.red[traffic])
    made.chance("mirror", "light", lambda light: road.mirror if light else 1 - road.mirror)
    made.chance("drive", "light", road.expert)
    made.chance("crash", "light drive", road.risk)
    return made.process()


PHRASES = {
    "traffic": phrase("the traffic", thin="the traffic is thin", thick="the traffic is thick"),
    "light": phrase("the light", green="the lorry's light is off", red="the lorry's light is on"),
    "mirror": phrase("the mirror", green="the mirror is dark", red="the mirror glows"),
    "drive": Phrase(
        "the driving",
        {"go": "the car goes on", "brake": "the car brakes", "creep": "the car creeps"},
        {"go": "you go on", "brake": "you brake", "creep": "you creep"},
    ),
    "crash": phrase("the crash", no="there is no crash", yes="there is a crash"),
}

FAMILY = WorldFamily(
    name=NAME,
    env="Imitate",
    title=TITLE,
    about=(
        "The expert acts on what the learner does not see. To drive as the expert does, given what"
        " is seen, is to guess the light from the mirror, and crashes; a log with rewards praises"
        " what the expert did for reasons of its own. Who acts finds that creeping is safe. Where"
        " the light is seen, too, imitation does as well as the expert."
    ),
    knobs={
        "steps": Knob(1, 20, "steps of an episode"),
        "mirror": Knob(0.5, 0.75, "how often the mirror is right", whole=False),
        "sees": Knob(0, 1, "whether the light is seen, which makes the expert imitable"),
    },
    levels={
        "easy": {"steps": 3, "mirror": 0.75, "sees": 0},
        "medium": {"steps": 5, "mirror": 0.6875, "sees": 0},
        "hard": {"steps": 8, "mirror": 0.5625, "sees": 0},
    },
    build=_build,
    shifted={"steps": 12, "mirror": 0.5, "sees": 0},
)
