"""casino-rounds: machines pay least where a gambler is drawn to, and he can feel where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import between, phrase
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

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
MACHINES = ("left", "middle", "right")


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    count = knobs["machines"]
    names = (MACHINES[0], MACHINES[2]) if count == 2 else MACHINES  # noqa: PLR2004
    # (to whom it draws, to others) of each machine; the first looks best in the records.
    pays = [(between(rng, 0.2, 0.3), between(rng, 0.22, 0.32))]
    pays += [(between(rng, 0.03, 0.1), between(rng, 0.62, 0.82)) for _ in names[1:]]
    drunk_loses = between(rng, 0.01, 0.03)
    drunk = between(rng, 0.35, 0.65)
    blinks, drinks = knobs["blinking"], knobs["drinking"]
    slices = Slices(knobs["rounds"])
    slices.add("blinks", names, hidden=True).add("drunk", "no yes", hidden=True)
    slices.add("machine", names).add("won", "no yes")
    even = [1.0 / count] * count
    slices.chance("blinks", "", lambda: even, when="first")
    slices.chance(
        "blinks",
        "blinks_before",
        lambda was: [blinks * (one == was) + (1 - blinks) / count for one in range(count)],
        when="later",
    )
    slices.chance("drunk", "", lambda: drunk, when="first")
    slices.chance(
        "drunk",
        "drunk_before",
        lambda was: drinks * was + (1 - drinks) * drunk,
        when="later",
    )
    slices.rule("machine", "blinks drunk", lambda _, blink, tipsy: (blink + tipsy) % count)

    def wins(machine: int, blink: int, tipsy: int) -> float:
        drawn = machine == (blink + tipsy) % count
        return pays[machine][0 if drawn else 1] - drunk_loses * tipsy

    slices.chance("won", "machine blinks drunk", wins, coupling="monotone")
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source=(
            "causalbench, after Bareinboim, Forney and Pearl, 'Bandits with unobserved confounders'"
            " (2015)"
        ),
        story=STORY,
        play=Play(
            "gamble",
            ("pass", *(f"machine={name}" for name in names)),
            ("machine", "won"),
            ((1.0, "won=yes"),),
        ),
        phases=(Phase(BASE, slices.process()),),
        phrases=_phrases(names),
        family=NAME,
        knobs=dict(knobs),
    )


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
