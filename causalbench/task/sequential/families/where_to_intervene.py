"""where-to-intervene: which variables to set is a choice, too; setting them all is not best."""

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
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY", "House"]

NAME = "where-to-intervene"
TITLE = "A greenhouse: set the vent, or the sensor that sets the vent?"
STORY = (
    "In a greenhouse a vent should stand open on hot days and be shut on cool ones. A sensor, when"
    " it is switched on, feels the heat and moves the vent accordingly, and mostly rightly; else"
    " the vent stands as it was left. Nobody but the sensor feels the heat. In steady weather it is"
    " nearly always hot, in changing weather it may be either. Lamps that come on with the heat do"
    " nothing for the crop."
)
STEADY, CHANGING = range(2)
OFF, ON = range(2)
LAMPS = ("lamp", "beacon")
CLEAR, AHEAD = 0.1, 0.02
"""How much the right place is better than any other in changing weather, and in steady weather."""


@dataclass(frozen=True, slots=True)
class House:
    """The parameters of a day; pairs are (steady, changing).

    Args:
        hot: P(hot).
        feels: P(the vent is as it should be | the sensor is on).
        left: P(open | the sensor is off).
        on: P(the sensor is on).
        thrives: P(the crop thrives | the vent is wrong, right).
        changing: P(changing) on the first day.
        stays: P(the weather is as yesterday's).
        glows: P(a lamp is on | cool, hot).
    """

    hot: tuple[float, float]
    feels: float
    left: float
    on: float
    thrives: tuple[float, float]
    changing: float
    stays: float
    glows: tuple[float, float]

    def open(self, sensor: int, hot: int) -> float:
        """Return P(open) where nobody sets the vent."""
        if sensor == OFF:
            return self.left
        return self.feels if hot else 1 - self.feels

    def law(
        self, weather: int, sensor: int | None = None, vent: int | None = None
    ) -> dict[tuple[int, ...], float]:
        """Return P(sensor, vent, thriving) under an action, 8 cells."""
        law = dict.fromkeys(product(range(2), repeat=3), 0.0)
        for hot, at, stands in product(range(2), repeat=3):
            p = self.hot[weather] if hot else 1 - self.hot[weather]
            p *= _at(sensor, at, self.on) * _at(vent, stands, self.open(at, hot))
            fine = self.thrives[stands == hot]
            law[at, stands, 1] += p * fine
            law[at, stands, 0] += p * (1 - fine)
        return law

    def brings(self, weather: int, sensor: int | None = None, vent: int | None = None) -> float:
        """Return P(thriving) under an action."""
        law = self.law(weather, sensor, vent)
        return sum(p for (_, _, fine), p in law.items() if fine)

    def tells(self, weather: int, sensor: int | None = None, vent: int | None = None) -> float:
        """Return P(thriving | sensor and vent are seen so)."""
        law = self.law(weather)
        rows = {
            cell: p
            for cell, p in law.items()
            if sensor in {None, cell[0]} and vent in {None, cell[1]}
        }
        return sum(p for (_, _, fine), p in rows.items() if fine) / sum(rows.values())


def _at(put: int | None, value: int, p: float) -> float:
    """Return P(value) of a variable that is on with p, or that is put somewhere."""
    if put is not None:
        return float(put == value)
    return p if value else 1 - p


def _holds(house: House) -> bool:
    """Tell whether the sensor is the place in changing weather, and the vent in steady weather.

    What a log promises most of in changing weather must not be as good.
    """
    arms = list(product((None, OFF, ON), repeat=2))
    changing = {arm: house.brings(CHANGING, *arm) for arm in arms}
    best = changing.pop((ON, None))
    promised = max(arms, key=lambda arm: house.tells(CHANGING, *arm))
    steady = max(house.brings(STEADY, None, vent) for vent in (0, 1))
    others = max(house.brings(STEADY, sensor) for sensor in (None, OFF, ON))
    return (
        best - max(changing.values()) >= CLEAR
        and steady - others >= AHEAD
        and promised != (ON, None)
    )


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    def draw(rng: np.random.Generator) -> House:
        return House(
            hot=(between(rng, 0.92, 0.98), between(rng, 0.45, 0.65)),
            feels=near(knobs["feels"]),
            left=between(rng, 0.2, 0.5),
            on=between(rng, 0.3, 0.6),
            thrives=(between(rng, 0.05, 0.2), between(rng, 0.88, 0.97)),
            changing=between(rng, 0.5, 0.75),
            stays=between(rng, 0.6, 0.85),
            glows=(between(rng, 0.05, 0.2), between(rng, 0.8, 0.95)),
        )

    return _make(draw_until(rng, draw, _holds, NAME), knobs)


