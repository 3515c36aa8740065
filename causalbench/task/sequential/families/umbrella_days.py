"""umbrella-days: umbrellas foretell rain, seeding the clouds prevents it, and a season hides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import (
    GAP,
    SOURCE,
    between,
    draw_until,
    near,
    phrase,
    worth,
)
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY"]

NAME = "umbrella-days"
CHEAP = 0.1
"""Up to this cost seeding pays so much that acting is far ahead of reading the log."""
STORY = (
    "A town wants less rain. Umbrellas and rain go together: on days without umbrellas it hardly"
    " ever rains. Clouds are seeded to disperse the rain, which works, but they are seeded mostly"
    " in a season that brings rain anyway, so that seeding and rain go together too. Seasons last"
    " for days, and nobody sees them."
)
WET = ((0.02, 0.02), (0.9, 0.1))
"""P(wet) without rain and with it, without an umbrella and with one."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The parameters of a day; pairs are (calm, storm), and of umbrellas (no rain, rain)."""

    storm: float
    seeded: tuple[float, float]
    rain: tuple[float, float]
    seeded_rain: tuple[float, float]
    umbrella: tuple[float, float]


FLAGSHIP = _Numbers(
    storm=0.2,
    seeded=(0.05, 0.9),
    rain=(0.7, 0.95),
    seeded_rain=(0.35, 0.9),
    umbrella=(0.05, 0.95),
)
"""The day of the world ``umbrella-rain``."""


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    play = Play(
        "weather",
        ("pass", "umbrella=no", "seed=yes"),
        ("seed", "rain", "umbrella", "wet"),
        ((-1.0, "rain=yes"), (-knobs["cost"], "seed=yes"), (-0.1, "wet=yes")),
    )

    def made(rng: np.random.Generator) -> Process:
        day = _draw(rng, knobs["spread"]) if knobs["spread"] else FLAGSHIP
        return _process(day, knobs["days"], knobs["sticky"])

    def holds(process: Process) -> bool:
        see, do = worth(process, play, "see", "do")
        # Dear seeding leaves little to be gained, and the log's reader still loses some.
        return do - see >= (GAP if knobs["cost"] <= CHEAP else 0.01)

    return SequentialWorld(
        id=NAME,
        version=1,
        title="Umbrellas, rain and cloud seeding, day after day",
        source=SOURCE.format(NAME),
        story=STORY,
        play=play,
        phases=(Phase(BASE, draw_until(rng, made, holds, NAME)),),
        phrases=PHRASES,
        family=NAME,
        knobs=dict(knobs),
    )


def _draw(rng: np.random.Generator, spread: float) -> _Numbers:
    """Draw a day whose numbers lie up to ``spread`` from the flagship's."""

    def around(value: float) -> float:
        return between(rng, max(0.02, value - spread), min(0.98, value + spread))

    return _Numbers(
        storm=around(FLAGSHIP.storm),
        seeded=(between(rng, 0.05, 0.05 + spread), around(FLAGSHIP.seeded[1])),
        rain=(around(FLAGSHIP.rain[0]), around(FLAGSHIP.rain[1])),
        seeded_rain=(around(FLAGSHIP.seeded_rain[0]), around(FLAGSHIP.seeded_rain[1])),
        umbrella=(between(rng, 0.05, 0.05 + spread), between(rng, 0.95 - spread, 0.95)),
    )


def _process(day: _Numbers, days: int, sticky: float) -> Process:
    """Make the days: storms keep their share of them, and stay the more the stickier they are."""
    stays = (near(day.storm * (1 - sticky)), near(day.storm + (1 - day.storm) * sticky))
    made = Slices(days).add("season", "calm storm", hidden=True)
    for name in ("seed", "rain", "umbrella", "wet"):
        made.add(name, "no yes")
    made.chance("season", "", lambda: day.storm, when="first")
    made.chance("season", "season_before", lambda was: stays[was], when="later")
    made.chance("seed", "season", lambda season: day.seeded[season], coupling="independent")
    made.chance(
        "rain", "season seed", lambda season, seed: (day.rain, day.seeded_rain)[seed][season]
    )
    made.chance("umbrella", "rain", lambda rain: day.umbrella[rain], coupling="independent")
    made.chance("wet", "rain umbrella", lambda rain, held: WET[rain][held], coupling="independent")
    return made.process()


PHRASES = {
    "season": phrase("the season", calm="the season is calm", storm="it is the season of storms"),
    "seed": Phrase(
        "cloud seeding",
        {"no": "the clouds are not seeded", "yes": "the clouds are seeded"},
        {"no": "you keep the clouds from being seeded", "yes": "you have the clouds seeded"},
    ),
    "rain": phrase("rain", no="it does not rain", yes="it rains"),
    "umbrella": Phrase(
        "the umbrella",
        {"no": "people carry no umbrellas", "yes": "people carry umbrellas"},
        {"no": "you take all umbrellas away", "yes": "you hand everyone an umbrella"},
    ),
    "wet": phrase("wetness", no="people stay dry", yes="people get wet"),
}

FAMILY = WorldFamily(
    name=NAME,
    env="UmbrellaDays",
    title="Umbrellas foretell rain, seeding the clouds prevents it, and a season hides",
    about=(
        "Whoever reads a log takes the umbrellas away: without umbrellas it hardly rains. Acting"
        " shows that this does nothing and that seeding helps. The natural seeding, once shown,"
        " tells the hidden season. Where seeding is dear nothing should be done."
    ),
    knobs={
        "days": Knob(1, 10, "more days, over which the hidden season can be made out"),
        "sticky": Knob(0.0, 0.95, "the season lasts longer", whole=False),
        "cost": Knob(0.05, 0.69, "seeding is dearer; near .23 it stops paying", whole=False),
        "spread": Knob(0.0, 0.125, "worlds lie farther from the flagship's numbers", whole=False),
    },
    levels={
        "easy": {"days": 1, "sticky": 0.0, "cost": 0.05, "spread": 0.03125},
        "medium": {"days": 3, "sticky": 0.75, "cost": 0.05, "spread": 0.0625},
        "hard": {"days": 4, "sticky": 0.875, "cost": 0.1875, "spread": 0.09375},
    },
    build=_build,
    shifted={"days": 5, "sticky": 0.5, "cost": 0.69, "spread": 0.125},
    published={"spread": 0.0},
)
