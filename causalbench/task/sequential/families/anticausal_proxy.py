"""anticausal-proxy: a gauge tells how things are, can be set by hand, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import (
    GAP,
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

NAME = "anticausal-proxy"
TITLE = "A greenhouse, its stove, and a thermometer that can be set by hand"
CHEAP = 0.125
"""Up to this price of a fire acting is far ahead of reading the records."""
STORY = (
    "A greenhouse should be warm. Its thermometer almost always tells whether it is, and its needle"
    " can be set by hand. A stove heats the house, which then stays warm for a while; the gardener"
    " lights it mostly in cold weather, when the house would get cold anyway, so that in the"
    " records the house is hardly warmer with a fire. Cold weather lasts, and is not on record."
)


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    play = Play(
        "heat",
        ("pass", "gauge=high", "stove=on"),
        ("stove", "gauge", "warm") if knobs["shown"] else ("stove", "gauge"),
        ((1.0, "warm=yes"), (-knobs["fuel"], "stove=on")),
    )

    def holds(process: Process) -> bool:
        see, do = worth(process, play, "see", "do")
        return do - see >= (GAP if knobs["fuel"] <= CHEAP else 0.05)

    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source="causalbench, after the barometer that does not make the storm",
        story=STORY,
        play=play,
        phases=(Phase(BASE, draw_until(rng, lambda rng: _process(rng, knobs), holds, NAME)),),
        phrases=PHRASES,
        family=NAME,
        knobs=dict(knobs),
    )


def _process(rng: np.random.Generator, knobs: Mapping[str, Any]) -> Process:
    cold = between(rng, 0.4, 0.6)
    lit = (between(rng, 0.05, 0.1), between(rng, 0.7, 0.8))  # in mild weather, in cold
    # P(warm) without a fire (after a cold step, after a warm one), and with a fire.
    mild = ((between(rng, 0.5, 0.6), between(rng, 0.6, 0.7)), between(rng, 0.92, 0.98))
    bitter = ((between(rng, 0.02, 0.08), between(rng, 0.12, 0.25)), between(rng, 0.5, 0.65))
    reads = (1 - knobs["accuracy"], knobs["accuracy"])
    lasts = knobs["sticky"]
    slices = Slices(knobs["steps"])
    slices.add("weather", "mild cold", hidden=True).add("stove", "off on")
    slices.add("warm", "no yes").add("gauge", "low high")
    slices.chance("weather", "", lambda: cold, when="first")
    slices.chance(
        "weather",
        "weather_before",
        lambda was: near(was * lasts + (1 - lasts) * cold),
        when="later",
    )
    slices.chance("stove", "weather", lambda weather: lit[weather], coupling="independent")

    def heat(weather: int, stove: int, was: int) -> float:
        unheated, heated = (mild, bitter)[weather]
        return heated if stove else unheated[was]

    slices.chance("warm", "weather stove", lambda w, s: heat(w, s, 0), when="first")
    slices.chance("warm", "weather stove warm_before", heat, when="later")
    slices.chance("gauge", "warm", lambda warm: reads[warm], coupling="independent")
    return slices.process()


PHRASES = {
    "weather": phrase("the weather", mild="the weather is mild", cold="the weather is cold"),
    "stove": Phrase(
        "the stove",
        {"off": "the stove is off", "on": "the stove burns"},
        {"off": "you put the stove out", "on": "you light the stove"},
    ),
    "warm": phrase("warmth", no="the house is cold", yes="the house is warm"),
    "gauge": Phrase(
        "the thermometer",
        {"low": "the thermometer stands low", "high": "the thermometer stands high"},
        {"low": "you set the needle low", "high": "you set the needle high"},
    ),
}

FAMILY = WorldFamily(
    name=NAME,
    env="AnticausalProxy",
    title=TITLE,
    about=(
        "The thermometer is an effect of what is wanted, and goes with it almost perfectly; the"
        " stove is its cause, and hardly shows in the records, since it burns when it is cold."
        " Whoever reads the records sets the needle. Acting shows that the needle does nothing and"
        " the stove does much; what the gardener would do tells the weather besides."
    ),
    knobs={
        "steps": Knob(1, 8, "more steps; warmth and weather are carried over"),
        "sticky": Knob(0.0, 0.95, "the weather lasts longer", whole=False),
        "accuracy": Knob(0.75, 0.98, "the thermometer is more reliable", whole=False),
        "fuel": Knob(0.0, 0.25, "a fire costs more", whole=False),
        "shown": Knob(0, 1, "1: the warmth is seen; 0: it is paid for, but not seen"),
    },
    levels={
        "easy": {"steps": 1, "sticky": 0.0, "accuracy": 0.875, "fuel": 0.0625, "shown": 1},
        "medium": {"steps": 4, "sticky": 0.75, "accuracy": 0.9375, "fuel": 0.0625, "shown": 1},
        "hard": {"steps": 5, "sticky": 0.875, "accuracy": 0.96875, "fuel": 0.125, "shown": 0},
    },
    build=_build,
    shifted={"sticky": 0.9375, "accuracy": 0.8125, "fuel": 0.15625},
)