def _make(house: House, knobs: Mapping[str, Any]) -> SequentialWorld:
    lamps = LAMPS[: knobs["decoys"]]
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=f"{SOURCE.format(NAME)}, after Lee and Bareinboim (2018)",
        story=STORY,
        play=Play(
            id="greenhouse",
            actions=_actions(lamps),
            observes=("weather", "sensor", "vent", *lamps, "crop"),
            reward=((1.0, "crop=thrives"),),
        ),
        phases=(Phase(BASE, _process(house, lamps, knobs["days"])),),
        phrases={name: PHRASES[name] for name in (*NAMES, *lamps)},
        family=NAME,
        knobs=dict(knobs),
    )


def _actions(lamps: tuple[str, ...]) -> tuple[str, ...]:
    alone = [f"{name}={value}" for name, value in SETTINGS]
    lit = [f"{lamp}={value}" for lamp in lamps for value in ("off", "on")]
    both = [f"sensor={at}, vent={stands}" for at in ("off", "on") for stands in ("shut", "open")]
    return ("pass", *alone, *lit, *both)


def _process(house: House, lamps: tuple[str, ...], days: int) -> Process:
    made = Slices(days).add("weather", "steady changing").add("heat", "cool hot", hidden=True)
    made.add("sensor", "off on").add("vent", "shut open")
    for lamp in lamps:
        made.add(lamp, "off on")
        made.chance(lamp, "heat", lambda hot: house.glows[hot])
    made.add("crop", "wilts thrives")
    turns = (1 - house.stays, house.stays)
    made.chance("weather", "", lambda: house.changing, when="first")
    made.chance("weather", "weather_before", lambda was: turns[was], when="later")
    made.chance("heat", "weather", lambda weather: house.hot[weather])
    made.chance("sensor", "", lambda: house.on)
    made.chance("vent", "sensor heat", house.open)
    made.chance("crop", "vent heat", lambda stands, hot: house.thrives[stands == hot])
    return made.process()


NAMES = ("weather", "heat", "sensor", "vent", "crop")
SETTINGS = (("sensor", "off"), ("sensor", "on"), ("vent", "shut"), ("vent", "open"))
PHRASES = {
    "weather": phrase(
        "the weather", steady="the weather is steady", changing="the weather is changing"
    ),
    "heat": phrase("the heat", cool="it is cool", hot="it is hot"),
    "sensor": Phrase(
        "the sensor",
        {"off": "the sensor is off", "on": "the sensor is on"},
        {"off": "you switch the sensor off", "on": "you switch the sensor on"},
    ),
    "vent": Phrase(
        "the vent",
        {"shut": "the vent is shut", "open": "the vent is open"},
        {"shut": "you shut the vent", "open": "you open the vent"},
    ),
    "crop": phrase("the crop", wilts="the crop wilts", thrives="the crop thrives"),
} | {
    lamp: Phrase(
        f"the {lamp}",
        {"off": f"the {lamp} is off", "on": f"the {lamp} is on"},
        {"off": f"you switch the {lamp} off", "on": f"you switch the {lamp} on"},
    )
    for lamp in LAMPS
}

FAMILY = WorldFamily(
    name=NAME,
    env="WhereToIntervene",
    title=TITLE,
    about=(
        "The variables to set are a choice as well as their values. Where the weather changes, the"
        " sensor knows more than whoever sets the vent: switch it on and keep off the vent. Where"
        " it is steady, the vent is better set. Setting all that can be set is as good as setting"
        " the vent alone. A log promises most of sensor and vent together, wrongly."
    ),
    knobs={
        "days": Knob(1, 10, "steps of an episode"),
        "feels": Knob(0.8, 0.94, "how often the sensor moves the vent rightly", whole=False),
        "decoys": Knob(0, 2, "lamps that can be set, to no effect"),
    },
    levels={
        "easy": {"days": 2, "feels": 0.90625, "decoys": 0},
        "medium": {"days": 4, "feels": 0.875, "decoys": 1},
        "hard": {"days": 6, "feels": 0.84375, "decoys": 2},
    },
    build=_build,
    shifted={"days": 8, "feels": 0.8125, "decoys": 2},
)
