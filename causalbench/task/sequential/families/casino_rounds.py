"""casino-rounds: machines pay least where a gambler is drawn to, and he can feel where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import (
    GAP,
    between,
    draw_until,
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

NAME = "casino-rounds"
TITLE = "A greedy casino, round after round"
STORY = (
    "Slot machines stand in a row, and one of them blinks. A sober gambler is drawn to the machine"
    " that blinks, a drunk one to the next. The casino knows this, and lets a machine pay little to"
    " those who are drawn to it; who plays against the inclination wins more often. In the records"
    " one machine looks better than the others, but it is only the one that cheats least. Neither"
    " the blinking nor the drinking is on record; both last for some rounds."
)
INTENT_GAP = 0.05
"""What the inclination is worth at least, where history tells much of it already."""
MACHINES = ("left", "middle", "right")


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    names = MACHINES if knobs["machines"] == len(MACHINES) else (MACHINES[0], MACHINES[-1])
    play = Play(
        "gamble",
        ("pass", *(f"machine={name}" for name in names)),
        ("machine", "won"),
        ((1.0, "won=yes"),),
    )

    def holds(process: Process) -> bool:
        see, do, intent = worth(process, play, "see", "do", "intent")
        return do - see >= GAP and intent - do >= INTENT_GAP

    process = draw_until(rng, lambda rng: _process(rng, names, knobs), holds, NAME)
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=(
            "causalbench, after Bareinboim, Forney and Pearl, 'Bandits with unobserved confounders'"
            " (2015)"
        ),
        story=STORY,
        play=play,
        phases=(Phase(BASE, process),),
        phrases=_phrases(names),
        family=NAME,
        knobs=dict(knobs),
    )


def _process(rng: np.random.Generator, names: tuple[str, ...], knobs: Mapping[str, Any]) -> Process:
    count = len(names)
    # What a machine pays to whom it draws, and to others; the first looks best in the records.
    least = between(rng, 0.2, 0.3)
    pays = [(least, least + between(rng, 0.02, 0.06))]
    pays += [(between(rng, 0.03, 0.1), between(rng, 0.62, 0.82)) for _ in names[1:]]
    less = between(rng, 0.01, 0.03)  # to the drunk
    drunk = between(rng, 0.35, 0.65)
    blinks, drinks = knobs["blinking"], knobs["drinking"]
    slices = Slices(knobs["rounds"])
    slices.add("blinks", names, hidden=True).add("drunk", "no yes", hidden=True)
    slices.add("machine", names).add("won", "no yes")
    slices.chance("blinks", "", lambda: [1.0 / count] * count, when="first")
    slices.chance(
        "blinks",
        "blinks_before",
        lambda was: [blinks * (one == was) + (1 - blinks) / count for one in range(count)],
        when="later",
    )
    slices.chance("drunk", "", lambda: drunk, when="first")
    slices.chance(
        "drunk", "drunk_before", lambda was: drinks * was + (1 - drinks) * drunk, when="later"
    )
    slices.rule("machine", "blinks drunk", lambda _, blink, tipsy: (blink + tipsy) % count)

    def wins(machine: int, blink: int, tipsy: int) -> float:
        drawn = machine == (blink + tipsy) % count
        return pays[machine][0 if drawn else 1] - less * tipsy

    slices.chance("won", "machine blinks drunk", wins)
    return slices.process()


def _phrases(names: tuple[str, ...]) -> dict[str, Phrase]:
    return {
        "blinks": phrase("the blinking", **{n: f"the {n} machine blinks" for n in names}),
        "drunk": phrase("drink", no="the gambler is sober", yes="the gambler is drunk"),
        "machine": Phrase(
            "the machine",
            {n: f"the {n} machine is played" for n in names},
            {n: f"you have the {n} machine played" for n in names},
        ),
        "won": phrase("the win", no="nothing is won", yes="the machine pays"),
    }


FAMILY = WorldFamily(
    name=NAME,
    env="CasinoRounds",
    title=TITLE,
    about=(
        "The records favour a machine that wins less than another would. Acting finds that other"
        " one. Who is also shown which machine it is drawn to, before it plays, does better still:"
        " the inclination tells which machine cheats just now."
    ),
    knobs={
        "rounds": Knob(1, 8, "more rounds, over which the hidden state can be made out"),
        "machines": Knob(2, 3, "more machines"),
        "blinking": Knob(0.0, 0.9, "the same machine blinks for longer", whole=False),
        "drinking": Knob(0.0, 0.9, "the gambler stays drunk or sober for longer", whole=False),
    },
    levels={
        "easy": {"rounds": 2, "machines": 2, "blinking": 0.0, "drinking": 0.0},
        "medium": {"rounds": 4, "machines": 2, "blinking": 0.75, "drinking": 0.75},
        "hard": {"rounds": 4, "machines": 3, "blinking": 0.75, "drinking": 0.5},
    },
    build=_build,
    shifted={"rounds": 5, "blinking": 0.875, "drinking": 0.875},
)
