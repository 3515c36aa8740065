"""two-shifts: what is seen changes and nothing else, or the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.rng import permutation
from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import GAP, between, draw_until, kept, near, phrase
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY"]

NAME = "two-shifts"
TITLE = "A bed of plants whose leaves change, or whose needs do"
STORY = (
    "A bed is watered or not. Its plants grow well on damp soil and suffer from more, so that dry"
    " beds need water and damp ones none. Their leaves take their colour from the soil. A second"
    " sort has other colours and the same needs. A third has the colours of the first, and needs"
    " the opposite: it comes from a bog, grows where damp soil is watered, and rots where dry soil"
    " gets wet. Some plants are sickly, which nobody notes down; those get more water."
)
COLOURS = ("green", "red", "yellow", "blue", "grey", "white")


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    colours = COLOURS[: knobs["colours"]]
    play = Play(
        "water",
        ("water=no", "water=yes"),
        ("soil", "leaf", "water", "growth"),
        ((1.0, "growth=yes"),),
    )

    def holds(phases: Sequence[Process]) -> bool:
        base, surface, mechanism = phases
        same, still = kept(base, surface, play)
        stale, best = kept(base, mechanism, play)
        return abs(same - still) <= ROUNDING and best - stale >= GAP

    base, surface, mechanism = draw_until(
        rng, lambda rng: _phases(rng, colours, knobs), holds, NAME
    )
    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source="causalbench",
        story=STORY,
        play=play,
        phases=(Phase(BASE, base), Phase("surface", surface), Phase("mechanism", mechanism)),
        phrases=_phrases(colours),
        family=NAME,
        knobs=dict(knobs),
    )


ROUNDING = 1e-12
"""Values that are equal, summed in other orders, differ by less."""


def _phases(
    rng: np.random.Generator, colours: Sequence[str], knobs: Mapping[str, Any]
) -> list[Process]:
    """Draw the base; the same with another law of the leaf; the same with another growth."""
    tint = knobs["tint"]
    count = len(colours)
    order = [int(code) for code in permutation(rng, count)]
    spare = (1 - tint) / (count - 1)

    def leaf(of: Sequence[int]) -> list[list[float]]:
        return [[tint if code == of[soil] else spare for code in range(count)] for soil in (0, 1)]

    usual = (order[0], order[1])  # the colour on dry soil, and on damp soil
    other = (order[1], order[0]) if count == 2 else (order[1], order[2])  # noqa: PLR2004
    damp = between(rng, 0.4, 0.6)
    dries, soaks = between(rng, 0.4, 0.6), between(rng, 0.5, 0.7)
    sickly, lasts = between(rng, 0.3, 0.5), knobs["sticky"]
    watered = (  # on dry soil, on damp soil: the healthy, the sickly
        (between(rng, 0.4, 0.5), between(rng, 0.1, 0.2)),
        (between(rng, 0.85, 0.95), between(rng, 0.6, 0.8)),
    )
    good, bad = between(rng, 0.85, 0.95), between(rng, 0.1, 0.25)
    ill = between(rng, 0.03, 0.08)  # what sickliness takes away

    def process(of: Sequence[int], needs: Sequence[int]) -> Process:
        slices = Slices(knobs["days"])
        slices.add("health", "healthy sickly", hidden=True).add("soil", "dry damp")
        slices.add("leaf", list(colours)).add("water", "no yes").add("growth", "no yes")
        slices.chance("health", "", lambda: sickly, when="first")
        slices.chance(
            "health",
            "health_before",
            lambda was: near(lasts * was + (1 - lasts) * sickly),
            when="later",
        )
        slices.chance("soil", "", lambda: damp, when="first")
        slices.chance(
            "soil",
            "soil_before water_before",
            lambda was, water: ((0.25, soaks), (1 - dries, 0.90625))[was][water],
            when="later",
        )
        slices.chance("leaf", "soil", lambda soil: leaf(of)[soil])
        slices.chance("water", "health soil", lambda health, soil: watered[health][soil])
        slices.chance(
            "growth",
            "soil water health",
            lambda soil, water, health: (good if water == needs[soil] else bad) - ill * health,
        )
        return slices.process()

    return [process(usual, (1, 0)), process(other, (1, 0)), process(usual, (0, 1))]


def _phrases(colours: Sequence[str]) -> dict[str, Phrase]:
    return {
        "health": phrase("health", healthy="the plant is healthy", sickly="the plant is sickly"),
        "soil": phrase("the soil", dry="the soil is dry", damp="the soil is damp"),
        "leaf": phrase("the leaves", **{one: f"the leaves are {one}" for one in colours}),
        "water": Phrase(
            "watering",
            {"no": "the bed is not watered", "yes": "the bed is watered"},
            {"no": "you leave the bed unwatered", "yes": "you water the bed"},
        ),
        "growth": phrase("growth", no="the plant does not grow", yes="the plant grows"),
    }


FAMILY = WorldFamily(
    name=NAME,
    env="TwoShifts",
    title=TITLE,
    about=(
        "In one shift the leaves' colours change and no need does: the best policy stays, and who"
        " went by the colours fails. In the other everything looks as before and the effect of"
        " water is turned round: the best policy changes, and only acting shows it."
    ),
    knobs={
        "days": Knob(1, 8, "more days; the soil is carried over"),
        "colours": Knob(2, 6, "more colours of leaves"),
        "tint": Knob(0.625, 0.95, "the leaves tell the soil more surely", whole=False),
        "sticky": Knob(0.0, 0.95, "plants stay sickly for longer", whole=False),
    },
    levels={
        "easy": {"days": 1, "colours": 2, "tint": 0.875, "sticky": 0.5},
        "medium": {"days": 3, "colours": 3, "tint": 0.875, "sticky": 0.75},
        "hard": {"days": 4, "colours": 4, "tint": 0.9375, "sticky": 0.75},
    },
    build=_build,
    shifted={"colours": 5, "tint": 0.75},
)
